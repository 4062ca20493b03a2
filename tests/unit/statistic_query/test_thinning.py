"""Peaks stay when points are left out."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from statistic_query.servers.thinning import Peaks, Point

BEGIN = datetime(2026, 11, 27, tzinfo=UTC)


def points(count: int, names: tuple[str, ...], chance: random.Random) -> list[Point]:
    return [
        Point(
            BEGIN + timedelta(seconds=place),
            {name: [chance.choice([None, chance.gauss(0, 10)]) for _ in range(4)] for name in names},
        )
        for place in range(count)
    ]


@pytest.mark.parametrize("names", [("",), ("", "eth0"), ("/", "/home")])
@pytest.mark.parametrize("limit", [1, 2, 5, 9, 30, 100, 999])
def test_the_extremes_of_every_field_and_the_newest_point_are_kept(limit, names):
    chance = random.Random(limit)
    found = points(1000, names, chance)
    peaks = Peaks(len(found), limit, 4)
    for point in found:
        peaks.add(point)
    kept = peaks.points()
    assert len(kept) <= limit
    assert kept == [point for point in found if point in kept]
    assert kept[-1] == found[-1]
    for field in range(min(4, (limit - 1) // 2)):
        counted = ("",) if "" in names else names

        def values(of: list[Point], field: int = field, counted: tuple[str, ...] = counted) -> list[float]:
            every = (point.values[name][field] for point in of for name in counted)
            return [value for value in every if value is not None]

        assert max(values(kept)) == max(values(found))
        assert min(values(kept)) == min(values(found))


def test_nothing_is_left_out_when_there_is_room():
    found = points(100, ("",), random.Random(0))
    peaks = Peaks(100, 100, 4)
    for point in found:
        peaks.add(point)
    assert peaks.points() == found


def test_more_points_than_were_counted_do_no_harm():
    found = points(150, ("",), random.Random(0))
    peaks = Peaks(100, 20, 4)
    for point in found:
        peaks.add(point)
    assert len(peaks.points()) <= 20
