"""Histograms of response times: by region, hour and day, from which percentiles are read."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from math import ceil, floor, inf, isnan, log, nan
from typing import Any

import msgspec

from pinghome_common.clock import from_micros
from pinghome_common.db import Connection, Database
from pinghome_common.events.probe import Result
from statistic_query import rollup
from statistic_query.buckets import Bucket, Times
from statistic_query.owned import Owned
from statistic_query.pings import in_columns

GROWTH = log(1.05)
"""A class of times ends 5 % above its beginning, so that a percentile is at most 2.5 % wrong."""
PERCENTILES = (0.5, 0.95, 0.99)
SHORTEST, LONGEST = 0.001, 1e9
"""Milliseconds: the unit of the sum and the extremes, and more than any probe takes."""


class Latency(msgspec.Struct, array_like=True, gc=False):
    """Of one span: checks and failures; sum and extremes of the times in microseconds; how many times by class."""

    checks: int = 0
    failures: int = 0
    total: int = 0
    fastest: int = 0
    slowest: int = 0
    classes: dict[int, int] = {}

    @property
    def timed(self) -> int:
        """The number of timed answers."""
        return sum(self.classes.values())

    def add(self, it: "Latency") -> None:
        """Adds another span."""
        if it.classes:
            self.fastest = min(self.fastest, it.fastest) if self.classes else it.fastest
            self.slowest = max(self.slowest, it.slowest)
        self.checks, self.failures, self.total = (
            self.checks + it.checks, self.failures + it.failures, self.total + it.total,
        )  # fmt: skip
        for class_, n in it.classes.items():
            self.classes[class_] = self.classes.get(class_, 0) + n

    def percentiles(self) -> list[float]:
        """By nearest rank, in milliseconds: no less than the fastest and no more than the slowest."""
        timed, found, seen = self.timed, [], 0
        ordered = iter(sorted(self.classes.items()))
        class_ = 0
        for each in PERCENTILES:
            while timed and seen < ceil(each * timed):
                class_, n = next(ordered)
                seen += n
            middle = 1.05 ** (class_ + 0.5)
            found.append(round(min(max(middle, self.fastest / 1000), self.slowest / 1000), 3) if timed else nan)
        return found

    def times(self) -> Times:
        """What an answer says of it."""
        timed = self.timed
        if not timed:
            return Times(nan, inf, -inf)
        average = round(self.total / timed) / 1000
        return Times(average, self.fastest / 1000, self.slowest / 1000, *self.percentiles())


Day = dict[int, msgspec.Raw]
"""The hours of a day in which something was counted, packed."""


def of(it: Result) -> Latency | None:
    """One result; None if it does not count."""
    counts = rollup.of(it)
    if counts is None:
        return None
    checks, failures, timed, total, *_ = counts
    return single(checks, failures, total if timed else None)


def single(checks: int, failures: int, milliseconds: float | None) -> Latency:
    """One result with its time, if it counts; what makes no sense as a time is cut to what does."""
    if milliseconds is None or isnan(milliseconds):
        return Latency(checks, failures)
    milliseconds = min(max(milliseconds, 0.0), LONGEST)
    micros = round(milliseconds * 1000)
    return Latency(checks, failures, micros, micros, micros, {floor(log(max(milliseconds, SHORTEST)) / GROWTH): 1})


_ALMOST = timedelta(hours=1, microseconds=-1)

Key = tuple[int, date]
"""A series, which is a monitor in a region, and a day."""


async def count(tx: Connection, results: Iterable[tuple[int, Result]]) -> None:
    """Adds results to the hours of their series, in any order; only the projection of `tx` writes them."""
    arrived: dict[Key, list[tuple[int, Latency]]] = defaultdict(list)
    for series, result in results:
        if counted := of(result):
            at = from_micros(result.slot)
            arrived[series, at.date()].append((at.hour, counted))
    if arrived:
        keys = sorted(arrived)
        stored = {(row["series"], row["day"]): row for row in await tx.fetch(_STORED, *in_columns(keys))}
        await store(tx, {key: plus(stored.get(key), arrived[key]) for key in keys})


def plus(row: Any, more: Iterable[tuple[int, Latency]]) -> tuple[Day, Latency]:
    """A day, as it is stored or None, with more in its hours, and its sum."""
    day, whole = (_day(row["hours"]), _latency(row["whole"])) if row else ({}, Latency())
    changed: dict[int, Latency] = {}
    for hour, counted in more:
        if hour not in changed:
            changed[hour] = _latency(day[hour]) if hour in day else Latency()
        changed[hour].add(counted)
        whole.add(counted)
    return day | {hour: msgspec.Raw(_encode(it)) for hour, it in changed.items()}, whole


async def store(tx: Connection, days: Mapping[Key, tuple[Day, Latency]]) -> None:
    """Writes days with their sums."""
    rows = [
        (*key, whole.checks, whole.timed, _encode(day), _encode(whole)) for key, (day, whole) in sorted(days.items())
    ]
    await tx.execute(_STORE, *in_columns(rows))


@dataclass(frozen=True, slots=True)
class Span:
    """Buckets by their starts, of which the last one ends at `until`."""

    starts: Sequence[datetime]
    until: datetime


@dataclass(slots=True)
class Spreads:
    """What is known of a window: in all, and by the place of a bucket."""

    summary: Latency = field(default_factory=Latency)
    buckets: dict[int, Latency] = field(default_factory=dict)

    def put(self, at: datetime, it: Latency, buckets: Span) -> None:
        """Adds what begins at a time to its bucket."""
        if buckets.starts and buckets.starts[0] <= at < buckets.until:
            place = bisect_right(buckets.starts, at) - 1
            self.buckets.setdefault(place, Latency()).add(it)

    def complete(self, summary: Times, buckets: Sequence[Bucket]) -> None:
        """Adds the percentiles to the summary and the buckets of an answer."""
        pairs = [(it, buckets[place].response_time) for place, it in self.buckets.items()]
        for it, times in [*pairs, (self.summary, summary)]:
            times.p50, times.p95, times.p99 = it.percentiles()


async def read(
    db: Database | Connection, it: Owned, window: tuple[datetime, datetime], buckets: Span, *, hourly: bool
) -> dict[str, Spreads]:
    """By region what is known of a monitor.

    Args:
        db: where to read.
        it: the monitor.
        window: what is summed up, in the whole hours in which it lies.
        buckets: in which to put it, too; they are of hours, or else of days.
        hourly: which of both.
    """
    begin, end = (at.replace(minute=0, second=0, microsecond=0) for at in (window[0], window[1] + _ALMOST))
    edges = [begin.date(), (end - rollup.HOUR).date()]
    days = [at.date() for at in buckets.starts[:1]] + [(buckets.until - rollup.HOUR).date()] * bool(buckets.starts)
    first, last = min([*days, *edges]), max([*days, *edges])
    with_hours = days[0] if days and hourly else date.max
    found: dict[str, Spreads] = defaultdict(Spreads)
    for row in await db.fetch(_READ, it.id, first, last, edges, with_hours):
        spreads, midnight = found[row["region"]], datetime.combine(row["day"], time(), UTC)
        hours = [*_hours(midnight, row["hours"])] if row["hours"] else []
        whole = _latency(row["whole"])
        if row["day"] in edges:
            for at, each in hours:
                if begin <= at < end:
                    spreads.summary.add(each)
        elif edges[0] < row["day"] < edges[1]:
            spreads.summary.add(whole)
        for at, each in hours if hourly else [(midnight, whole)]:
            spreads.put(at, each, buckets)
    return dict(found)


async def add_minutes(db: Database | Connection, it: Owned, found: dict[str, Spreads], buckets: Span) -> None:
    """Adds buckets of minutes, from single results."""
    if buckets.starts:
        for row in await db.fetch(_RESULTS, it.id, buckets.starts[0], buckets.until):
            one = single(1, row["failures"], row["t"])
            found.setdefault(row["region"], Spreads()).put(row["at"], one, buckets)


def together(found: Iterable[Spreads]) -> Spreads:
    """All regions."""
    all_ = Spreads()
    for it in found:
        all_.summary.add(it.summary)
        for place, each in it.buckets.items():
            all_.buckets.setdefault(place, Latency()).add(each)
    return all_


def _hours(midnight: datetime, packed: bytes) -> Iterator[tuple[datetime, Latency]]:
    return ((midnight + hour * rollup.HOUR, _latency(it)) for hour, it in _day(packed).items())


_encode = msgspec.msgpack.Encoder().encode
_latency = msgspec.msgpack.Decoder(Latency).decode
_day = msgspec.msgpack.Decoder(Day).decode

_STORED = """
SELECT l.* FROM latency_day l JOIN unnest($1::int[], $2::date[]) AS keys (series, day) USING (series, day)
"""

_STORE = """
INSERT INTO latency_day (series, day, checks, timed, hours, whole)
SELECT * FROM unnest($1::int[], $2::date[], $3::int[], $4::int[], $5::bytea[], $6::bytea[])
ON CONFLICT (series, day) DO UPDATE SET
    checks = excluded.checks, timed = excluded.timed, hours = excluded.hours, whole = excluded.whole
"""

_READ = """
SELECT s.region, l.day, l.whole, CASE WHEN l.day = ANY($4::date[]) OR l.day >= $5 THEN l.hours END AS hours
FROM series s JOIN latency_day l ON l.series = s.id AND l.day >= $2 AND l.day <= $3 WHERE s.resource = $1
"""

_RESULTS = """
SELECT s.region, r.slot AS at, (r.verdict = 1)::int AS failures,
    CASE WHEN r.verdict = 0 OR r.status_code IS NOT NULL THEN r.total::float8 END AS t
FROM result r JOIN series s ON s.id = r.series
WHERE r.series = ANY(ARRAY(SELECT id FROM series WHERE resource = $1)) AND slot >= $2 AND slot < $3 AND verdict < 2
"""
