"""Figures of servers: contract A30 and G, pinghome-monitoring.txt lines 1143 to 1170."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Depends, Query, Request, Response

from pinghome_common.dialects.pinghome import Authorized, Router, answer, encode
from pinghome_common.dialects.pinghome_alerts import NOTIFICATION, notification
from pinghome_common.dialects.pinghome_documents import shows
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.metric import FIELDS
from statistic_query.api.pinghome.dependencies import Limited, Ranged, Reading, telemetry_applied
from statistic_query.api.pinghome.state_change import LOGS, state_change
from statistic_query.servers.chart.draw import Kept, draw
from statistic_query.servers.chart.picture import Theme
from statistic_query.servers.figures import WIDTHS, Packed, Values, hour_sent, read_sent, size_sent
from statistic_query.servers.points import EARLIEST, Points, Spans
from statistic_query.servers.stats import TIMES

routes = Router(tags=["Servers"])

Type = Literal[
    "cpu-total-usage",
    "memory-usage",
    "disk-io-unified",
    "disk-usage-unified",
    "system-load-unified",
    "swap-usage",
    "network-usage-unified",
]
Interval = Literal["on-demand", "minute", "hour", "day"]
assert set(Type.__args__) == set(FIELDS)  # type: ignore[attr-defined]  # noqa: S101

_NETWORK = {"received_bytes": 18204.5, "sent_bytes": 5210.1, "received_errors": 0.0, "sent_errors": 0.0}
METRICS = {
    "type": "network-usage-unified",
    "interval": "on-demand",
    "data": [{"received_at": "2023-04-03T21:00:10Z", "values": _NETWORK, "by": {"eth0": _NETWORK}}],
}
PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/svg+xml": {}}}}
CHANGES = {"data": [LOGS["data"][0] | {"reason": "silent since 21:11:35", "status_code": None, "region": None}]}


class Picture(Response):
    """SVG that may not load or run anything, wherever it is shown."""

    media_type = "image/svg+xml"

    def __init__(self, content: str, status_code: int = 200) -> None:
        policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        super().__init__(
            content, status_code, headers={"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff"}
        )


class Statistic(msgspec.Struct, gc=False):
    """What a value was in a span of time; an answer may have some thousands."""

    avg: float | None
    min: float | None
    max: float | None
    last: float | None


async def _points(request: Request) -> Points:
    return Points(request.app.state.db)


Pointed = Annotated[Points, Depends(_points)]
Typed = Annotated[Type, Query(examples=["cpu-total-usage"])]


@routes.get("/v1/server-resource/{id}/metrics", responses=shows(METRICS))
async def metrics(
    request: Request,
    caller: Authorized,
    id: Id,  # noqa: A002  # the document's word
    type: Typed,  # noqa: A002
    read: Reading,
    points: Pointed,
    range_: Ranged,
    limit: Limited = 1000,
    interval: Annotated[Interval, Query(examples=["on-demand"])] = "on-demand",
) -> Response:
    """Points of one metric type, ascending (A30): single samples, or the statistics of minutes, hours or days.

    `values` are those of the host, `by` those of each mount, disk or interface (single samples and minutes). In
    minutes, hours and days each value is `{avg, min, max, last}`. If there are more points than `limit`, samples are
    thinned so that the minimum and the maximum of each field and stretch of time stay; minutes, hours and days are put
    together. `received_at` is the time of the sample by the server's clock, or the beginning of the minute, hour or
    day; these follow a sample within seconds.
    """
    it = await read.owned("server_resource", id)
    document = _DOCUMENTS[type]
    if interval == "on-demand":
        await telemetry_applied(request, caller)  # rollups follow later anyway
        samples = await points.samples(it, type, range_.start, range_.end, limit)
        data: Any = [_sampled(at, values, document) for at, values in samples]
    else:
        found = await points.rolled_up(it, type, interval, range_.start, range_.end, limit)
        if isinstance(found, bytes):
            return _sent(type, interval, found)
        data = _rolled_up(found, document)
    return answer({"type": type, "interval": interval, "data": data})


class _Point(msgspec.Struct, gc=False, omit_defaults=True):
    """One line of an answer."""

    received_at: datetime
    values: Any
    by: dict[str, Any] | None = None


_DOCUMENTS = {
    type_: msgspec.defstruct("Fields", [(field, Any, None) for field in fields], gc=False)
    for type_, fields in FIELDS.items()
}
"""The document of each type, with null for what there is not."""


def _sent(type_: Type, interval: Interval, sent: bytes) -> Response:
    """An answer of hours or days, which the same charts ask for again and again: each part is encoded once."""
    size = size_sent(WIDTHS[type_] * TIMES)
    # A part begins at the same hours wherever a chart does, so that the parts of one that has moved on are known.
    first = (PART - (hour_sent(sent) if sent else 0) % PART) * size
    ends = [*range(first, len(sent), PART * size), len(sent)]
    pieces = [b'{"type":"%b","interval":"%b","data":[' % (type_.encode(), interval.encode())]
    for begin, end in pairwise([0, *ends]):
        pieces += _lines(type_, sent[begin:end]), b","
    pieces[-1] = b"]}"
    return Response(b"".join(pieces), media_type="application/json")  # copied once: these are hundreds of kilobytes


PART = 24
"""Lines that are encoded and kept together."""


@lru_cache(700)
def _lines(type_: Type, sent: bytes) -> bytes:
    """Some lines of an answer (about 25 KB each are kept)."""
    document = _DOCUMENTS[type_]
    points = (_Point(at, _statistics(packed, document)) for at, packed in read_sent(sent, WIDTHS[type_] * TIMES))
    return b",".join(map(encode, points))


def _sampled(at: datetime, values: Mapping[str, Values], document: Callable[..., Any]) -> _Point:
    by = {name: document(*each) for name, each in values.items() if name}
    return _Point(at, document(*values.get("", ())), by or None)


def _statistics(packed: Packed | None, document: Callable[..., Any]) -> Any:
    if packed is None:
        return document()
    width = len(packed) // TIMES
    averages, minima, maxima = packed[:width], packed[width : 2 * width], packed[2 * width : 3 * width]
    return document(*map(Statistic, averages, minima, maxima, packed[3 * width :]))


def _rolled_up(spans: Spans, document: Callable[..., Any]) -> list[_Point]:
    host = spans.packed.get("", [None] * len(spans.times))
    points = [_Point(at, _statistics(each, document)) for at, each in zip(spans.times, host, strict=True)]
    for name, column in spans.packed.items():
        for point, each in zip(points, column if name else (), strict=False):
            if each:
                point.by = (point.by or {}) | {name: _statistics(each, document)}
    return points


@routes.get(
    "/v1/server-resource/{id}/metrics.svg",
    responses=PICTURE,
    response_class=Response,
    dependencies=[Depends(telemetry_applied)],
)
async def chart(
    request: Request,
    id: Id,  # noqa: A002
    type: Typed,  # noqa: A002
    read: Reading,
    points: Pointed,
    range_: Ranged,
    theme: Theme = "auto",
    width: Annotated[int, Query(ge=320, le=2000, description="pixels")] = 800,
    interval: Annotated[Interval | None, Query(description="default: what suits the time")] = None,
) -> Response:
    """A chart of one metric type as SVG, without dates of the last 24 hours, in the server's time zone (our extension).

    It shows averages and, where minutes and longer are put together, the range from minimum to maximum; gaps where
    there are no samples; thresholds of the type that have a place on its axis. `auto` follows the reader's theme.
    """
    it = await read.owned("server_resource", id)
    start, end = max(range_.start, EARLIEST), range_.end
    if start >= end:
        raise Invalid(FieldError("end_date", "must be after start_date"))
    settings = request.app.state.settings
    kept = Kept(settings.metrics_raw_kept_days, settings.metrics_minutes_kept_days)
    return Picture(await draw(points, it, type, (start, end), interval, kept, width, theme))


@routes.get("/v1/server-resource/{id}/state-changed-logs", responses=shows(CHANGES))
async def state_changed_logs(id: Id, read: Reading, range_: Ranged, limit: Limited = 100) -> Response:  # noqa: A002
    """State changes with their reasons, newest first; without dates, all of them (our extension)."""
    it = await read.owned("server_resource", id)
    rows = await read.changes(it, range_.asked_start, range_.asked_end, limit)
    return answer({"data": [state_change(row) for row in rows]})


@routes.get("/v1/server-resource/{id}/notifications", responses=shows({"data": [NOTIFICATION]}))
async def notifications(id: Id, read: Reading, limit: Limited = 100) -> Response:  # noqa: A002
    """Notifications about a server, newest first, with every delivery attempt (our extension)."""
    found = await read.notifications(await read.owned("server_resource", id), limit)
    return answer({"data": [notification(it, sent_as) for it, sent_as in found]})
