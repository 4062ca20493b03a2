"""Fewer points than there are, without losing a peak."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from statistic_query.servers.figures import Values


class Point(NamedTuple):
    """The values of one time by name of the mount, disk or interface; those of the host have an empty name."""

    at: datetime
    values: Mapping[str, Values]


class Peaks:
    """Keeps at most `limit` of `count` points: the newest one, and those with the minima and maxima of their buckets.

    Points are taken in the order of time and divided into buckets of equally many. Of each bucket the points with the
    smallest and the largest value of each field are kept as they are (MinMax decimation, for several fields at once),
    hence also those of the whole series. Values are those of the host; where there are none, those of any name.

    If the limit has no room for two points of each field in at least one bucket, only the first fields count.
    """

    def __init__(self, count: int, limit: int, fields: int) -> None:
        self._count, self._whole = count, count <= limit
        self._fields = min(fields, (limit - 1) // 2)
        self._buckets = (limit - 1) // (2 * self._fields) if self._fields else 1
        self._number = self._bucket = 0
        self._kept: dict[int, Point] = {}
        self._extremes: dict[int, tuple[float, int, Point]] = {}
        self._newest: list[Point] = []

    def add(self, point: Point) -> None:
        """Takes the next point."""
        if self._whole:
            self._kept[len(self._kept)] = point
            return
        number, self._number = self._number, self._number + 1
        self._newest = [point]
        bucket = min(number * self._buckets // self._count, self._buckets - 1)
        if bucket != self._bucket:
            self._bucket = bucket
            self._close()
        for place in range(self._fields):
            for key, value in ((place, _highest(point, place)), (-1 - place, _highest(point, place, -1))):
                if value is not None and (key not in self._extremes or value > self._extremes[key][0]):
                    self._extremes[key] = value, number, point

    def points(self) -> list[Point]:
        """Those that were kept, ascending; to be called once, after the last one."""
        self._close()
        if self._number:
            self._kept[self._number - 1] = self._newest[0]
        return [self._kept[number] for number in sorted(self._kept)]

    def _close(self) -> None:
        self._kept |= {number: point for _, number, point in self._extremes.values()}
        self._extremes = {}


def _highest(point: Point, place: int, sign: int = 1) -> float | None:
    """The highest value of a field, or with the sign -1 the lowest one, negated."""
    rows = [point.values[""]] if "" in point.values else point.values.values()
    return max((sign * value for values in rows if (value := values[place]) is not None), default=None)
