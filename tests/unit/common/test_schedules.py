"""Schedules of checks in the nights in which the clocks change, in eight zones."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from oncalendar import OnCalendar

from pinghome_common.cron import check_schedule, next_run

ZONES = [
    "Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "America/Havana", "America/Santiago",
    "Australia/Lord_Howe", "Pacific/Chatham",
]  # fmt: skip
EXPRESSIONS = [
    "* * * * *", "*/5 * * * *", "*/7 * * * *", "*/15 * * * *", "0 * * * *", "30 * * * *", "0,30 * * * *", "59 * * * *",
    "0 */2 * * *", "30 */3 * * *", "*/20 1-4 * * *", "* 2 * * *", "*/10 0 * * *", "0 0 * * *", "30 0 * * *",
    "0 1 * * *", "15 1 * * *", "30 1 * * *", "45 1 * * *", "0 2 * * *", "15 2 * * *", "30 2 * * *", "45 2 * * *",
    "59 2 * * *", "0 3 * * *", "30 3 * * *", "0 1,2,3 * * *", "15,45 0-3 * * *", "0 2 * * SUN", "30 1 * * 6-7",
    "0 0 1 * *", "0 2 L * *", "30 2 1-7 * *", "0 3 * 3,10 *", "0 2 29 * *", "30 2 * 11 *", "0 0 * * 1#1", "0 12 * * *",
    "5 4 * * sun", "23 0-20/2 * * *",
]  # fmt: skip
CALENDARS = [
    "*:0/10", "hourly", "daily", "02:30", "*-*-* 01,02,03:15", "Sun 02:00", "*-*-01 00:00:00", "2026-*-* 02:59",
]  # fmt: skip


def nights(zone: ZoneInfo) -> list[datetime]:
    """The hours before the clocks change in 2026, in UTC."""
    hours = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(365 * 24)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    return [hour for hour, now, then in zip(hours, offsets, offsets[1:], strict=False) if now != then]


@pytest.mark.parametrize("name", ZONES)
def test_runs_of_both_nights_are_those_of_the_engines_one_after_another(name):
    zone = ZoneInfo(name)
    assert len(EXPRESSIONS) == 40
    assert len(nights(zone)) == 2
    for night in nights(zone):
        begin = night - timedelta(hours=4, minutes=7)
        for engine, schedules in ((CronSim, EXPRESSIONS), (OnCalendar, CALENDARS)):
            for schedule in schedules:
                check_schedule(schedule)
                wanted = [run.astimezone(UTC) for run in islice(engine(schedule, begin.astimezone(zone)), 12)]
                at, found = begin, []
                for _ in wanted:  # as pings that come in time ask for them
                    at = next_run(schedule, name, at)
                    found.append(at)
                assert found == wanted, (schedule, night)
                assert found == sorted(set(found))


@pytest.mark.parametrize("name", ZONES)
def test_every_minute_is_every_minute_of_real_time(name):
    for night in nights(ZoneInfo(name)):
        at = night - timedelta(hours=1)
        for _ in range(180):
            following = next_run("* * * * *", name, at)
            assert following - at == timedelta(minutes=1)
            at = following


def test_a_fixed_hour_that_comes_twice_counts_once_and_one_left_out_comes_after_the_gap():
    autumn = datetime(2026, 10, 24, 22, tzinfo=UTC)
    first = next_run("30 2 * * *", "Europe/Berlin", autumn)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert next_run("30 2 * * *", "Europe/Berlin", first) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    assert next_run("30 2 * * *", "Europe/Berlin", datetime(2026, 3, 28, 22, tzinfo=UTC)) == datetime(
        2026, 3, 29, 1, 0, tzinfo=UTC
    )


@pytest.mark.parametrize("schedule", ["", "@daily", "* * * *", "0 0 31 2 *", "* * * * * *", "never", "x" * 101])
def test_what_never_comes_is_refused(schedule):
    with pytest.raises(ValueError, match="cron or OnCalendar expression"):
        check_schedule(schedule)
