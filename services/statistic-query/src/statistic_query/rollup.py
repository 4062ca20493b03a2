"""The rollup: what was counted in each hour, the 24 of a day in UTC packed into one value, so a month is 30 rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from struct import Struct
from uuid import UUID

from pinghome_common.clock import from_micros
from pinghome_common.db import Connection
from pinghome_common.events.probe import Result, Verdict
from statistic_query.counted import NOTHING, Counted, Counts
from statistic_query.pings import in_columns

_HOUR = Struct("!IIIddd")
"""Counts; in the order of bytes in which PostgreSQL's `int4send` and `float8send` write (migration 0006)."""

_DAY = Struct("!" + 24 * "IIIddd")

EMPTY = _DAY.pack(*24 * NOTHING)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def count(tx: Connection, results: Iterable[Result]) -> None:
    """Counts results into their hours, in any order and however late they come.

    Days are read, changed and written: the projection that `tx` belongs to is the only one that writes them.
    """
    arrived: dict[tuple[UUID, date], list[tuple[int, Counts]]] = defaultdict(list)
    for result in results:
        if counts := of(result):
            at = from_micros(result.slot)
            arrived[result.resource, at.date()].append((at.hour, counts))
    if arrived:
        keys = sorted(arrived)
        columns = in_columns(keys)
        stored = {(row["resource"], row["day"]): row["hours"] for row in await tx.fetch(_STORED, *columns)}
        await tx.execute(_STORE, *columns, [plus(stored.get(key, EMPTY), arrived[key]) for key in keys])


def of(it: Result) -> Counts | None:
    """What a result counts for, None if for nothing. Only an answer has a time, kept in whole microseconds."""
    if it.verdict in (Verdict.probe_error, Verdict.blocked):
        return None
    failed = int(it.verdict is Verdict.target_fail)
    if failed and it.status_code is None:
        return 1, failed, *NOTHING[2:]
    time = round(it.phases.total, 3)
    return 1, failed, 1, it.phases.total, time, time


def plus(day: bytes, more: Iterable[tuple[int, Counts]]) -> bytes:
    """A packed day with more counted in some of its hours."""
    changed = bytearray(day)
    for hour, counts in more:
        place = hour * _HOUR.size
        _HOUR.pack_into(changed, place, *Counted.of((_HOUR.unpack_from(changed, place), counts)).together())
    return bytes(changed)


def hours(days: Mapping[date, bytes], first: datetime, until: datetime) -> Counted:
    """Each hour from `first` to before `until`, which are whole hours; nothing was counted in days that are missing."""
    found: list[float] = []
    day, last = first.date(), (until - HOUR).date()
    while day <= last:
        found += _DAY.unpack(days.get(day, EMPTY))
        day += DAY
    width = len(NOTHING)
    begin = first.hour * width
    end = begin + (until - first) // HOUR * width
    return Counted(*(found[begin + column : end : width] for column in range(width)))  # type: ignore[arg-type]


_STORED = """
SELECT resource, day, hours FROM result_day
JOIN unnest($1::uuid[], $2::date[]) AS wanted (resource, day) USING (resource, day)
"""

_STORE = """
INSERT INTO result_day SELECT * FROM unnest($1::uuid[], $2::date[], $3::bytea[])
ON CONFLICT (resource, day) DO UPDATE SET hours = excluded.hours
"""
