"""Who was told what, of everything: contract K, our extension."""

from typing import Annotated, Literal

from fastapi import Query, Response

from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_alerts import NOTIFICATION, notification
from pinghome_common.dialects.pinghome_documents import shows
from pinghome_common.dialects.pinghome_fields import Id
from statistic_query.api.pinghome.dependencies import Limited, Reading
from statistic_query.ledger import Wanted

routes = Router(tags=["Notifications"])

State = Literal["waiting", "held", "sent", "failed", "suppressed"]


@routes.get("/v1/notifications", responses=shows({"data": [NOTIFICATION]}))
async def ledger(
    read: Reading,
    limit: Limited = 100,
    state: State | None = None,
    channel: Annotated[Id | None, Query(description="only for this channel, or this subscriber")] = None,
    before: Annotated[
        Id | None, Query(description="for the next page: the id of the last one of the page before")
    ] = None,
) -> Response:
    """All that channels and subscribers were told, newest first, with every delivery attempt (our extension)."""
    found = await read.told(Wanted(state, channel, before), limit)
    return answer({"data": [notification(it, sent_as) for it, sent_as in found]})
