"""The rollup: hourly counts, with the 24 hours of a UTC day packed into one value, so that a month is 30 rows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from struct import Struct
from uuid import UUID

from pinghome_common.clock import from_micros
from pinghome_common.db import Connection
from pinghome_common.events.probe import Result, Verdict
from statistic_query.buckets import NOTHING, Buckets, Counts
from statistic_query.pings import in_columns

_COUNTS = Struct("!IIIddd")
"""In the byte order of PostgreSQL's `int4send` and `float8send` (migration 0006)."""

_HOURS = Struct("!" + 24 * "IIIddd")
_NOTHING = _COUNTS.pack(*NOTHING)

EMPTY = 25 * _NOTHING
"""A packed day without results: 24 hours, then their sum."""

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def count(tx: Connection, results: Iterable[Result]) -> None:
    """Adds results to their hours, in any order.

    Days are read, changed and written back without a lock: only the projection that `tx` belongs to writes them.
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
    """The counts of one result; None if it does not count. Only answers are timed, in whole microseconds."""
    if it.verdict in (Verdict.probe_error, Verdict.blocked):
        return None
    failed = int(it.verdict is Verdict.target_fail)
    if failed and it.status_code is None:
        return 1, failed, *NOTHING[2:]
    time = round(it.phases.total, 3)
    return 1, failed, 1, it.phases.total, time, time


def plus(day: bytes, more: Iterable[tuple[int, Counts]]) -> bytes:
    """Adds counts to the hours of a packed day."""
    changed = bytearray(day)
    for hour, counts in more:
        for place in (hour * _COUNTS.size, _HOURS.size):
            old = _COUNTS.unpack_from(changed, place)
            _COUNTS.pack_into(changed, place, *Buckets.of((old, counts)).together())
    return bytes(changed)


def hours(days: Mapping[date, bytes], first: datetime, until: datetime) -> Buckets:
    """The hours from `first` to before `until`, both whole hours; missing days are empty."""
    found: list[float] = []
    for day in _dates(first, until):
        found += _HOURS.unpack_from(days.get(day, EMPTY))
    return _columns(found, first.hour, (until - first) // HOUR)


def sums(days: Mapping[date, bytes], first: datetime, until: datetime) -> Buckets:
    """The days from `first` to before `until`, both midnights; `days` are sums."""
    found: list[float] = []
    for day in _dates(first, until):
        found += _COUNTS.unpack(days.get(day, _NOTHING))
    return _columns(found, 0, (until - first) // DAY)


def together(days: Mapping[date, bytes], first: datetime, until: datetime) -> Counts:
    """The total from `first` to before `until`; days other than the first and the last may be sums."""
    tomorrow, today = first.replace(hour=0) + DAY, (until - HOUR).replace(hour=0)
    if tomorrow > today:
        return hours(days, first, until).together()
    parts = hours(days, first, tomorrow), sums(days, tomorrow, today), hours(days, today, until)
    return Buckets.of(part.together() for part in parts).together()


def _dates(first: datetime, until: datetime) -> Iterator[date]:
    day, last = first.date(), (until - HOUR).date()
    while day <= last:
        yield day
        day += DAY


def _columns(found: Sequence[float], first: int, count: int) -> Buckets:
    width = len(NOTHING)
    begin, end = first * width, (first + count) * width
    return Buckets(*(found[begin + column : end : width] for column in range(width)))  # type: ignore[arg-type]


_STORED = """
SELECT resource, day, hours FROM result_day
JOIN unnest($1::uuid[], $2::date[]) AS keys (resource, day) USING (resource, day)
"""

_STORE = """
INSERT INTO result_day SELECT * FROM unnest($1::uuid[], $2::date[], $3::bytea[])
ON CONFLICT (resource, day) DO UPDATE SET hours = excluded.hours
"""
