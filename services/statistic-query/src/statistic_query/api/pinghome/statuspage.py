"""Statistics of status pages (our extension)."""

from fastapi import Response

from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_alerts import NOTIFICATION, notification
from pinghome_common.dialects.pinghome_documents import shows
from pinghome_common.dialects.pinghome_fields import Id
from statistic_query.api.pinghome.dependencies import Limited, Reading

routes = Router(tags=["Status pages"])


@routes.get("/v1/statuspage/{id}/notifications", responses=shows({"data": [NOTIFICATION]}))
async def notifications(id: Id, read: Reading, limit: Limited = 100) -> Response:  # noqa: A002  # the document's word
    """What subscribers and the team were told of a page, newest first, with every delivery attempt (our extension)."""
    found = await read.notifications_of_page(await read.page(id), limit)
    return answer({"data": [notification(it, sent_as) for it, sent_as in found]})
