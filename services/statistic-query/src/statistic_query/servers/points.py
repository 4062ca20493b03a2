"""Reads the points of a server: single samples with their rates, or rollups."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from pinghome_common.clock import micros
from pinghome_common.db import Connection, Database
from pinghome_common.rates import LONGEST_GAP, Counters
from statistic_query.owned import Owned
from statistic_query.servers.figures import COLUMNS, WIDTHS, Name, unpack
from statistic_query.servers.names import known
from statistic_query.servers.rollups import LEVELS, STEPS, unpack_stats
from statistic_query.servers.settings import Settings, decode
from statistic_query.servers.stats import Stats, together
from statistic_query.servers.thinning import Peaks, Point

INTERVALS = dict(zip(("minute", "hour", "day"), zip(LEVELS, STEPS, strict=True), strict=True))
"""The table and the length of each rollup."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before this there are no points."""


class Span(NamedTuple):
    """The statistics of a span of time by name of the mount, disk or interface; those of the host have an empty one."""

    at: datetime
    stats: Mapping[str, Stats]


class Points:
    """Reads the points of servers."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def settings(self, it: Owned) -> Settings:
        """What pictures need of a server's settings."""
        return decode(await self._db.fetchval("SELECT settings::text FROM monitor WHERE id = $1", it.id) or "{}")

    async def samples(self, it: Owned, type_: str, start: datetime, end: datetime, limit: int) -> list[Point]:
        """At most `limit` samples of `[start, end)` as `Peaks` keeps them, ascending; counters are rates."""
        start, column = max(start, EARLIEST), COLUMNS[type_]
        async with self._db.transaction() as tx:
            names = await known(tx, it.id, type_)
            if not names:
                return []
            within = f"FROM sample WHERE server = $1 AND at >= $2 AND at < $3 AND {column} IS NOT NULL"
            peaks = Peaks(await tx.fetchval(f"SELECT count(*) {within}", it.id, start, end), limit, WIDTHS[type_])
            counters = Counters()
            statement = f"SELECT at, every, figures, {column} {within} ORDER BY at"  # our own names
            before = start - timedelta(seconds=LONGEST_GAP)
            async for row in tx.cursor(statement, it.id, before, end, prefetch=500):
                figures = unpack(row["figures"], {type_: row[column]}, names)
                rates = counters.rates(micros(row["at"]), row["every"], figures)
                values = {it.name: it.values for it in rates if any(value is not None for value in it.values)}
                if row["at"] >= start and values:
                    peaks.add(Point(row["at"], values))
        return peaks.points()

    async def spans(
        self, it: Owned, type_: str, interval: str, start: datetime, end: datetime, limit: int
    ) -> tuple[list[Span], timedelta]:
        """At most `limit` minutes, hours or days that overlap `[start, end)`, ascending, and their length.

        Where there are more, so many are put together that the length of each is a multiple of the interval: averages,
        minima, maxima and last values stay exact, and no peak is lost.
        """
        table, step = INTERVALS[interval]
        column = COLUMNS[type_]
        start = max(start, EARLIEST)
        start -= (start - EARLIEST) % step
        within = f"FROM {table} WHERE server = $1 AND at >= $2 AND at < $3 AND {column} IS NOT NULL"
        statement = f"SELECT at, figures, counts, {column} {within} ORDER BY at"
        async with self._db.transaction() as tx:
            names = await known(tx, it.id, type_)
            rows = await tx.fetch(f"{statement} LIMIT $4", it.id, start, end, limit + 1)
            if len(rows) <= limit:
                return [Span(row["at"], _stats(row, type_, column, names)) for row in rows], step
            first = rows[0]["at"]
            last = await tx.fetchval(f"SELECT max(at) {within}", it.id, start, end)
            length = step * -((first - last - step) // (step * limit))
            found = await _grouped(tx, (statement, it.id, start, end), length, (type_, column, names))
        return found, length


async def _grouped(
    tx: Connection, query: tuple[str, UUID, datetime, datetime], length: timedelta, of: tuple[str, str, dict[int, Name]]
) -> list[Span]:
    found: list[Span] = []
    group: dict[str, list[Stats]] = {}
    begin: datetime | None = None
    async for row in tx.cursor(*query, prefetch=500):
        if begin is None or row["at"] >= begin + length:
            if begin is not None:
                found.append(Span(begin, {name: together(parts) for name, parts in group.items()}))
            first = begin or row["at"]
            begin = first + (row["at"] - first) // length * length
            group = defaultdict(list)
        for name, stats in _stats(row, *of).items():
            group[name].append(stats)
    if begin is not None:
        found.append(Span(begin, {name: together(parts) for name, parts in group.items()}))
    return found


def _stats(row: Any, type_: str, column: str, names: Mapping[int, Name]) -> dict[str, Stats]:
    found = unpack_stats(row["figures"], row["counts"], {type_: row[column]}, names)
    return {name: stats for (_, name), stats in found.items()}
