"""One question: a caller, a connection, the window of time, and the wait for what was in the stream when asked."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import AfterValidator

from pinghome_common.clock import now
from pinghome_common.dialects import pinghome
from pinghome_common.errors import FieldError, Invalid
from statistic_query.read import Read

NAME = "statistic-query"
DAY = timedelta(days=1)
FIRST = datetime.min.replace(tzinfo=UTC)


async def telemetry_seen(request: Request, _: pinghome.Authorized) -> None:
    """Waits, half a second at most, until all telemetry that was there is applied: a ping answered 200 is seen."""
    await request.app.state.progress.reached(NAME, "TELEMETRY")


async def _query(request: Request, caller: pinghome.Authorized) -> Read:
    return Read(request.app.state.db, caller.organisation)


Queried = Annotated[Read, Depends(_query)]


def moment(field: str, text: str | None) -> datetime | None:
    """A time that a client names, RFC 3339; without an offset it is UTC.

    Raises:
        Invalid: it is none.
    """
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text) if len(text) <= 40 else None
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC) if at else _wrong(field)
    except (ValueError, OverflowError):
        return _wrong(field)


def _wrong(field: str) -> datetime:
    raise Invalid(FieldError(field, "must be a time such as 2022-04-03T21:00:00Z"))


class Range:
    """`start_date` and `end_date` of a question; without them, the last 24 hours.

    Raises:
        Invalid: one is no time, or the end lies before the start.
    """

    def __init__(self, start_date: str | None, end_date: str | None) -> None:
        self.asked_start, self.asked_end = moment("start_date", start_date), moment("end_date", end_date)
        self.end = min(self.asked_end or now(), now() + DAY)
        self.start = self.asked_start or max(self.end, FIRST + DAY) - DAY
        if self.asked_start and self.asked_end and self.asked_end < self.asked_start:
            raise Invalid(FieldError("end_date", "must not lie before start_date"))

    def since(self, created: datetime) -> "tuple[datetime, datetime]":
        """Start and end, no earlier than the monitor itself and no later than now."""
        first = created.replace(microsecond=0)  # slots are whole seconds: the first may lie just before
        last = max(min(self.end, now()), first)
        return min(max(self.start, first), last), last


async def _range(
    start_date: Annotated[str | None, Query(examples=["2022-04-03T21:00:00Z"])] = None,
    end_date: Annotated[str | None, Query(examples=["2022-04-03T22:04:00Z"])] = None,
) -> Range:
    return Range(start_date, end_date)


Ranged = Annotated[Range, Depends(_range)]


Limited = Annotated[
    int, Query(ge=1, description="at most 1000; more is cut to that"), AfterValidator(lambda limit: min(limit, 1000))
]
"""How many rows are wanted (contract A23: default 100, more than 1000 is clamped)."""
