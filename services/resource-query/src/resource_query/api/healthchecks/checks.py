"""Records of checks: contract B1 to B3 and B12, healthchecks-v1-2022.txt lines 51 to 260."""

from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse

from pinghome_common.clock import micros, now
from pinghome_common.dialects.healthchecks import Router, answer, check_not_found, named, plain
from pinghome_common.dialects.healthchecks_documents import CHECK, renderer, shows
from pinghome_common.dialects.problems import TEXT
from pinghome_common.errors import Unavailable
from resource_query.api.healthchecks.dependencies import Querying
from resource_query.api.healthchecks.listing import list_checks

routes = Router()


@routes.get("/checks/", responses=shows({"checks": [CHECK]}))
async def collection(request: Request, query: Querying) -> Response:
    """The project's checks; only those with every `tag` (repeatable) and with the `slug`, if given (B1)."""
    params = request.query_params
    found = await list_checks(request, query.heartbeats, params.getlist("tag"), params.get("slug"))
    channels = await query.heartbeats.default_channels() if any(args[0].channels is None for args in found) else []
    check = renderer(request, query.caller, micros(now()), channels).check
    return answer(request, f'{{"checks":[{",".join([check(*args) for args in found])}]}}')


@routes.get("/checks/{id}", responses=shows(CHECK))
async def one(request: Request, id: str, query: Querying) -> Response:  # noqa: A002  # the document's word
    """A check by its id or its unique key (B2, B3)."""
    key = named(id)
    it = await query.heartbeats.find(key)
    if it is None:
        raise check_not_found(elsewhere=isinstance(key, UUID) and await query.heartbeats.exists_anywhere(key))
    channels = await query.heartbeats.default_channels() if it.channels is None else []
    return answer(request, renderer(request, query.caller, micros(now()), channels).whole(it))


@routes.get("/status/", response_class=PlainTextResponse, responses=TEXT)
async def status(request: Request) -> Response:
    """OK when the database answers; needs no key (B12)."""
    if not await request.app.state.db.ready():
        raise Unavailable("The database is not reachable right now")
    return plain(request, "OK")
