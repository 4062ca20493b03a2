"""Reads the points of a server: single samples with their rates, or rollups."""

from collections import defaultdict
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from pinghome_common.clock import micros
from pinghome_common.db import Database
from pinghome_common.rates import LONGEST_GAP, Counters
from statistic_query.owned import Owned
from statistic_query.servers.figures import COLUMNS, WIDTHS, Name, Packed, read_sent, size_sent, unpack
from statistic_query.servers.names import known
from statistic_query.servers.rollups import LEVELS, STEPS, unpack_stats
from statistic_query.servers.settings import Settings, decode
from statistic_query.servers.stats import TIMES, Stats, together
from statistic_query.servers.thinning import Peaks, Point

INTERVALS = dict(zip(("minute", "hour", "day"), zip(LEVELS, STEPS, strict=True), strict=True))
"""The table and the length of each rollup."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before this there are no points."""


class Spans(NamedTuple):
    """The statistics of spans of time that are `length` long: when each begins, and what there is of each by name.

    The name is that of a mount, disk or interface, or empty for the host. Statistics are packed: the averages of all
    fields, then their minima, maxima and last values; None where a span has nothing of a name.
    """

    times: Sequence[datetime]
    packed: Mapping[str, Sequence[Packed | None]]
    length: timedelta


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

    async def spans(self, it: Owned, type_: str, interval: str, start: datetime, end: datetime, limit: int) -> Spans:
        """What `rolled_up` says, read."""
        found = await self.rolled_up(it, type_, interval, start, end, limit)
        if isinstance(found, Spans):
            return found
        times, packed = zip(*read_sent(found, WIDTHS[type_] * TIMES), strict=True) if found else ((), ())
        return Spans(times, {"": packed} if packed else {}, INTERVALS[interval][1])

    async def rolled_up(
        self, it: Owned, type_: str, interval: str, start: datetime, end: datetime, limit: int
    ) -> Spans | bytes:
        """At most `limit` minutes, hours or days that overlap `[start, end)`, ascending.

        Hours and days, which are of the host only, are as PostgreSQL sends them (`read_sent`). Where there are more
        than `limit`, so many are put together that the length of each is a multiple of the interval: averages, minima,
        maxima and last values stay exact, and no peak is lost.
        """
        table, step = INTERVALS[interval]
        column = COLUMNS[type_]
        start = max(start, EARLIEST)
        start -= (start - EARLIEST) % step
        within = f"FROM {table} WHERE server = $1 AND at >= $2 AND at < $3 AND {column} IS NOT NULL"
        args: tuple[object, ...] = it.id, start, end
        read: Callable[[Any], dict[str, Stats]]
        async with self._db.connection() as connection:
            if interval == "minute":
                names = await known(connection, it.id, type_)
                statement = f"SELECT at, figures, counts, {column} {within} ORDER BY at"
                read = partial(_of_names, type_, column, names)
                rows = await connection.fetch(f"{statement} LIMIT {limit + 1}", *args)
                if len(rows) <= limit:
                    return _columns([(row["at"], read(row)) for row in rows], step)
            else:
                sent = await connection.fetchval(_ALL.format(column, f"{within} ORDER BY at LIMIT {limit + 1}"), *args)
                size = size_sent(WIDTHS[type_] * TIMES)
                if len(sent) <= limit * size:
                    return bytes(sent)
                args = *args, type_
                statement = f"SELECT at, {_SAMPLES} AS samples, {column} AS values {within} ORDER BY at"
                read = _of_host
            first, last = await connection.fetchrow(f"SELECT min(at), max(at) {within}", *args[:3])
            length = step * -((first - last - step) // (step * limit))
            async with connection.transaction():
                cursor = connection.cursor(statement, *args, prefetch=500)
                return _columns([span async for span in _grouped(cursor, length, read)], length)


def _columns(found: Sequence[tuple[datetime, Mapping[str, Stats]]], length: timedelta) -> Spans:
    packed: dict[str, list[Packed | None]] = defaultdict(lambda: [None] * len(found))
    for place, (_, stats) in enumerate(found):
        for name, each in stats.items():
            packed[name][place] = each.packed
    return Spans([at for at, _ in found], packed, length)


async def _grouped(
    rows: AsyncIterable[Any], length: timedelta, read: Callable[[Any], dict[str, Stats]]
) -> AsyncIterator[tuple[datetime, dict[str, Stats]]]:
    """Spans put together; the first one begins with the first row."""
    group: dict[str, list[Stats]] = {}
    begin: datetime | None = None
    async for row in rows:
        if begin is None or row["at"] >= begin + length:
            if begin is not None:
                yield begin, {name: together(parts) for name, parts in group.items()}
            first = begin or row["at"]
            begin = first + (row["at"] - first) // length * length
            group = defaultdict(list)
        for name, stats in read(row).items():
            group[name].append(stats)
    if begin is not None:
        yield begin, {name: together(parts) for name, parts in group.items()}


def _of_names(type_: str, column: str, names: Mapping[int, Name], row: Any) -> dict[str, Stats]:
    found = unpack_stats(row["figures"], row["counts"], {type_: row[column]}, names)
    return {name: stats for (_, name), stats in found.items()}


def _of_host(row: Any) -> dict[str, Stats]:
    """Hours and days are of the host only."""
    return {"": Stats(row["samples"], row["values"])}


# One row for all: hundreds of rows cost the driver more than what is in them.
_ALL = (
    "SELECT coalesce(string_agg(sent, ''), '')"
    " FROM (SELECT timestamptz_send(at) || array_send(array_replace({0}, NULL, 'NaN')) AS sent {1}) spans"
)
_SAMPLES = "counts[array_position(figures, (SELECT id FROM metric_name WHERE server = $1 AND type = $4 AND name = ''))]"
