"""Axes have round numbers, units that people read, and times of the server's own zone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from statistic_query.servers.chart.axes import BYTE_RATE, BYTES, NUMBER, PERCENT, scale, times

GIB = 2.0**30
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("highest", "unit", "labels"),
    [
        (71.5, PERCENT, ["0", "20 %", "40 %", "60 %", "80 %"]),
        (100, PERCENT, ["0", "25 %", "50 %", "75 %", "100 %"]),
        (0, PERCENT, ["0", "2.5 %", "5.0 %", "7.5 %", "10.0 %"]),
        (15.6 * GIB, BYTES, ["0", "4 GiB", "8 GiB", "12 GiB", "16 GiB"]),
        (0, BYTES, ["0", "1 KiB", "2 KiB", "3 KiB", "4 KiB"]),
        (1.1 * GIB, BYTES, ["0", "0.5 GiB", "1.0 GiB", "1.5 GiB"]),
        (7.2e6, BYTE_RATE, ["0", "2 MB/s", "4 MB/s", "6 MB/s", "8 MB/s"]),
        (0.3, NUMBER, ["0", "0.25", "0.50", "0.75", "1.00"]),
        (2.1, NUMBER, ["0", "1", "2", "3"]),
    ],
)
def test_ticks_are_round(highest, unit, labels):
    found = scale(highest, unit)
    assert [label for _, label in found.ticks] == labels
    assert found.top == found.ticks[-1][0] >= highest


@pytest.mark.parametrize("unit", [PERCENT, BYTES, BYTE_RATE, NUMBER])
def test_every_height_has_a_few_ticks_up_to_above_it(unit):
    for power in range(-6, 60):
        for factor in (1, 1.3, 3.9, 7.77):
            found = scale(factor * 2.0**power, unit)
            assert 2 <= len(found.ticks) <= 6, (power, factor)
            assert found.top >= factor * 2.0**power * (1 - 1e-6)
            assert len({label for _, label in found.ticks}) == len(found.ticks)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (7.25 * GIB, BYTES, "7.25 GiB"), (1023, BYTES, "1023 B"), (1500.0, BYTE_RATE, "1.5 kB/s"),
        (90.0, PERCENT, "90 %"),
        (12.34, PERCENT, "12.3 %"), (0, BYTES, "0 B"), (1.05, NUMBER, "1.05"), (1e20, BYTES, "88818 PiB"),
    ],
)  # fmt: skip
def test_values_are_written_with_three_digits(value, unit, text):
    assert unit.text(value) == text


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"])
@pytest.mark.parametrize("span", [timedelta(minutes=3), HOUR, DAY, 9 * DAY, 90 * DAY, 9000 * DAY])
def test_ticks_are_at_round_times_of_the_zone(zone, span):
    start = datetime(2026, 11, 20, 3, 17, 21, tzinfo=UTC)
    found = times(start, start + span, ZoneInfo(zone), 10)
    assert 1 <= len(found) <= 12
    for at, time, date in found:
        local = at.astimezone(ZoneInfo(zone))
        assert start <= at <= start + span
        assert local.second == 0
        assert time in ("", f"{local:%H:%M}")
        assert bool(date) is (local.hour == local.minute == 0)
    assert all(before[0] < after[0] for before, after in pairwise(found))


def test_ticks_stay_at_round_times_when_the_clocks_change():
    start = datetime(2026, 10, 24, 20, tzinfo=UTC)  # 22:00 in Berlin; the clocks go back at 03:00
    found = times(start, start + 12 * HOUR, ZoneInfo("Europe/Berlin"), 5)
    assert [time for _, time, _ in found] == ["00:00", "03:00", "06:00", "09:00"]
    assert [(after[0] - before[0]) / HOUR for before, after in pairwise(found)] == [4, 3, 3]
