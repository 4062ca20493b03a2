"""Cron expressions of maintenance windows: croniter behind one small interface."""

import re
from datetime import datetime, timedelta
from functools import lru_cache

from croniter import CroniterError, croniter

LONGEST = 100

_FIELD = r"(?:[\d*/,\-]|MON|TUE|WED|THU|FRI|SAT|SUN|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)+"
_FIVE_FIELDS = re.compile(rf"\s*{_FIELD}(?:\s+{_FIELD}){{4}}\s*", re.IGNORECASE | re.ASCII)


def check(expression: str) -> None:
    """Refuses what is no plain five-field expression, or never comes.

    Raises:
        ValueError: with a sentence for the user. croniter alone takes `@daily`, six fields, `R`, and February 30.
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
