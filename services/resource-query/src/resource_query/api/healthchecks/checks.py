"""Records of checks: contract B1 to B3 and B12, healthchecks-v1-2022.txt lines 51 to 260."""

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse

from pinghome_common.clock import micros, now
from pinghome_common.dialects.healthchecks import Router, answer, named, plain
from pinghome_common.dialects.healthchecks_documents import CHECK, shows, view
from pinghome_common.dialects.problems import TEXT
from pinghome_common.errors import Unavailable
from resource_query.api.healthchecks.listing import lines
from resource_query.query import Checking

routes = Router()


@routes.get("/checks/", responses=shows({"checks": [CHECK]}))
async def collection(request: Request, checking: Checking) -> Response:
    """The project's checks, those with every `tag` (repeatable) and with the `slug` that are asked for (B1)."""
    query = request.query_params
    found = await lines(request, checking.checks, query.getlist("tag"), query.get("slug"))
    told = await checking.checks.told() if any(line[0].channels is None for line in found) else []
    check = view(request, checking.caller, micros(now()), told).check
    return answer(request, f'{{"checks":[{",".join([check(*line) for line in found])}]}}')


@routes.get("/checks/{id}", responses=shows(CHECK))
async def one(request: Request, id: str, checking: Checking) -> Response:  # noqa: A002  # the document's word
    """A check by its id or its unique key (B2, B3)."""
    it = await checking.checks.one(named(id))
    told = await checking.checks.told() if it.channels is None else []
    return answer(request, view(request, checking.caller, micros(now()), told).whole(it))


@routes.get("/status/", response_class=PlainTextResponse, responses=TEXT)
async def status(request: Request) -> Response:
    """OK, when the database answers; needs no key (B12)."""
    if not await request.app.state.db.ready():
        raise Unavailable("The database is not reachable right now")
    return plain(request, "OK")
