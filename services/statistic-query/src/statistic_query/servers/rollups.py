"""The worker of the rollups: computes marked minutes, hours and days again, and deletes what servers leave behind."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from pinghome_common.clock import micros
from pinghome_common.db import Connection, Database, delete_in_batches
from pinghome_common.dead_letters import PARKED, DeadLetters
from pinghome_common.rates import LONGEST_GAP, Counters, longest_gap
from pinghome_common.worker import Worker
from statistic_query.partition import DAY, Partitions
from statistic_query.servers.figures import COLUMNS, Name, Values, columns_of, unpack
from statistic_query.servers.names import known
from statistic_query.servers.stats import TIMES, Stats, of_samples, together

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LEVELS = ("metric_minute", "metric_hour", "metric_day")
STEPS = (MINUTE, HOUR, DAY)

MARKS = (100, 10, 10)
"""Marks of one server, by level, that one transaction takes: of a back-fill, about 600 rows are read at once."""

SERVERS = 20
"""Servers in one transaction."""

Row = Any


class Rollups(Worker):
    """Each second the marked minutes, every ten seconds the marked hours and days: a late sample changes all three.

    A server that cannot be computed is a dead letter, and skipped for an hour.
    """

    lock: ClassVar[str] = "rollup"
    every: ClassVar[float] = 1.0
    resident = False

    def __init__(self, db: Database, partitions: Partitions, *, coarse_every: float = 10.0) -> None:
        super().__init__(db)
        self._partitions, self._coarse_every = partitions, coarse_every
        self._coarse_due = 0.0
        self._reached = [UUID(int=0)] * len(LEVELS)
        self._dead_letters = DeadLetters("rollup")

    async def due(self) -> bool:
        """Whether there are marked minutes, servers that were deleted, or the time of hours and days has come."""
        return time.monotonic() >= self._coarse_due or await self._db.fetchval(_ANY)

    async def round(self, connection: Connection) -> bool:
        """Computes what is marked; true if there is more."""
        await delete_left_behind(connection)
        more = await self._level(connection, 0)
        if time.monotonic() >= self._coarse_due:
            coarse = [await self._level(connection, level) for level in (1, 2)]
            if not any(coarse):
                self._coarse_due = time.monotonic() + self._coarse_every
            more |= any(coarse)
        return more

    async def _level(self, connection: Connection, level: int) -> bool:
        """Computes marks of the next servers, so that one with many cannot keep the others waiting."""
        rows = await connection.fetch(_MARKED, level, self._reached[level], SERVERS)
        self._reached[level] = rows[-1]["server"] if len(rows) == SERVERS else UUID(int=0)
        taken: dict[UUID, int] = {}

        async def work(tx: Connection, servers: list[UUID]) -> None:
            self._partitions.forget()  # one that was created may have been rolled back
            for server in servers:
                taken[server] = await compute(tx, level, server, self._partitions)

        if rows:
            await self._dead_letters.contain(connection, [row["server"] for row in rows], work)
        return len(rows) == SERVERS or MARKS[level] in taken.values()


async def compute(tx: Connection, level: int, server: UUID, partitions: Partitions) -> int:
    """Takes marks of a server's minutes (0), hours (1) or days (2), computes these, and marks what they are part of.

    Returns:
        How many marks were taken, at most `MARKS[level]`.
    """
    marks = [row["at"] for row in await tx.fetch(_TAKE, level, server, MARKS[level])]
    if not marks:
        return 0
    names = await known(tx, server)
    rows = []
    for span in _spans(marks, STEPS[level]):
        rows += await (_minutes(tx, server, span, names) if level == 0 else _coarser(tx, level, server, span, names))
    ids = {name: id_ for id_, name in names.items()}
    if level == 0:
        rows = [row for row in rows if partitions.keeps(LEVELS[0], row[0])]
        await partitions.create(tx, LEVELS[0], (at for at, _ in rows))
    await tx.executemany(_STORE.format(LEVELS[level]), [(server, at, *_packed(stats, ids)) for at, stats in rows])
    if level < 2:
        above = sorted({_floor(at, STEPS[level + 1]) for at, _ in rows})
        await tx.execute(_MARK, level + 1, server, above)
    return len(marks)


def _spans(marks: Sequence[datetime], step: timedelta) -> Iterator[list[datetime]]:
    """Marks in groups that are read together."""
    span: list[datetime] = []
    for at in marks:
        if span and at - span[-1] > 15 * step:
            yield span
            span = []
        span.append(at)
    yield span


async def _minutes(
    tx: Connection, server: UUID, span: Sequence[datetime], names: Mapping[int, Name]
) -> list[tuple[datetime, dict[Name, Stats]]]:
    """Marked minutes, and those of the samples after them, whose rates may have changed."""
    begin, end = span[0], span[-1] + MINUTE
    rows = await tx.fetch(_SAMPLES, server, begin, end)
    if not rows:
        return []
    gap = timedelta(seconds=longest_gap(max(row["every"] for row in rows) if all(row["every"] for row in rows) else 0))
    before = await tx.fetch(_SAMPLES, server, begin - gap, begin)
    following = await tx.fetchval(_FOLLOWING, server, end, end + timedelta(seconds=LONGEST_GAP))
    after = await tx.fetch(_SAMPLES, server, end, _floor(following, MINUTE) + MINUTE) if following else []
    every = sorted({_floor(row["at"], MINUTE) for row in (*rows, *after)})
    wanted = {*span, *(it for it, last in zip(every[1:], every, strict=False) if last in span)}
    counters = Counters()
    minutes: dict[datetime, dict[Name, list[Values]]] = defaultdict(lambda: defaultdict(list))
    for row in (*before, *rows, *after):
        figures = unpack(row["figures"], columns_of(row), names)
        found = counters.rates(micros(row["at"]), row["every"], figures)
        if (minute := _floor(row["at"], MINUTE)) in wanted:
            for it in found:
                minutes[minute][it.type, it.name].append(it.values)
    return [
        (minute, {name: stats for name, values in figures.items() if (stats := of_samples(values))})
        for minute, figures in minutes.items()
    ]


async def _coarser(
    tx: Connection, level: int, server: UUID, span: Sequence[datetime], names: Mapping[int, Name]
) -> list[tuple[datetime, dict[Name, Stats]]]:
    """Hours of minutes, or days of hours, of the host only."""
    step = STEPS[level]
    parts: dict[datetime, dict[Name, list[Stats]]] = defaultdict(lambda: defaultdict(list))
    for row in await tx.fetch(_PARTS.format(LEVELS[level - 1]), server, span[0], span[-1] + step):
        begin = _floor(row["at"], step)
        if begin in span:
            for name, stats in unpack_stats(row["figures"], row["counts"], columns_of(row), names).items():
                if not name[1]:
                    parts[begin][name].append(stats)
    return [(begin, {name: together(stats) for name, stats in found.items()}) for begin, found in parts.items()]


def unpack_stats(
    figures: Sequence[int], counts: Sequence[int], columns: Mapping[str, Values | None], names: Mapping[int, Name]
) -> dict[Name, Stats]:
    """The statistics in a row of a rollup, of those names and columns that are given."""
    count_of = dict(zip(figures, counts, strict=True))
    ids = [id_ for id_ in figures if id_ in names and columns.get(names[id_][0]) is not None]
    found = unpack(figures, columns, names, TIMES)
    return {(it.type, it.name): Stats(count_of[id_], it.values) for id_, it in zip(ids, found, strict=True)}


def _packed(stats: Mapping[Name, Stats], ids: Mapping[Name, int]) -> tuple[object, ...]:
    columns: dict[str, Values] = {}
    for (type_, _), it in stats.items():
        columns.setdefault(type_, []).extend(it.packed)
    figures, counts = [ids[name] for name in stats], [it.samples for it in stats.values()]
    return figures, counts, *(columns.get(type_) for type_ in COLUMNS)


def _floor(at: datetime, step: timedelta) -> datetime:
    return at - (at - datetime(1970, 1, 1, tzinfo=UTC)) % step


async def delete_left_behind(connection: Connection) -> None:
    """Deletes the points of deleted servers, in short transactions."""
    for row in await connection.fetch("SELECT server FROM deleted_server LIMIT 10"):
        partitions = await connection.fetch(_PARTITIONS)
        tables = [each["name"] for each in partitions]  # rows are deleted by place, which is not unique in the parents
        for table in ("metric_mark", *tables, "metric_hour", "metric_day", "metric_name"):
            await delete_in_batches(connection, table, "t.server = $1", row["server"])
        await connection.execute("DELETE FROM deleted_server WHERE server = $1", row["server"])


_PARKED = PARKED.format(worker="rollup", id="t.server")
_MARKED = (
    f"SELECT DISTINCT server FROM metric_mark t WHERE level = $1 AND server > $2 AND NOT {_PARKED}"  # noqa: S608
    " ORDER BY server LIMIT $3"
)

_ANY = f"""
SELECT EXISTS (SELECT FROM metric_mark t WHERE level = 0 AND NOT {_PARKED}) OR EXISTS (SELECT FROM deleted_server)
"""  # noqa: S608

_TAKE = """
WITH taken AS (
    DELETE FROM metric_mark WHERE (level, server, at) IN (
        SELECT level, server, at FROM metric_mark WHERE level = $1 AND server = $2 ORDER BY at LIMIT $3
        FOR UPDATE SKIP LOCKED
    ) RETURNING at
)
SELECT at FROM taken ORDER BY at
"""

_MARK = """
INSERT INTO metric_mark (level, server, at) SELECT $1::smallint, $2::uuid, unnest($3::timestamptz[])
ON CONFLICT DO NOTHING
"""

_PARTITIONS = """
SELECT inhrelid::regclass::text AS name FROM pg_inherits
WHERE inhparent IN ('sample'::regclass, 'metric_minute'::regclass)
"""

_SAMPLES = "SELECT * FROM sample WHERE server = $1 AND at >= $2 AND at < $3 ORDER BY at"
_FOLLOWING = "SELECT min(at) FROM sample WHERE server = $1 AND at >= $2 AND at < $3"
_PARTS = "SELECT * FROM {} WHERE server = $1 AND at >= $2 AND at < $3 ORDER BY at"

_STORE = f"""
INSERT INTO {{}} (server, at, figures, counts, {", ".join(COLUMNS.values())})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (server, at) DO UPDATE SET figures = excluded.figures, counts = excluded.counts,
    {", ".join(f"{column} = excluded.{column}" for column in COLUMNS.values())}
"""  # noqa: S608  # our own names
