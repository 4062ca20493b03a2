"""Histograms of response times against the exact percentiles."""

import math
import random
from datetime import UTC, datetime, timedelta

import pytest

from statistic_query.latency import Latency, Span, Spreads, single, together

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


def exact(times: list[float], part: float) -> float:
    return sorted(times)[math.ceil(part * len(times)) - 1]


@pytest.mark.parametrize("seed", range(20))
def test_percentiles_are_within_two_and_a_half_per_cent(seed: int):
    chance = random.Random(seed)
    times = [chance.lognormvariate(4, 1.5) for _ in range(chance.randrange(1, 3000))]
    it = Latency()
    for each in times:
        it.add(single(1, 0, each))
    for part, found in zip((0.5, 0.95, 0.99), it.percentiles(), strict=True):
        assert found == pytest.approx(exact(times, part), rel=0.025)
    shown = it.times()
    assert (shown.min, shown.max) == (pytest.approx(min(times), abs=0.001), pytest.approx(max(times), abs=0.001))
    assert shown.avg == pytest.approx(sum(times) / len(times), rel=1e-4, abs=0.001)
    assert shown.min <= shown.p50 <= shown.p95 <= shown.p99 <= shown.max


def test_one_time_is_all_percentiles_and_none_is_none():
    assert single(1, 0, 41.873).percentiles() == [41.873] * 3
    assert all(math.isnan(each) for each in Latency(5, 5).percentiles())
    assert math.isnan(Latency(5, 5).times().p99)


@pytest.mark.parametrize("odd", [0.0, 1e-9, 1e7])
def test_odd_times_are_times(odd: float):
    it = single(1, 0, odd)
    it.add(single(1, 1, None))
    assert (it.checks, it.failures, it.timed) == (2, 1, 1)
    assert it.percentiles() == [pytest.approx(odd, abs=0.001)] * 3


@pytest.mark.parametrize(("wrong", "shown"), [(-5.0, 0), (3e38, 1e9), (math.inf, 1e9)])
def test_time_that_makes_no_sense_is_cut(wrong: float, shown: float):
    assert single(1, 0, wrong).percentiles() == [shown] * 3
    assert single(1, 0, math.nan).timed == 0


def test_order_does_not_matter_and_regions_add_up():
    chance = random.Random(5)
    parts = [single(1, chance.randrange(2), chance.choice([None, chance.uniform(1, 900)])) for _ in range(500)]
    one, other = Latency(), Latency()
    for each in parts:
        one.add(each)
    for each in reversed(parts):
        other.add(each)
    assert one == other
    buckets = Span([AT, AT + timedelta(hours=1)], AT + timedelta(hours=2))
    regions = [Spreads() for _ in range(3)]
    for number, each in enumerate(parts):
        regions[number % 3].put(AT + timedelta(minutes=number % 150 - 15), each, buckets)
    counted = [number for number in range(500) if 0 <= number % 150 - 15 < 120]
    assert sum(it.checks for it in together(regions).buckets.values()) == len(counted)
    assert set(together(regions).buckets) == {0, 1}
