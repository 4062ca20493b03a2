"""What a component shows, now and in the past: the one engine of every percentage of a status page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from pinghome_common.events.statuspage import ComponentStatus as Status
from pinghome_common.uptime import percentage

_OF_FOLLOWED = {
    "up": Status.operational,
    "running": Status.operational,
    "late": Status.operational,
    "down": Status.major_outage,
    "maintenance": Status.maintenance,
}

WEIGHTS = {
    Status.operational: 0.0,
    Status.degraded: 0.0,
    Status.partial_outage: 0.3,
    Status.major_outage: 1.0,
    Status.unavailable: 1.0,
}
"""How much of its time in a status a component counts as down; time in the others is not counted at all."""

_WORST = (
    Status.major_outage, Status.unavailable, Status.partial_outage, Status.degraded,
    Status.maintenance, Status.operational, Status.unknown,
)  # fmt: skip


def of_followed(status: str) -> Status:
    """What the state of a monitor, heartbeat or server means for a component that follows it."""
    return _OF_FOLLOWED.get(status, Status.unknown)


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of some; unknown when there are none."""
    return min(statuses, key=_WORST.index, default=Status.unknown)


def shown(manual: Status, followed: Status | None) -> Status:
    """What a component shows: what was set by hand, which `operational` undoes, else what it follows."""
    return manual if manual is not Status.operational or followed is None else followed


@dataclass(frozen=True, slots=True)
class Since:
    """A status from a time on."""

    at: datetime
    status: Status


def timeline(manual: Sequence[Since], followed: Sequence[Since] | None) -> list[Since]:
    """What a component showed over time, each change once.

    Args:
        manual: what was set by hand, ascending.
        followed: the states of what it follows, ascending; None when it follows nothing. What was before the
            component counts, too.
    """
    hand, state = Status.operational, None if followed is None else Status.unknown
    found: list[Since] = []
    changes = [(each.at, 0, each.status) for each in manual] + [(each.at, 1, each.status) for each in followed or ()]
    for at, kind, status in sorted(changes, key=lambda change: change[:2]):
        if kind:
            state = status
        else:
            hand = status
        now = shown(hand, state)
        if found and found[-1].at == at:
            found.pop()
        if not found or found[-1].status is not now:
            found.append(Since(at, now))
    return found


@dataclass(frozen=True, slots=True)
class Span:
    """How a component was in a time span: the percentage, weighed seconds down, and its worst status."""

    uptime: float | None
    downtime: float
    status: Status


def span(changes: Sequence[Since], start: datetime, end: datetime) -> Span:
    """How a component was in `[start, end)`; `end` is at most now."""
    known = down = 0.0
    seen = []
    for place, each in enumerate(changes):
        until = changes[place + 1].at if place + 1 < len(changes) else end
        seconds = (min(until, end) - max(each.at, start)).total_seconds()
        if seconds > 0:
            seen.append(each.status)
            if (weight := WEIGHTS.get(each.status)) is not None:
                known += seconds
                down += weight * seconds
    return Span(percentage(known - down, known), down, worst(seen))


def days(changes: Sequence[Since], count: int, zone: ZoneInfo, now: datetime) -> list[tuple[str, Span]]:
    """The last days of a time zone with today, ascending, each from midnight to midnight."""
    today = now.astimezone(zone).date()
    found = []
    for back in range(count - 1, -1, -1):
        date = today - timedelta(days=back)
        start, end = (datetime.combine(date + timedelta(days=more), time(), zone) for more in (0, 1))
        found.append((date.isoformat(), span(changes, start, min(end, now))))
    return found
