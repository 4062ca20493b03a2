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
    """Buckets, the nth of each column belonging together: when they begin, probes that spoke of the target, failures.

    And how many answers were timed, the sum of their times, the fastest and the slowest, in milliseconds.
    """

    at: Sequence[datetime] = ()
    checks: Sequence[int] = ()
    failures: Sequence[int] = ()
    timed: Sequence[int] = ()
    total: Sequence[float] = ()
    fastest: Sequence[float | None] = ()
    slowest: Sequence[float | None] = ()

    def spread(self, begins: Sequence[datetime]) -> "Counted":
        """A bucket at each of `begins`, with nothing counted in those that are not here."""
        if len(self.at) == len(begins):
            return self
        places = {at: place for place, at in enumerate(self.at)}
        nothing = (0, 0, 0, 0.0, None, None)
        rows = list(zip(*self[1:], strict=True))
        found = [rows[places[begin]] if begin in places else nothing for begin in begins]
        return Counted(begins, *zip(*found, strict=True))

    def buckets(self, uptimes: Sequence[float | None]) -> list[Bucket]:
        """As documents."""
        return [
            Bucket(at, uptime, _times(timed, total, fastest, slowest), checks, failures)
            for uptime, at, checks, failures, timed, total, fastest, slowest in zip(uptimes, *self, strict=True)
        ]

    def times(self) -> Times:
        """Of all buckets together."""
        fastest = min((value for value in self.fastest if value is not None), default=None)
        slowest = max((value for value in self.slowest if value is not None), default=None)
        return _times(sum(self.timed), sum(self.total), fastest, slowest)


def _times(timed: int, total: float, fastest: float | None, slowest: float | None) -> Times:
    return Times(round(total / timed * 1000) / 1000 if timed else None, fastest, slowest)
