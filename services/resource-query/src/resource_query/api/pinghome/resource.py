"""Records of uptime monitors: contract A15 to A17, pinghome-monitoring.txt lines 510 to 595."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Response

from pinghome_common.dialects import pinghome_documents as documents
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_fields import Id, Page, Paged, listing
from resource_query.api.pinghome.dependencies import Reading
from resource_query.api.pinghome.filters import Ids, Services, Types, filtered, typed
from resource_query.lists import Wanted
from resource_query.read import Read

routes = Router(tags=["Uptime monitors"])

REGIONS = {
    "data": [
        {
            "region": "eu-central-1",
            "state": "up",
            "last_checked_at": "2026-11-21T21:50:15Z",
            "response_time": 41.873,
            "error": "",
        }
    ]
}


Filtered = Annotated[Wanted, filtered("resource")]


@routes.get("/v1/service/{id}/resources", responses=documents.listed(documents.RESOURCE))
async def collection(id: Id, page: Paged, read: Reading, wanted: Filtered, type: Types) -> Response:  # noqa: A002
    """A service's monitors, paginated (A15); an unknown service has none."""
    return await _listed(read, page, replace(wanted, services=[id], types=typed(type)))


@routes.get("/v1/resources", responses=documents.listed(documents.RESOURCE))
async def everywhere(
    page: Paged,
    read: Reading,
    wanted: Filtered,
    type: Types,  # noqa: A002
    service: Services,
    ids: Ids,
) -> Response:
    """The organisation's monitors, paginated (our extension)."""
    return await _listed(read, page, replace(wanted, ids=ids, services=service, types=typed(type)))


async def _listed(read: Read, page: Page, wanted: Wanted) -> Response:
    found = await read.resources(wanted, page.limit, page.offset)
    rows = [documents.resource(it, at, ms) for it, _, at, ms in found]
    return answer(listing(rows, page, await read.count("resource", wanted)))


@routes.get("/v1/resource/{id}", responses=documents.shows(documents.RESOURCE))
async def one(id: Id, read: Reading) -> Response:  # noqa: A002
    """A monitor with its settings and its state (A16)."""
    it, version, at, ms = await read.resource(id)
    return answer(documents.resource(it, at, ms), version=version)


@routes.get("/v1/resource/{id}/regions", responses=documents.shows(REGIONS))
async def regions(id: Id, read: Reading) -> Response:  # noqa: A002
    """What each region last observed of a monitor (A17)."""
    it, *_ = await read.resource(id)
    data: list[dict[str, Any]] = [
        {
            "region": row["region"],
            "state": row["state"] if it.enabled else "paused",
            "last_checked_at": documents.moment_of(row["checked_at"]),
            "response_time": documents.milliseconds(row["response_time"]),
            "error": row["error"],
        }
        for row in await read.region_observations(it)
    ]
    return answer({"data": data})
