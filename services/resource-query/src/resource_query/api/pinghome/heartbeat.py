"""Records of heartbeats: contract A35 and A36, pinghome-monitoring.txt lines 1294 to 1400."""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request, Response

from pinghome_common.clock import micros, now
from pinghome_common.dialects import pinghome_documents as documents
from pinghome_common.dialects.pinghome import Authorized, Router, answer, gateway_url
from pinghome_common.dialects.pinghome_fields import Id, Page, Paged, listing
from pinghome_common.directory import Caller
from pinghome_common.events.key import Scope
from resource_query.api.pinghome.dependencies import Reading, telemetry_applied
from resource_query.api.pinghome.filters import Ids, Services, filtered
from resource_query.lists import Wanted
from resource_query.read import Read

routes = Router(tags=["Heartbeats"], dependencies=[Depends(telemetry_applied)])


Filtered = Annotated[Wanted, filtered("heartbeat")]


@routes.get("/v1/service/{id}/heartbeats", responses=documents.listed(documents.HEARTBEAT))
async def collection(
    id: Id,  # noqa: A002
    page: Paged,
    read: Reading,
    wanted: Filtered,
    caller: Authorized,
    request: Request,
) -> Response:
    """A service's heartbeats, paginated (A35); an unknown service has none."""
    return await _listed(read, page, replace(wanted, services=[id]), _gateway(request, caller))


@routes.get("/v1/heartbeats", responses=documents.listed(documents.HEARTBEAT))
async def everywhere(
    page: Paged,
    read: Reading,
    wanted: Filtered,
    service: Services,
    ids: Ids,
    caller: Authorized,
    request: Request,
) -> Response:
    """The organisation's heartbeats, paginated (our extension)."""
    return await _listed(read, page, replace(wanted, ids=ids, services=service), _gateway(request, caller))


async def _listed(read: Read, page: Page, wanted: Wanted, gateway: str | None) -> Response:
    found = await read.heartbeats(wanted, page.limit, page.offset)
    rows = [documents.heartbeat(it, gateway, micros(now())) for it in found]
    return answer(listing(rows, page, await read.count("heartbeat", wanted)))


@routes.get("/v1/heartbeat/{id}", responses=documents.shows(documents.HEARTBEAT))
async def one(id: Id, read: Reading, caller: Authorized, request: Request) -> Response:  # noqa: A002
    """A heartbeat with its settings and its state (A36)."""
    it, version = await read.heartbeat(id)
    return answer(documents.heartbeat(it, _gateway(request, caller), micros(now())), version=version)


def _gateway(request: Request, caller: Caller) -> str | None:
    """Where check-ins go; None for a read-only caller, because the URL alone is enough to check in."""
    return gateway_url(request) if caller.scope is Scope.write else None
