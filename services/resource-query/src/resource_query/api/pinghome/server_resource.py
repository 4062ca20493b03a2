"""Records of servers: contract A28, A29, pinghome-monitoring.txt lines 1074 to 1125."""

from fastapi import Response

from pinghome_common.dialects import pinghome_servers as documents
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_documents import listed, shows
from pinghome_common.dialects.pinghome_fields import Id, Paged, listing
from resource_query.api.pinghome.dependencies import Reading

routes = Router(tags=["Servers"])


@routes.get("/v1/service/{id}/server-resources", responses=listed(documents.SERVER))
async def collection(id: Id, page: Paged, read: Reading) -> Response:  # noqa: A002  # the document's word
    """A service's servers, oldest first, paginated (A28)."""
    rows = [documents.server(it) for it in await read.servers(id, page.limit, page.offset)]
    return answer(listing(rows, page, await read.count("server_resource", id)))


@routes.get("/v1/server-resource/{id}", responses=shows(documents.SERVER))
async def one(id: Id, read: Reading) -> Response:  # noqa: A002
    """A server (A29)."""
    it, version = await read.server(id)
    return answer(documents.server(it), version=version)
