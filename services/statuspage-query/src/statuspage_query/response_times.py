"""Response times of the monitors that pages show: five-minute averages, those of a day in one row, kept 90 days."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import isfinite
from uuid import UUID

from pinghome_common.clock import from_micros, now
from pinghome_common.db import Connection
from pinghome_common.events.probe import Result, Verdict
from pinghome_common.events.statuspage import Component, Followed
from pinghome_common.items import Item

EVERY = timedelta(minutes=5)
PLACES = timedelta(days=1) // EVERY
KEPT = timedelta(days=90)


def monitor_of(it: Component) -> UUID | None:
    """The monitor whose response times a component shows; None when it is hidden, or follows none."""
    return it.resource_id if it.showcased and it.type is Followed.resource else None


def place_of(at: datetime) -> int:
    """Which five minutes of its day a time is in, from 0."""
    return (at.hour * 60 + at.minute) // 5


@dataclass(slots=True)
class _Day:
    sums: list[float] = field(default_factory=lambda: [0.0] * PLACES)
    counts: list[int] = field(default_factory=lambda: [0] * PLACES)


async def store(tx: Connection, items: list[Item]) -> None:
    """Adds results of monitors that are shown to their five minutes, each once.

    Days are read, changed and written back without a lock: only the projection that `tx` belongs to writes them. A
    region's results come in the order of their slots; the few that others have overtaken are left out, and so is what
    is repeated.

    Raises:
        ValueError: a response time is no duration.
    """
    shown = await _shown(tx, {item.value.resource for item in items})
    arrived = [item for item in items if item.value.resource in shown and _timed(item.value)]
    if not arrived:
        return
    newest = await _newest(tx, {(item.value.resource, item.sender) for item in arrived})
    oldest, latest = now() - KEPT, now() + EVERY
    fresh = []
    for item in arrived:
        it: Result = item.value
        at, key = from_micros(it.slot), (it.resource, item.sender)
        if oldest < at < latest and it.slot > newest.get(key, 0):
            newest[key] = it.slot
            fresh.append((it.resource, at, it.phases.total))
    days = await _days(tx, {(monitor, at.date()) for monitor, at, _ in fresh})
    for monitor, at, milliseconds in fresh:
        day, place = days[monitor, at.date()], place_of(at)
        day.sums[place] += milliseconds
        day.counts[place] += 1
    rows = [(*key, it.sums, it.counts, sum(it.sums), sum(it.counts)) for key, it in days.items()]
    await tx.executemany(_DAY, rows)
    await tx.executemany(_NEWEST, [(*key, slot) for key, slot in newest.items()])


def _timed(it: Result) -> bool:
    """Whether a result has a response time: only answers are timed, and the prober's own failures say nothing."""
    if it.verdict in (Verdict.probe_error, Verdict.blocked):
        return False
    if it.verdict is Verdict.target_fail and it.status_code is None:
        return False
    if not isfinite(it.phases.total) or it.phases.total < 0:
        raise ValueError(f"{it.phases.total} is no response time")
    return True


async def _shown(tx: Connection, monitors: set[UUID]) -> set[UUID]:
    """Those that a component of their own organisation shows, or a metric."""
    return {row["monitor"] for row in await tx.fetch(_SHOWN, list(monitors))}


async def _newest(tx: Connection, keys: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], int]:
    monitors, regions = zip(*keys, strict=True)
    return {(row["monitor"], row["region"]): row["slot"] for row in await tx.fetch(_NEWEST_OF, monitors, regions)}


async def _days(tx: Connection, keys: set[tuple[UUID, date]]) -> dict[tuple[UUID, date], _Day]:
    found = {key: _Day() for key in keys}
    if found:
        for row in await tx.fetch(_DAYS, *zip(*keys, strict=True)):
            found[row["monitor"], row["day"]] = _Day(row["sums"], row["counts"])
    return found


# `followed` is asked for the same ids, or a plan for very many of them reads it whole.
_SHOWN = """
SELECT c.monitor FROM component c JOIN followed f ON f.id = c.monitor
WHERE c.monitor = ANY($1::uuid[]) AND f.id = ANY($1::uuid[])
    AND f.organisation = (SELECT organisation FROM statuspage WHERE id = c.page)
UNION SELECT m.id FROM metric m JOIN followed f ON f.id = m.id
WHERE m.id = ANY($1::uuid[]) AND f.id = ANY($1::uuid[]) AND (m.state->>'shows_response_time')::boolean
"""

_NEWEST_OF = """
SELECT * FROM response_newest JOIN unnest($1::uuid[], $2::text[]) AS keys (monitor, region) USING (monitor, region)
"""

_NEWEST = "INSERT INTO response_newest VALUES ($1, $2, $3) ON CONFLICT (monitor, region) DO UPDATE SET slot = $3"

_DAYS = """
SELECT monitor, day, sums, counts FROM response_day
JOIN unnest($1::uuid[], $2::date[]) AS keys (monitor, day) USING (monitor, day)
"""

_DAY = """
INSERT INTO response_day VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (monitor, day) DO UPDATE SET (sums, counts, sum, count) = ($3, $4, $5, $6)
"""
