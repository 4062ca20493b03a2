"""Recurring times: maintenance windows by croniter, the schedules of heartbeats by cronsim and oncalendar."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter
from cronsim import CronSim, CronSimError
from oncalendar import OnCalendar, OnCalendarError

LONGEST = 100
"""Characters of an expression."""

_FIELD = r"(?:[\d*/,\-]|MON|TUE|WED|THU|FRI|SAT|SUN|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)+"
_FIVE_FIELDS = re.compile(rf"\s*{_FIELD}(?:\s+{_FIELD}){{4}}\s*", re.IGNORECASE | re.ASCII)


def check(expression: str) -> None:
    """Accepts only five-field expressions that match at some time.

    Raises:
        ValueError: with a sentence for the user. croniter also accepts `@daily`, six fields, `R`, and February 30.
    """
    if len(expression) > LONGEST or not _FIVE_FIELDS.fullmatch(expression):
        raise ValueError("must be a cron expression of five fields such as */8 * * * *")
    try:
        croniter(expression, datetime(2026, 1, 1), max_years_between_matches=4).get_next()  # noqa: DTZ001
    except (CroniterError, ValueError, KeyError) as error:
        raise ValueError(f"is not a valid cron expression: {str(error)[:100]}") from None


@lru_cache(maxsize=4096)
def _window(expression: str, minute: datetime) -> datetime:
    start: datetime = croniter(expression, minute + timedelta(minutes=1)).get_prev(datetime)
    return start


def inside(expression: str, duration: timedelta, at: datetime) -> bool:
    """True if `at` (UTC) is within `duration` after a time that matches the expression."""
    return at < _window(expression, at.replace(second=0, microsecond=0)) + duration


def check_schedule(schedule: str) -> None:
    """Accepts only five-field cron and systemd OnCalendar expressions that match at some time.

    Raises:
        ValueError: with a sentence for the user.
    """
    if len(schedule) > LONGEST or next_run(schedule, "UTC", datetime(2026, 1, 1, tzinfo=UTC)) is None:
        raise ValueError("is not a valid cron or OnCalendar expression")


def next_run(schedule: str, tz: str, after: datetime) -> datetime | None:
    """The first time after `after` at which a job is due, in UTC; None if there is none.

    Healthchecks uses the same two libraries, so both agree on the nights in which clocks change (contract B.4): a fixed
    hour that occurs twice counts once; one that is skipped runs right after the gap.
    """
    return next(iter(next_runs(schedule, tz, after, 1)), None)


def next_runs(schedule: str, tz: str, after: datetime, most: int) -> Sequence[datetime]:
    """The first `most` such times."""
    # The libraries ignore smaller units, so the jobs of one minute share a cache entry.
    return _next(schedule, tz, after.replace(second=0 if is_cron(schedule) else after.second, microsecond=0), most)


@lru_cache(maxsize=8192)
def _next(schedule: str, tz: str, after: datetime, most: int) -> Sequence[datetime]:
    local = after.astimezone(zone(tz))
    engine = CronSim if is_cron(schedule) else OnCalendar
    found: list[datetime] = []
    with suppress(CronSimError, OnCalendarError, OverflowError):
        found += (run.astimezone(UTC) for run in islice(engine(schedule, local), most))
    return tuple(found)


def zone(name: str) -> tzinfo:
    """A time zone; UTC if this host does not know the name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # ValueError: the name is malformed
        return UTC


def is_cron(schedule: str) -> bool:
    """True for five fields on one line; anything else is OnCalendar."""
    return "\n" not in schedule.strip() and len(schedule.split()) == 5
