"""What a component shows, now and in the past: the one engine of every percentage of a status page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from pinghome_common.events.statuspage import ComponentStatus as Status
from pinghome_common.events.statuspage import shown, worst
from pinghome_common.uptime import percentage

WEIGHTS = {
    Status.operational: 0.0,
    Status.degraded: 0.0,
    Status.partial_outage: 0.3,
    Status.major_outage: 1.0,
    Status.unavailable: 1.0,
}
"""How much of its time in a status a component counts as down; time in the others is not counted at all."""


@dataclass(frozen=True, slots=True)
class Since:
    """A status from a time on."""

    at: datetime
    status: Status


@dataclass(frozen=True, slots=True)
class Given:
    """What an incident gives a component from a time on; None: nothing any more."""

    at: datetime
    incident: UUID
    status: Status | None


@dataclass(slots=True, kw_only=True)
class History:
    """All that a component's timeline is made of.

    `manual` is what was set by hand and `followed` the states of what it follows (None: nothing), both ascending; what
    was followed before `created_at` counts, all else does not. `maintained` are the beginnings and ends of its
    maintenance; None: it goes on.
    """

    created_at: datetime
    manual: list[Since] = field(default_factory=list)
    followed: list[Since] | None = None
    given: list[Given] = field(default_factory=list)
    maintained: list[tuple[datetime, datetime | None]] = field(default_factory=list)


def timeline(it: History) -> list[Since]:
    """What a component showed over time, each change once."""
    now = _Now(followed=None if it.followed is None else Status.unknown)
    found: list[Since] = []
    for at, change in sorted(_changes(it), key=lambda each: each[0]):
        now.take(change)
        status = shown(now.manual, now.followed, given=now.given.values(), maintained=now.maintained > 0)
        if found and found[-1].at == at:
            found.pop()
        if not found or found[-1].status is not status:
            found.append(Since(at, status))
    return found


@dataclass(frozen=True, slots=True)
class _ByHand:
    status: Status


def _changes(it: History) -> Iterator[tuple[datetime, "Since | _ByHand | Given | int"]]:
    yield from ((each.at, each) for each in it.followed or ())
    yield from ((each.at, _ByHand(each.status)) for each in it.manual)
    yield from ((max(each.at, it.created_at), each) for each in it.given)
    for start, end in it.maintained:
        yield max(start, it.created_at), 1
        if end is not None:
            yield max(end, it.created_at), -1


@dataclass(slots=True, kw_only=True)
class _Now:
    """What counts at one time; `maintained` is how much maintenance is in progress."""

    manual: Status = Status.operational
    followed: Status | None
    given: dict[UUID, Status] = field(default_factory=dict)
    maintained: int = 0

    def take(self, change: Since | _ByHand | Given | int) -> None:
        match change:
            case Since(_, status):
                self.followed = status
            case _ByHand(status):
                self.manual = status
            case Given(_, incident, None):
                self.given.pop(incident, None)
            case Given(_, incident, status):
                assert status  # noqa: S101  # or the case before
                self.given[incident] = status
            case int():
                self.maintained += change


@dataclass(frozen=True, slots=True)
class Span:
    """How a component was in a time span: the percentage, weighed seconds down, and its worst status."""

    uptime: float | None
    downtime: float
    status: Status


def span(changes: Sequence[Since], start: datetime, end: datetime, first: int = 0) -> Span:
    """How a component was in `[start, end)`, in UTC; `end` is at most now, no change before `first` lasts so long."""
    known = down = 0.0
    seen = []
    for place in range(first, len(changes)):
        each = changes[place]
        if each.at >= end:
            break
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
    found, first, last = [], 0, len(changes) - 1
    for name, start, end in _calendar(now.astimezone(zone).date(), count, zone):
        until = min(end, now)
        while first < last and changes[first + 1].at <= start:
            first += 1
        if changes and changes[first].at <= start and (first == last or changes[first + 1].at >= until):
            found.append((name, _whole(changes[first].status, (until - start).total_seconds())))
        else:
            found.append((name, span(changes, start, until, first)))
    return found


@lru_cache(maxsize=64)
def _calendar(today: date, count: int, zone: ZoneInfo) -> list[tuple[str, datetime, datetime]]:
    """The last days of a time zone with their midnights in UTC: a day may have 23 or 25 hours."""
    dates = [today - timedelta(days=back) for back in range(count - 1, -2, -1)]
    midnights = [datetime.combine(each, time(), zone).astimezone(UTC) for each in dates]
    return [(each.isoformat(), *of) for each, of in zip(dates[:-1], pairwise(midnights), strict=True)]


@lru_cache(maxsize=1024)
def _whole(status: Status, seconds: float) -> Span:
    """A time span in which nothing changed."""
    weight = WEIGHTS.get(status)
    down = seconds * (weight or 0.0)
    return Span(None if weight is None else percentage(seconds - down, seconds), down, status)
