"""Records of servers: contract A28, A29, pinghome-monitoring.txt lines 1074 to 1125."""

from fastapi import Depends, Response

from pinghome_common.dialects import pinghome_servers as documents
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_documents import listed, shows
from pinghome_common.dialects.pinghome_fields import Id, Paged, listing
from resource_query.api.pinghome.dependencies import Reading, telemetry_applied

routes = Router(tags=["Servers"], dependencies=[Depends(telemetry_applied)])


@routes.get("/v1/service/{id}/server-resources", responses=listed(documents.SERVER))
async def collection(id: Id, page: Paged, read: Reading) -> Response:  # noqa: A002  # the document's word
    """A service's servers with their newest figures, oldest first, paginated (A28); an unknown service has none."""
    rows = [documents.server(it, heard) for it, heard in await read.servers(id, page.limit, page.offset)]
    return answer(listing(rows, page, await read.count("server_resource", id)))


@routes.get("/v1/server-resource/{id}", responses=shows(documents.SERVER))
async def one(id: Id, read: Reading) -> Response:  # noqa: A002
    """A server with its settings, its state and its newest figures (A29)."""
    it, version, heard = await read.server(id)
    return answer(documents.server(it, heard), version=version)
