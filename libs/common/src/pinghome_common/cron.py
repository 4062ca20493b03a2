"""Recurring times: maintenance windows by croniter, the schedules of heartbeats by cronsim and oncalendar."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter
from cronsim import CronSim, CronSimError
from oncalendar import OnCalendar, OnCalendarError

LONGEST = 100

_FIELD = r"(?:[\d*/,\-]|MON|TUE|WED|THU|FRI|SAT|SUN|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)+"
_FIVE_FIELDS = re.compile(rf"\s*{_FIELD}(?:\s+{_FIELD}){{4}}\s*", re.IGNORECASE | re.ASCII)


def check(expression: str) -> None:
    """Rejects anything but a plain five-field expression that matches at some time.

    Raises:
        ValueError: with a sentence for the user. croniter by itself accepts `@daily`, six fields, `R`, and February 30.
    """
    if len(expression) > LONGEST or not _FIVE_FIELDS.fullmatch(expression):
        raise ValueError("must be a cron expression of five fields such as */8 * * * *")
    try:
        croniter(expression, datetime(2026, 1, 1), max_years_between_matches=4).get_next()  # noqa: DTZ001
    except (CroniterError, ValueError, KeyError) as error:
        raise ValueError(f"is not a valid cron expression: {str(error)[:100]}") from None


@lru_cache(maxsize=4096)
def _window(expression: str, minute: datetime) -> datetime:
    begun: datetime = croniter(expression, minute + timedelta(minutes=1)).get_prev(datetime)
    return begun


def inside(expression: str, duration: timedelta, at: datetime) -> bool:
    """True when `at` (UTC) lies in a window that a run of the expression began less than `duration` before."""
    return at < _window(expression, at.replace(second=0, microsecond=0)) + duration


def check_schedule(schedule: str) -> None:
    """Rejects anything but a five-field cron or a systemd OnCalendar expression that matches at some time.

    Raises:
        ValueError: with a sentence for the user.
    """
    if len(schedule) > LONGEST or next_run(schedule, "UTC", datetime(2026, 1, 1, tzinfo=UTC)) is None:
        raise ValueError("is not a valid cron or OnCalendar expression")


def next_run(schedule: str, tz: str, after: datetime) -> datetime | None:
    """The first time after `after` at which a job is due, in UTC; None when it never is.

    Both engines are those of Healthchecks, so that a night in which the clocks change has the same runs there and here
    (contract B.4). A fixed hour that occurs twice counts once; one that is skipped runs right after the gap.
    """
    # Neither engine looks at smaller units, so the jobs of one minute share a cache entry.
    return _next(schedule, tz, after.replace(second=0 if is_cron(schedule) else after.second, microsecond=0))


@lru_cache(maxsize=8192)
def _next(schedule: str, tz: str, after: datetime) -> datetime | None:
    local = after.astimezone(zone(tz))
    engine = CronSim if is_cron(schedule) else OnCalendar
    try:
        return next(engine(schedule, local)).astimezone(UTC)
    except (CronSimError, OnCalendarError, StopIteration, OverflowError):
        return None


def zone(name: str) -> tzinfo:
    """A time zone; UTC in place of one that this host does not know, such as one that was dropped since."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # ValueError: no name of a zone can look like this
        return UTC


def is_cron(schedule: str) -> bool:
    """True for five fields on one line; anything else is OnCalendar."""
    return "\n" not in schedule.strip() and len(schedule.split()) == 5
