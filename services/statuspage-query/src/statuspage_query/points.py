"""Points of custom metrics: the minutes of a day in one row, kept 90 days, with its hours, which stay (decision 20)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import isfinite
from uuid import UUID

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.events.page_metric import Rollup
from pinghome_common.events.point import Points
from pinghome_common.items import Item
from pinghome_common.worker import Worker

KEPT = timedelta(days=90)
MINUTES, HOURS = 1440, 24
HOUR = MINUTES // HOURS

_EPOCH = date(1970, 1, 1)


@dataclass(slots=True)
class Day:
    """A UTC day of one metric: the value of each minute, None where there is none, and the figures of its hours."""

    minutes: list[float | None] = field(default_factory=lambda: [None] * MINUTES)
    counts: list[int] = field(default_factory=lambda: [0] * HOURS)
    sums: list[float] = field(default_factory=lambda: [0.0] * HOURS)
    least: list[float] = field(default_factory=lambda: [0.0] * HOURS)
    most: list[float] = field(default_factory=lambda: [0.0] * HOURS)
    touched: set[int] = field(default_factory=set)

    def count_up(self) -> None:
        """Computes the figures of the hours in which minutes have changed."""
        for hour in self.touched:
            known = [each for each in self.minutes[hour * HOUR : (hour + 1) * HOUR] if each is not None]
            self.counts[hour], self.sums[hour] = len(known), sum(known)
            self.least[hour], self.most[hour] = min(known), max(known)


async def store(tx: Connection, items: list[Item]) -> None:
    """Puts points into the minutes of their days, each in place of what was there.

    Days are read, changed and written back without a lock: only the projection that `tx` belongs to writes them. Points
    come only of metrics that there were; those of metrics that have gone meanwhile are left out.

    Raises:
        ValueError: what arrived are no points.
    """
    today = (now().date() - _EPOCH).days
    kept = range(today - KEPT.days + 1, today + 2)
    found: list[tuple[UUID, Points]] = [(UUID(bytes=item.value.metric), item.value) for item in items]
    gone = {row["metric"] for row in await tx.fetch(_GONE, list({metric for metric, _ in found}))}
    alive = [each for each in found if each[0] not in gone]
    keys = {(metric, day) for metric, it in alive for day in _days_of(it) if day in kept}
    days = await _read(tx, keys)
    for metric, it in alive:
        for minute, value in it.unpacked():
            number, place = divmod(minute, MINUTES)
            if day := days.get((metric, number)):
                if not isfinite(value):
                    raise ValueError(f"{value} is no value")
                day.minutes[place] = value
                day.touched.add(place // HOUR)
    for day in days.values():
        day.count_up()
    rows = [
        (metric, _EPOCH + timedelta(days=number), it.minutes, it.counts, it.sums, it.least, it.most)
        for (metric, number), it in days.items()
    ]
    await tx.executemany(_DAY, rows)


def _days_of(it: Points) -> set[int]:
    """The days that points are in, since 1970."""
    return {minute // MINUTES for minute, _ in it.unpacked()}


async def _read(tx: Connection, keys: set[tuple[UUID, int]]) -> dict[tuple[UUID, int], Day]:
    found = {key: Day() for key in keys}
    if found:
        metrics, numbers = zip(*keys, strict=True)
        for row in await tx.fetch(_DAYS, metrics, [_EPOCH + timedelta(days=number) for number in numbers]):
            _, _, minutes, *hours = row
            found[row["metric"], (row["day"] - _EPOCH).days] = Day(minutes, *hours)
    return found


async def forget(tx: Connection, metric: UUID) -> None:
    """Deletes the points of a metric that is deleted; what comes late of it is left out."""
    await tx.execute("INSERT INTO point_gone VALUES ($1) ON CONFLICT DO NOTHING", metric)
    await tx.execute("DELETE FROM point_day WHERE metric = $1", metric)


def rolled_up(
    how: Rollup, counts: Sequence[int], sums: Sequence[float], least: Sequence[float], most: Sequence[float]
) -> float | None:
    """What a rollup makes of some hours; None when they have no points."""
    with_points = [place for place, count in enumerate(counts) if count]
    if not with_points:
        return None
    match how:
        case Rollup.sum:
            return sum(sums[place] for place in with_points)
        case Rollup.minimum:
            return min(least[place] for place in with_points)
        case Rollup.maximum:
            return max(most[place] for place in with_points)
    mean = sum(sums[place] for place in with_points) / sum(counts[place] for place in with_points)
    return float(round(mean)) if how is Rollup.rounded_mean else mean


class Retention(Worker):
    """Deletes each hour the minutes of days that are too old."""

    lock = "points"
    every = 3600.0
    resident = False

    async def round(self, connection: Connection) -> bool:
        """Deletes some of what is too old now."""
        done: str = await connection.execute(_THIN, (now() - KEPT).date())
        return done != "UPDATE 0"


_GONE = "SELECT metric FROM point_gone WHERE metric = ANY($1::uuid[])"

_DAYS = """
SELECT metric, day, minutes, counts, sums, least, most FROM point_day
JOIN unnest($1::uuid[], $2::date[]) AS keys (metric, day) USING (metric, day) WHERE minutes IS NOT NULL
"""

_DAY = """
INSERT INTO point_day VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (metric, day) DO UPDATE SET (minutes, counts, sums, least, most) = ($3, $4, $5, $6, $7)
"""

_THIN = """
UPDATE point_day SET minutes = NULL WHERE (metric, day) IN (
    SELECT metric, day FROM point_day WHERE minutes IS NOT NULL AND day < $1 LIMIT 1000
)
"""
