"""Counts of results, in columns, which are unpacked, sliced and added up faster than rows."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from math import inf, nan
from typing import Any, NamedTuple

import msgspec

Counts = tuple[int, int, int, float, float, float]
"""Of one span: checks, failures and timed answers; the sum, minimum and maximum of their times in milliseconds."""

NOTHING: Counts = (0, 0, 0, 0.0, inf, -inf)


class Times(msgspec.Struct, gc=False):
    """Response times of a span in milliseconds; not finite, hence null in JSON, if no answer was timed.

    Percentiles are known since histograms are kept (migration 0016).
    """

    avg: float
    min: float
    max: float
    p50: float = nan
    p95: float = nan
    p99: float = nan


class Bucket(msgspec.Struct, gc=False):
    """One bucket of an answer, which may have a thousand."""

    received_at: datetime
    uptime: float | None
    response_time: Times
    checks: int
    failures: int


_ADD: Sequence[Callable[[Iterable[Any]], Any]] = (sum, sum, sum, sum, min, max)
"""How each column is added up."""


class Buckets(NamedTuple):
    """Consecutive spans; the columns are those of `Counts`."""

    checks: Sequence[int] = ()
    failures: Sequence[int] = ()
    timed: Sequence[int] = ()
    total: Sequence[float] = ()
    fastest: Sequence[float] = ()
    slowest: Sequence[float] = ()

    @classmethod
    def of(cls, rows: Iterable[Counts]) -> "Buckets":
        """Makes columns of rows."""
        return cls(*zip(*rows, strict=True))

    def part(self, begin: int, end: int) -> "Buckets":
        """The spans from `begin` to before `end`."""
        return Buckets(*(column[begin:end] for column in self))  # type: ignore[arg-type]

    def by(self, count: int) -> "Buckets":
        """Adds up each `count` consecutive spans."""
        if count == 1:
            return self
        groups = (zip(*[iter(column)] * count, strict=True) for column in self)
        return Buckets(*(list(map(add, group)) for add, group in zip(_ADD, groups, strict=True)))

    def together(self) -> Counts:
        """Adds up all spans."""
        fastest, slowest = min(self.fastest, default=inf), max(self.slowest, default=-inf)
        return sum(self.checks), sum(self.failures), sum(self.timed), sum(self.total), fastest, slowest

    def times(self) -> list[Times]:
        """The times of each span; averages are rounded to microseconds, as minimum and maximum already are."""
        pairs = zip(self.timed, self.total, strict=True)
        averages = [round(total / timed * 1000) / 1000 if timed else nan for timed, total in pairs]
        return list(map(Times, averages, self.fastest, self.slowest))

    def buckets(self, starts: Sequence[datetime], uptimes: Sequence[float | None]) -> list[Bucket]:
        """The spans as the buckets of an answer."""
        return list(map(Bucket, starts, uptimes, self.times(), self.checks, self.failures))
