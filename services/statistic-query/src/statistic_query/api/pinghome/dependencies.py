"""What routes depend on: reads limited to the caller's organisation, the time range, and applied telemetry."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import AfterValidator

from pinghome_common.clock import now
from pinghome_common.dialects import pinghome
from pinghome_common.errors import FieldError, Invalid
from statistic_query.project import NAME
from statistic_query.read import Read

DAY = timedelta(days=1)
FIRST = datetime.min.replace(tzinfo=UTC)


async def telemetry_applied(request: Request, _: pinghome.Authorized) -> None:
    """Waits at most half a second until the telemetry in the stream is applied, so that acknowledged pings show."""
    await request.app.state.progress.reached(NAME, "TELEMETRY")


async def _read(request: Request, caller: pinghome.Authorized) -> Read:
    return Read(request.app.state.db, caller.organisation)


Reading = Annotated[Read, Depends(_read)]


def parse_time(field: str, text: str | None) -> datetime | None:
    """Parses an RFC 3339 time; without an offset it is UTC.

    Raises:
        Invalid: it is not such a time.
    """
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text) if len(text) <= 40 else None
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC) if at else _invalid(field)
    except (ValueError, OverflowError):
        return _invalid(field)


def _invalid(field: str) -> datetime:
    raise Invalid(FieldError(field, "must be a time such as 2022-04-03T21:00:00Z"))


class Range:
    """`start_date` and `end_date` of a query; default: the last 24 hours.

    Raises:
        Invalid: one is not a time, or the end is before the start.
    """

    def __init__(self, start_date: str | None, end_date: str | None) -> None:
        self.asked_start, self.asked_end = parse_time("start_date", start_date), parse_time("end_date", end_date)
        self.end = min(self.asked_end or now(), now() + DAY)
        self.start = self.asked_start or max(self.end, FIRST + DAY) - DAY
        if self.asked_start and self.asked_end and self.asked_end < self.asked_start:
            raise Invalid(FieldError("end_date", "must not be before start_date"))

    def since(self, created: datetime) -> "tuple[datetime, datetime]":
        """Start and end, no earlier than the monitor itself and no later than now."""
        first = created.replace(microsecond=0)  # slots are whole seconds, so the first may be just before
        last = max(min(self.end, now()), first)
        return min(max(self.start, first), last), last


async def _range(
    start_date: Annotated[str | None, Query(examples=["2022-04-03T21:00:00Z"])] = None,
    end_date: Annotated[str | None, Query(examples=["2022-04-03T22:04:00Z"])] = None,
) -> Range:
    return Range(start_date, end_date)


Ranged = Annotated[Range, Depends(_range)]


Limited = Annotated[
    int,
    Query(ge=1, description="at most 1000; a larger number means 1000"),
    AfterValidator(lambda limit: min(limit, 1000)),
]
"""The maximum number of rows (contract A23: default 100, more than 1000 is clamped)."""
