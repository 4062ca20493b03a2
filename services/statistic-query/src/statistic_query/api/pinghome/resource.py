"""Statistics of uptime monitors: contract A23 and A24, pinghome-monitoring.txt lines 696 to 765."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, Response

from pinghome_common.clock import now
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_alerts import NOTIFICATION, notification
from pinghome_common.dialects.pinghome_documents import shows
from pinghome_common.dialects.pinghome_fields import Id
from statistic_query.api.pinghome.dependencies import Limited, Ranged, Reading
from statistic_query.api.pinghome.state_change import LOGS, state_change
from statistic_query.buckets import Buckets
from statistic_query.latency import Latency, Spreads, together
from statistic_query.window import MONDAY, STEPS, Window

routes = Router(tags=["Uptime monitors"])

Interval = Literal["minute", "hour", "day", "week", "month", "1h", "3h", "12h", "1d", "3d", "7d", "30d"]
assert set(STEPS) == set(Interval.__args__)  # type: ignore[attr-defined]  # noqa: S101


_RESPONSE_TIME = {"avg": 41.9, "min": 38.2, "max": 55.1, "p50": 41.2, "p95": 52.8, "p99": 55.1}
STATISTIC = {
    "summary": {
        "uptime": 99.9306,
        "downtime_seconds": 60,
        "response_time": _RESPONSE_TIME,
        "checks": 1440,
        "failures": 1,
    },
    "interval": "minute",
    "data": [
        {
            "received_at": "2022-04-03T22:03:00Z",
            "uptime": 100.0,
            "response_time": _RESPONSE_TIME,
            "checks": 1,
            "failures": 0,
        }
    ],
}


@routes.get("/v1/resource/{id}/statistic", responses=shows(STATISTIC))
async def statistic(
    id: Id,  # noqa: A002  # the document's word
    read: Reading,
    range_: Ranged,
    limit: Limited = 100,
    interval: Annotated[Interval, Query(examples=["minute"])] = "hour",
    by: Annotated[
        Literal["region"] | None, Query(description="our extension: `regions` has a series for each region")
    ] = None,
) -> Response:
    """Uptime and response times, in total and in the newest `limit` buckets, ascending (A23).

    `uptime` is the percentage of the time in which the monitor was up or down; response times are in milliseconds.
    Our extensions: `p50`, `p95` and `p99` are within 2.5 %; those of the summary are of the whole hours in which the
    window lies. With `by=region` each item of `regions` has `region`, `summary` and `data`, without uptime.
    """
    requested = Window(max(range_.start, MONDAY), min(range_.end, now()), interval)  # nothing was monitored before
    it, history, starts, counts = await read.statistics(id, requested, limit)
    start, end = range_.since(it.created_at)
    window = Window(start, end, interval)
    hourly = starts and interval in ("hour", "1h")
    covers_window = hourly and window.hours(it.created_at, now()) == (starts[0], window.after(starts[-1]))
    sums = counts.together() if covers_window else await read.sums(it, window)
    edges = [max(starts[0], start), *starts[1:], min(window.after(starts[-1]), end)] if starts else [start]
    overall = history.span(start, end)
    times = Buckets.of([sums]).times()[0]
    summary = {
        "uptime": overall.uptime,
        "downtime_seconds": round(overall.down),
        "response_time": times,
        "checks": sums[0],
        "failures": sums[1],
    }
    data = counts.buckets(starts, history.uptimes(edges))
    spreads = await read.spreads(it, window, starts)
    all_ = together(spreads.values())
    all_.complete(times, data)
    body: dict[str, Any] = {"summary": summary, "interval": interval, "data": data}
    if by:
        body["regions"] = [_region(name, spreads[name], starts) for name in sorted(spreads)]
    return answer(body)


def _region(name: str, it: Spreads, starts: Sequence[datetime]) -> dict[str, Any]:
    """The series of one region."""
    return {
        "region": name,
        "summary": _spread(it.summary),
        "data": [
            {"received_at": begin, **_spread(it.buckets.get(place, Latency()))} for place, begin in enumerate(starts)
        ],
    }


def _spread(it: Latency) -> dict[str, Any]:
    return {"response_time": it.times(), "checks": it.checks, "failures": it.failures}


@routes.get("/v1/resource/{id}/state-changed-logs", responses=shows(LOGS))
async def state_changed_logs(id: Id, read: Reading, range_: Ranged, limit: Limited = 100) -> Response:  # noqa: A002
    """State changes with their reasons, newest first (A24); without dates, all of them.

    `duration_seconds` (our extension) is how long the state lasted; null for the current one.
    """
    it = await read.owned("resource", id)
    rows = await read.changes(it, range_.asked_start, range_.asked_end, limit)
    return answer({"data": [state_change(row) for row in rows]})


@routes.get("/v1/resource/{id}/notifications", responses=shows({"data": [NOTIFICATION]}))
async def notifications(id: Id, read: Reading, limit: Limited = 100) -> Response:  # noqa: A002
    """Notifications about a monitor, newest first, with every delivery attempt (our extension)."""
    found = await read.notifications(await read.owned("resource", id), limit)
    return answer({"data": [notification(it, sent_as) for it, sent_as in found]})
