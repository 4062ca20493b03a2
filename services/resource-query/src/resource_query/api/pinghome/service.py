"""Records of services: our extension (contract A.0)."""

from typing import Annotated

from fastapi import Response

from pinghome_common.dialects import pinghome_documents as documents
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_fields import Paged, listing
from resource_query.api.pinghome.dependencies import Reading
from resource_query.api.pinghome.filters import sorted_by
from resource_query.lists import Wanted

routes = Router(tags=["Services"])


@routes.get("/v1/services", responses=documents.listed(documents.SERVICE))
async def collection(page: Paged, read: Reading, wanted: Annotated[Wanted, sorted_by("service")]) -> Response:
    """The organisation's services, oldest first, paginated (our extension)."""
    rows = [documents.service(it) for it in await read.services(wanted, page.limit, page.offset)]
    return answer(listing(rows, page, await read.count("service", wanted)))
