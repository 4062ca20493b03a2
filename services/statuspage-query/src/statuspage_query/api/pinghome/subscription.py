"""Records of subscriptions: contract A50, pinghome-statuspages.txt lines 464 to 495."""

from fastapi import Response

from pinghome_common.dialects import pinghome_subscriptions as documents
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_documents import listed
from pinghome_common.dialects.pinghome_fields import Id, Paged, listing
from statuspage_query.api.pinghome.reading import Reading

routes = Router(tags=["Subscriptions"], bare=True)


@routes.get("/v1/statuspage/{id}/subscriptions", responses=listed(documents.EXAMPLE))
async def collection(id: Id, read: Reading, page: Paged) -> Response:  # noqa: A002  # the document's word
    """Subscriptions to a page, newest first (A50)."""
    found, total = await read.subscriptions(id, page.offset, page.limit)
    return answer(listing([documents.subscription(it) for it in found], page, total))
