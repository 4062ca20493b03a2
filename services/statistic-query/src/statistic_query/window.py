"""The time range of a query, divided into buckets."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, repeat
from operator import add

HOUR = 3600
DAY = 86400

STEPS = {
    "minute": 60, "hour": HOUR, "1h": HOUR, "3h": 3 * HOUR, "12h": 12 * HOUR, "day": DAY, "1d": DAY, "3d": 3 * DAY,
    "week": 7 * DAY, "7d": 7 * DAY, "30d": 30 * DAY, "month": 0,
}  # fmt: skip
"""Seconds in each interval (contract A23, A37); a month has no fixed length."""

MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """`[start, end)` in UTC, in buckets of one interval; days and longer begin at midnight, weeks on Monday."""

    start: datetime
    end: datetime
    interval: str

    @property
    def origin(self) -> datetime:
        """A time at which a bucket starts."""
        return MONDAY if self.interval in ("week", "7d") else datetime(1970, 1, 1, tzinfo=UTC)

    def floor(self, at: datetime) -> datetime:
        """The beginning of the bucket in which `at` lies."""
        step = STEPS[self.interval]
        if not step:
            return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return at - (at - self.origin) % timedelta(seconds=step)

    def after(self, begin: datetime) -> datetime:
        """The beginning of the bucket after the one that starts at `begin`."""
        step = STEPS[self.interval]
        return begin + timedelta(seconds=step) if step else (begin + timedelta(days=32)).replace(day=1)

    def newest(self, limit: int) -> "list[datetime]":
        """The starts of the newest `limit` buckets that overlap the window, ascending."""
        if self.start >= self.end:
            return []
        begin = self.floor(self.end - timedelta(microseconds=1))
        if step := timedelta(seconds=STEPS[self.interval]):
            count = min((begin - self.floor(self.start)) // step + 1, limit)
            return list(accumulate(repeat(step, count - 1), add, initial=begin - step * (count - 1)))
        starts: list[datetime] = []
        while len(starts) < limit and self.after(begin) > self.start:
            starts.append(begin)
            begin = self.floor(begin - timedelta(microseconds=1))
        return starts[::-1]

    def hours(self, created: datetime, present: datetime) -> tuple[datetime, datetime]:
        """The start and the end of the window's whole hours; the start is not before the end if there are none.

        The hours of the monitor's creation and of the present count as whole, because there is no data outside them.
        """
        if self.start >= self.end:
            return self.start, self.start
        by_hour = Window(self.start, self.end, "hour")
        first, last = by_hour.floor(self.start), by_hour.floor(self.end)
        if first < self.start and self.start > created:
            first = by_hour.after(first)
        if last < self.end and present - self.end < timedelta(seconds=1):
            last = by_hour.after(last)
        return first, last
