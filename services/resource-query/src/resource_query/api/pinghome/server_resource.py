"""Records of servers: contract A28, A29, pinghome-monitoring.txt lines 1074 to 1125."""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Response

from pinghome_common.dialects import pinghome_servers as documents
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_documents import listed, shows
from pinghome_common.dialects.pinghome_fields import Id, Page, Paged, listing
from resource_query.api.pinghome.dependencies import Reading, telemetry_applied
from resource_query.api.pinghome.filters import Ids, Services, filtered
from resource_query.lists import Wanted
from resource_query.read import Read

routes = Router(tags=["Servers"], dependencies=[Depends(telemetry_applied)])


Filtered = Annotated[Wanted, filtered("server_resource")]


@routes.get("/v1/service/{id}/server-resources", responses=listed(documents.SERVER))
async def collection(id: Id, page: Paged, read: Reading, wanted: Filtered) -> Response:  # noqa: A002
    """A service's servers with their newest figures, paginated (A28); an unknown service has none."""
    return await _listed(read, page, replace(wanted, services=[id]))


@routes.get("/v1/server-resources", responses=listed(documents.SERVER))
async def everywhere(page: Paged, read: Reading, wanted: Filtered, service: Services, ids: Ids) -> Response:
    """The organisation's servers with their newest figures, paginated (our extension)."""
    return await _listed(read, page, replace(wanted, ids=ids, services=service))


async def _listed(read: Read, page: Page, wanted: Wanted) -> Response:
    rows = [documents.server(it, heard) for it, heard in await read.servers(wanted, page.limit, page.offset)]
    return answer(listing(rows, page, await read.count("server_resource", wanted)))


@routes.get("/v1/server-resource/{id}", responses=shows(documents.SERVER))
async def one(id: Id, read: Reading) -> Response:  # noqa: A002
    """A server with its settings, its state and its newest figures (A29)."""
    it, version, heard = await read.server(id)
    return answer(documents.server(it, heard), version=version)
