"""Counters become rates: resets, gaps, disks and interfaces that come and go."""

from itertools import pairwise

import pytest

from pinghome_common.events.metric import Figures, Sample
from pinghome_common.rates import Counters, rates

NETWORK = "network-usage-unified"
DISK = "disk-io-unified"


def sample(seconds: float, *figures: Figures, interval: float = 10) -> Sample:
    at = int(seconds * 1e6)
    return Sample(bytes(16), at, at, interval, list(figures))


def totals(name: str, *values: float | None, type_: str = NETWORK) -> Figures:
    return Figures(type_, name, [*values, *[None] * (4 - len(values))], counter=True)


def found(before: Sample | None, after: Sample) -> dict[tuple[str, str], list[float | None]]:
    figures = rates(before, after)
    assert not any(it.counter for it in figures)
    assert len({(it.type, it.name) for it in figures}) == len(figures)
    return {(it.type, it.name): it.values for it in figures}


def test_a_rate_is_the_difference_by_the_seconds_between():
    values = found(sample(100, totals("eth0", 1000, 50, 0, 0)), sample(110, totals("eth0", 6000, 50, 1, 0)))
    assert values == {(NETWORK, "eth0"): [500, 0, 0.1, 0], (NETWORK, ""): [500, 0, 0.1, 0]}


def test_the_first_sample_has_no_rates():
    assert found(None, sample(100, totals("eth0", 1000, 50))) == {
        (NETWORK, "eth0"): [None] * 4,
        (NETWORK, ""): [None] * 4,
    }


def test_what_is_no_counter_stays_as_it_is():
    gauge = Figures("cpu-total-usage", "", [7.5, None, None, None, None])
    assert rates(sample(100, gauge), sample(110, gauge)) == [gauge]


@pytest.mark.parametrize("begun_anew", [0, 10, 999])
def test_a_counter_that_begins_anew_has_no_rate_in_any_field_for_one_step(begun_anew):
    first, second = sample(100, totals("eth0", 1000, 50)), sample(110, totals("eth0", begun_anew, 80))
    assert found(first, second)[NETWORK, "eth0"] == [None] * 4
    assert found(second, sample(120, totals("eth0", begun_anew + 10, 90)))[NETWORK, "eth0"] == [1, 1, None, None]


@pytest.mark.parametrize(
    ("interval", "seconds", "rate"),
    [
        (10, 30, True), (10, 30.1, False), (60, 180, True), (600, 900, True), (600, 901, False), (0, 900, True),
        (0, 901, False), (10, 0, False), (10, -10, False), (-1, 10, True),
    ],
)  # fmt: skip
def test_a_gap_of_more_than_three_intervals_or_fifteen_minutes_has_no_rate(interval, seconds, rate):
    before = sample(5000, totals("eth0", 1000), interval=interval)
    after = sample(5000 + seconds, totals("eth0", 1000 + 90 * seconds), interval=interval)
    values = found(before, after).get((NETWORK, "eth0"), [None])
    assert values[0] == (90 if rate else None)


def test_an_interface_that_appears_or_goes_does_not_move_the_sum():
    one, two = totals("eth0", 1000), totals("eth0", 2000)
    appeared = found(sample(100, one), sample(110, two, totals("usb0", 9e12)))
    assert appeared == {
        (NETWORK, "eth0"): [100, None, None, None],
        (NETWORK, "usb0"): [None] * 4,
        (NETWORK, ""): [100, None, None, None],
    }
    gone = found(sample(100, one, totals("usb0", 9e12)), sample(110, two))
    assert gone == {(NETWORK, "eth0"): [100, None, None, None], (NETWORK, ""): [100, None, None, None]}


def test_the_host_is_the_sum_of_its_names_unless_it_is_told_itself():
    first = sample(100, totals("sda", 0, type_=DISK), totals("sdb", 0, type_=DISK))
    second = sample(110, totals("sda", 100, type_=DISK), totals("sdb", 50, type_=DISK))
    assert found(first, second)[DISK, ""] == [15, None, None, None]
    host = Figures(DISK, "", [1, 2, 3, 4])
    second.figures.append(host)
    assert found(first, second)[DISK, ""] == [1, 2, 3, 4]
    named = [Figures(DISK, name, [1.0, None, 3.0, 4.0]) for name in ("sda", "sdb")]
    assert found(None, sample(100, *named))[DISK, ""] == [2, None, 6, 8]


def test_a_counter_of_the_host_alone_has_a_rate():
    """Percent-seconds: what OTLP clients send of a CPU."""
    totals_ = [Figures("cpu-total-usage", "", [total, 0, 0, 0, 0], counter=True) for total in (100, 850)]
    values = found(sample(100, totals_[0]), sample(110, totals_[1]))
    assert values == {("cpu-total-usage", ""): [75, 0, 0, 0, 0]}


def test_counters_may_come_at_times_of_their_own():
    counters = Counters()
    seen = []
    for second in range(0, 40, 10):
        for late, it in ((0, totals("sda", second, type_=DISK)), (0.003, totals("eth0", 2 * second))):
            seen.append(counters.rates(int((second + late) * 1e6), 10, [it])[0].values[0])
    assert seen == [None, None, 1, 2, 1, 2, 1, 2]


def test_the_same_time_twice_says_nothing_more():
    counters = Counters()
    one, two = totals("eth0", 100), totals("eth0", 200)
    counters.rates(0, 10, [one])
    assert counters.rates(0, 10, [two]) == []
    assert counters.rates(10_000_000, 10, [two])[0].values[0] == 10


def test_no_rate_is_negative_or_infinite():
    steps = [0, 5e15, 3, 1.7e308, 0.0, 1e-300, None, 4]
    samples = [sample(100 + place / 1e6, totals("eth0", value), interval=1) for place, value in enumerate(steps, 1)]
    for before, after in pairwise(samples):
        value = found(before, after)[NETWORK, "eth0"][0]
        assert value is None or 0 <= value < float("inf")


def test_a_host_never_does_more_than_a_hundred_percent():
    before = Figures("cpu-total-usage", "", [0, 0, 0, None, 0], counter=True)
    after = Figures("cpu-total-usage", "", [1000.4, 900, 100.4, None, 0], counter=True)
    assert found(sample(0, before), sample(10, after)) == {("cpu-total-usage", ""): [100, 90, 10.04, None, 0]}
