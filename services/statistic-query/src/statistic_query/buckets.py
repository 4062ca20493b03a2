"""What was counted, in columns: they are unpacked, cut and added up faster than rows."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from math import inf, nan
from typing import Any, NamedTuple

import msgspec

Counts = tuple[int, int, int, float, float, float]
"""Of one span: probes that spoke, failures, answers that were timed; their times' sum, least and greatest, in ms."""

NOTHING: Counts = (0, 0, 0, 0.0, inf, -inf)


class Times(msgspec.Struct, gc=False):
    """Response times of a span in milliseconds; JSON has null for what is not finite: no answer was timed."""

    avg: float
    min: float
    max: float


class Bucket(msgspec.Struct, gc=False):
    """One bucket, as the document shows it: a thousand of them are made for each question."""

    received_at: datetime
    uptime: float | None
    response_time: Times
    checks: int
    failures: int


_ADD: Sequence[Callable[[Iterable[Any]], Any]] = (sum, sum, sum, sum, min, max)
"""How spans are added up, column by column."""


class Buckets(NamedTuple):
    """Many spans, the nth of each column belonging together; the columns are those of `Counts`."""

    checks: Sequence[int] = ()
    failures: Sequence[int] = ()
    timed: Sequence[int] = ()
    total: Sequence[float] = ()
    fastest: Sequence[float] = ()
    slowest: Sequence[float] = ()

    @classmethod
    def of(cls, rows: Iterable[Counts]) -> "Buckets":
        """Spans that come one by one."""
        return cls(*zip(*rows, strict=True))

    def part(self, begin: int, end: int) -> "Buckets":
        """Some of the spans."""
        return Buckets(*(column[begin:end] for column in self))  # type: ignore[arg-type]

    def by(self, count: int) -> "Buckets":
        """Each `count` spans as one."""
        if count == 1:
            return self
        groups = (zip(*[iter(column)] * count, strict=True) for column in self)
        return Buckets(*(list(map(add, group)) for add, group in zip(_ADD, groups, strict=True)))

    def together(self) -> Counts:
        """All spans as one."""
        fastest, slowest = min(self.fastest, default=inf), max(self.slowest, default=-inf)
        return sum(self.checks), sum(self.failures), sum(self.timed), sum(self.total), fastest, slowest

    def times(self) -> list[Times]:
        """Of each span; the averages are rounded to microseconds, as the others are already."""
        pairs = zip(self.timed, self.total, strict=True)
        averages = [round(total / timed * 1000) / 1000 if timed else nan for timed, total in pairs]
        return list(map(Times, averages, self.fastest, self.slowest))

    def buckets(self, begins: Sequence[datetime], uptimes: Sequence[float | None]) -> list[Bucket]:
        """As documents."""
        return list(map(Bucket, begins, uptimes, self.times(), self.checks, self.failures))
