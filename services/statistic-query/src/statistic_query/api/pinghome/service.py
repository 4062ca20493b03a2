"""History of services: contract K, our extension."""

from typing import Annotated, Literal

from fastapi import Query, Request, Response

from pinghome_common.clock import now
from pinghome_common.dialects.pinghome import Authorized, Router, answer
from pinghome_common.dialects.pinghome_documents import moment, shows
from statistic_query import service_history

routes = Router(tags=["Services"])

Hours = Literal["24", "2160"]

HISTORY = {
    "hours": 24,
    "bucket_seconds": 960,
    "start": "2026-11-20T22:08:00Z",
    "data": [
        {"service_id": "14ab74bf-87a0-4565-a291-ad5c9733c53f", "history": [*[None] * 40, *["up"] * 48, "down", "up"]}
    ],
}


@routes.get("/v1/services/history", responses=shows(HISTORY))
async def history(
    request: Request,
    caller: Authorized,
    hours: Annotated[Hours, Query(description="a day, or 90 days")] = "24",
) -> Response:
    """The worst state of each service of the organisation in each of 90 buckets, oldest first (our extension).

    Of all monitors, heartbeats and servers of a service; worst is `down`, then `unknown`, `maintenance`, `up`,
    `pending`, `paused`; null where there was none. A service without any is left out. The last bucket is the current
    one. Buckets of 90 days are days that begin at midnight (UTC).
    """
    first, length = service_history.begin(now(), int(hours))
    found = await service_history.read(request.app.state.db, caller.organisation, first, length)
    data = [{"service_id": service, "history": states} for service, states in found.items()]
    bucket = round(length.total_seconds())
    return answer({"hours": int(hours), "bucket_seconds": bucket, "start": moment(first), "data": data})
