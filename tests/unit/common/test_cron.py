"""Maintenance windows."""

from datetime import UTC, datetime, timedelta

import pytest

from pinghome_common import cron


@pytest.mark.parametrize("expression", ["*/8 * * * *", "0 3 * * SUN", "15 10 1 jan-mar 1-5", "0,30 8-18/2 * * *"])
def test_five_fields_are_taken(expression):
    cron.check(expression)


@pytest.mark.parametrize(
    "expression",
    ["", "@daily", "* * * *", "* * * * * *", "0 0 31 2 *", "0 0 30 2 *", "R R * * *", "H * * * *", "? * * * *",
     "61 * * * *", "* * * * * 2026", "a b c d e", "1," * 60 + "1 * * * *", "* * * * \u0661"],
)  # fmt: skip
def test_anything_else_is_refused(expression):
    with pytest.raises(ValueError, match="cron expression"):
        cron.check(expression)


def test_a_window_begins_with_its_minute_and_ends_after_its_duration():
    begin = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    hour = timedelta(minutes=5)
    assert cron.inside("0 12 * * *", hour, begin)
    assert cron.inside("0 12 * * *", hour, begin + timedelta(minutes=4, seconds=59))
    assert not cron.inside("0 12 * * *", hour, begin + timedelta(minutes=5))
    assert not cron.inside("0 12 * * *", hour, begin - timedelta(seconds=1))


def test_windows_may_be_longer_than_the_time_between_them():
    assert cron.inside("0 * * * *", timedelta(hours=2), datetime(2026, 11, 21, 12, 59, tzinfo=UTC))
