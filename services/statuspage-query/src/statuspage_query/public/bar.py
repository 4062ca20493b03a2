"""The bar of a component's last days: what to draw of it, and what to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pinghome_common.events.statuspage import ComponentStatus
from statuspage_query.statuses import Span

PITCH, HEIGHT, CUT = 4, 28, 20
"""Units from one day to the next, of which the style sheet draws three; a bar's foot; where an outage's bar is cut."""

_SHAPES = {
    ComponentStatus.operational: "ok",
    ComponentStatus.degraded: "degraded",
    ComponentStatus.partial_outage: "partial",
    ComponentStatus.major_outage: "major",
    ComponentStatus.unavailable: "major",
    ComponentStatus.maintenance: "maintenance",
    ComponentStatus.unknown: "unknown",
}
"""How days are drawn: in colours, and in heights that can be told apart without them."""


@dataclass(frozen=True, slots=True)
class Line:
    """What there is to say of one day, or of consecutive days that are alike; `first` and `last` count from 0."""

    first: int
    last: int
    since: str
    until: str
    status: ComponentStatus
    downtime: float


def shape(status: ComponentStatus) -> str:
    """The name of what a status looks like, everywhere on a page."""
    return _SHAPES[status]


def strokes(days: Sequence[tuple[str, Span]]) -> list[tuple[str, str]]:
    """The SVG paths of a bar, one for each shape: a dashed line through each run of days.

    The bar of a day with an outage is cut, so that it looks like an exclamation mark.
    """
    found: dict[str, str] = {}
    for name, run in groupby(enumerate(days), lambda day: shape(day[1][1].status)):
        places = [place for place, _ in run]
        begin, end = PITCH * places[0], PITCH * places[-1] + 3
        found[name] = found.get(name, "") + f"M{begin} {HEIGHT}H{end}"
        if name in ("partial", "major"):
            found["cut"] = found.get("cut", "") + f"M{begin} {CUT}H{end}"
    if "cut" in found:
        found["cut"] = found.pop("cut")  # over the others
    return list(found.items())


def lines(days: Sequence[tuple[str, Span]]) -> list[Line]:
    """What there is to say of the days, newest first; nothing of those that were well."""
    found: list[Line] = []
    for place, (date, each) in enumerate(days):
        last = found[-1] if found else None
        if each.status is ComponentStatus.operational and not each.downtime:
            continue
        if last and last.last == place - 1 and last.status is each.status and not last.downtime and not each.downtime:
            found[-1] = Line(last.first, place, last.since, date, each.status, 0.0)
        else:
            found.append(Line(place, place, date, date, each.status, each.downtime))
    return found[::-1]
