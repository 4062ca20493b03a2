"""Records of checks: contract B1 to B3 and B12, healthchecks-v1-2022.txt lines 51 to 260."""

from uuid import UUID

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse

from pinghome_common.clock import micros, now
from pinghome_common.dialects.healthchecks import Router, answer, check_not_found, headers, named, plain
from pinghome_common.dialects.healthchecks_documents import CHECK, renderer, shows
from pinghome_common.dialects.problems import TEXT
from pinghome_common.errors import Unavailable
from resource_query.api.healthchecks.dependencies import Querying
from resource_query.api.healthchecks.entity_tag import current, entity_tag, next_change, view
from resource_query.api.healthchecks.listing import list_checks

routes = Router()


@routes.get("/checks/", responses=shows({"checks": [CHECK]}) | {304: {"description": "Unchanged"}})
async def collection(request: Request, query: Querying) -> Response:
    """The project's checks; only those with every `tag` (repeatable) and with the `slug`, if given (B1).

    Who sends the answer's `ETag` as `If-None-Match` gets 304 as long as nothing has changed (our extension).
    """
    params, present = request.query_params, micros(now())
    seen, changed_at = view(request, query.caller), await query.heartbeats.changed_at()  # before what it is about
    if tag := current(request.headers.get("if-none-match", ""), changed_at, seen, present):
        return Response(status_code=304, headers=headers(request) | {"ETag": tag, "Cache-Control": "no-cache"})
    found = await list_checks(request, query.heartbeats, params.getlist("tag"), params.get("slug"))
    channels = await query.heartbeats.default_channels() if any(args[0].channels is None for args in found) else []
    check = renderer(request, query.caller, present, channels).check
    response = answer(request, f'{{"checks":[{",".join([check(*args) for args in found])}]}}')
    response.headers["ETag"] = entity_tag(changed_at, next_change(found, present), seen)
    response.headers["Cache-Control"] = "no-cache"
    return response


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
