"""Statistics of heartbeats: contract A37 and A38, pinghome-monitoring.txt lines 1401 to 1466."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse

from pinghome_common.dialects import problems
from pinghome_common.dialects.pinghome import Authorized, Router, answer, read_only
from pinghome_common.dialects.pinghome_alerts import NOTIFICATION, notification
from pinghome_common.dialects.pinghome_documents import moment, shows
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.errors import NotFound
from pinghome_common.events.key import Scope
from pinghome_common.events.ping import Kind
from statistic_query.api.pinghome.dependencies import Limited, Ranged, Reading, parse_time, telemetry_applied
from statistic_query.pings import RecentPings
from statistic_query.window import Window

routes = Router(tags=["Heartbeats"], dependencies=[Depends(telemetry_applied)])

Interval = Literal["1h", "3h", "12h", "1d", "3d", "7d", "30d"]
MAX_BUCKETS = 1000
KINDS = ("tick", "run", "complete", "fail")

STATISTIC = {
    "data": [
        {
            "received_at": "2022-03-28T00:00:00Z",
            "tick_count": 10080,
            "run_count": 7,
            "complete_count": 7,
            "fail_count": 0,
        }
    ]
}
EVENTS = {
    "data": [
        {
            "id": "01a20016-e952-7313-98fa-6fb101073d0a",
            "result": "tick",
            "message": "Tick event sent",
            "received_at": "2023-03-27T09:57:53.250101Z",
            "method": "GET",
            "remote_addr": "203.0.113.7",
            "n": 10081,
            "duration": None,
            "has_body": True,
        }
    ]
}
MAX_N = (1 << 63) - 1
BODY = problems.TEXT | {403: problems.problem("a read-only token")}
PLAIN = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
"""No browser takes for a page what a job has sent."""


@routes.get("/v1/heartbeat/{id}/statistic", responses=shows(STATISTIC))
async def statistic(
    id: Id,  # noqa: A002  # the document's word
    read: Reading,
    range_: Ranged,
    interval: Annotated[Interval, Query(examples=["7d"])] = "1h",
) -> Response:
    """The number of check-ins of each kind in each bucket, ascending, for the newest 1000 buckets (A37)."""
    it = await read.owned("heartbeat", id)
    start, end = range_.since(it.created_at)
    window = Window(start, end, interval)
    starts = window.newest(MAX_BUCKETS)
    counts: dict[datetime, Counter[str]] = {begin: Counter() for begin in starts}
    if starts:
        for row in await read.ping_hours(it, starts[0], window.after(starts[-1])):
            counts[window.floor(row["at"])].update({kind: row[kind] for kind in KINDS})
    data = [
        {"received_at": moment(begin), **{f"{kind}_count": found[kind] for kind in KINDS}}
        for begin, found in counts.items()
    ]
    return answer({"data": data})


@routes.get("/v1/heartbeat/{id}/events", responses=shows(EVENTS))
async def events(
    id: Id,  # noqa: A002
    read: Reading,
    limit: Limited = 100,
    last_received_at: Annotated[
        str | None, Query(description="only events before this time", examples=["2023-03-27T09:57:54Z"])
    ] = None,
) -> Response:
    """Check-ins, newest first; for the next page, pass the `received_at` of the last one (A38).

    Our extensions: `n` is the number of a check-in, the first one's is 1; `duration` says how many seconds the run took
    that it ended; `has_body`: it brought a body, see `/v1/heartbeat/{id}/events/{n}/body`.
    """
    it = await read.owned("heartbeat", id)
    rows = await read.pings(it, parse_time("last_received_at", last_received_at), limit)
    data = [
        {
            "id": row["id"],
            "result": Kind(row["kind"]).name,
            "message": row["message"],
            "received_at": moment(row["at"]),
            "method": row["method"],
            "remote_addr": row["remote_addr"],
            "n": row["n"],
            "duration": None if took is None else took.total_seconds(),
            "has_body": row["has_body"],
        }
        for row, took in rows
    ]
    return answer({"data": data})


@routes.get("/v1/heartbeat/{id}/events/{n}/body", response_class=PlainTextResponse, responses=BODY)
async def body(
    request: Request,
    caller: Authorized,
    id: Id,  # noqa: A002
    n: Annotated[int, Path(ge=1, le=MAX_N)],
    read: Reading,
) -> Response:
    """The unchanged body of a check-in, for tokens that may write (our extension); 404 if it had none.

    Jobs send their output as a body, and that may have secrets.
    """
    if caller.scope is not Scope.write:
        raise read_only()
    it, state = await read.owned("heartbeat", id), request.app.state
    async with state.db.connection() as connection:
        found = await RecentPings(connection, state.settings.pings_kept).body(it, n)
    if found is None:
        raise NotFound("The event is not kept, or had no body")
    return Response(found, headers=PLAIN, media_type="text/plain")


@routes.get("/v1/heartbeat/{id}/notifications", responses=shows({"data": [NOTIFICATION]}))
async def notifications(id: Id, read: Reading, limit: Limited = 100) -> Response:  # noqa: A002
    """Notifications about a heartbeat, newest first, with every delivery attempt (our extension)."""
    found = await read.notifications(await read.owned("heartbeat", id), limit)
    return answer({"data": [notification(it, sent_as) for it, sent_as in found]})
