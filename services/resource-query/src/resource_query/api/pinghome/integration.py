"""Records of integrations: contract A22, pinghome-monitoring.txt lines 766 to 796."""

from fastapi import Response

from pinghome_common.dialects import pinghome_alerts as documents
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_documents import shows
from pinghome_common.dialects.pinghome_fields import Id
from resource_query.api.pinghome.dependencies import Reading

routes = Router(tags=["Integrations"])


@routes.get("/v1/resource/{id}/integrations", responses=shows({"data": [documents.INTEGRATION]}))
async def collection(id: Id, read: Reading) -> Response:  # noqa: A002  # the document's word
    """A monitor's integrations with other systems, oldest first; secrets are masked (A22)."""
    it, *_ = await read.resource(id)
    return answer({"data": [documents.integration(each) for each in await read.integrations(it)]})
