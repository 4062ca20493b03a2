"""What was counted, in columns: PostgreSQL hands them over, and they are added up, faster than rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec


class Times(msgspec.Struct, gc=False):
    """Response times of a span in milliseconds; None where no answer was timed."""

    avg: float | None
    min: float | None
    max: float | None


class Bucket(msgspec.Struct, gc=False):
    """One bucket, as the document shows it: a thousand of them are made for each question."""

    received_at: datetime
    uptime: float | None
    response_time: Times
    checks: int
    failures: int


class Counted(NamedTuple):
    """Buckets, the nth of each column belonging together: when they begin (UNIX seconds), probes that spoke, failures.

    And of the answers that were timed the average, the fastest and the slowest, in milliseconds. Then of all buckets
    together how many answers were timed, and the sum of their times.
    """

    at: Sequence[int] = ()
    checks: Sequence[int] = ()
    failures: Sequence[int] = ()
    average: Sequence[float | None] = ()
    fastest: Sequence[float | None] = ()
    slowest: Sequence[float | None] = ()
    timed: int = 0
    total: float = 0.0

    def spread(self, begins: Sequence[datetime]) -> "Counted":
        """A bucket at each of `begins`, with nothing counted in those that are not here."""
        if len(self.at) == len(begins) or not begins:
            return self if begins else Counted()
        places = {at: place for place, at in enumerate(self.at)}
        nothing = (0, 0, 0, None, None, None)
        rows = list(zip(*self[:6], strict=True))
        wanted = [int(begin.timestamp()) for begin in begins]
        found = [rows[places[begin]] if begin in places else nothing for begin in wanted]
        _, checks, failures, average, fastest, slowest = zip(*found, strict=True)
        return Counted(wanted, checks, failures, average, fastest, slowest, self.timed, self.total)

    def buckets(self, begins: Sequence[datetime], uptimes: Sequence[float | None]) -> list[Bucket]:
        """As documents; `begins` are those of the buckets, which are here already, but as numbers."""
        columns = begins, uptimes, self.checks, self.failures, self.average, self.fastest, self.slowest
        return [
            Bucket(begin, uptime, Times(average, fastest, slowest), checks, failures)
            for begin, uptime, checks, failures, average, fastest, slowest in zip(*columns, strict=True)
        ]

    def times(self) -> Times:
        """Of all buckets together."""
        fastest = min((value for value in self.fastest if value is not None), default=None)
        slowest = max((value for value in self.slowest if value is not None), default=None)
        return Times(round(self.total / self.timed * 1000) / 1000 if self.timed else None, fastest, slowest)
