"""The days and the last 24 hours that charts show, from rows of UTC days."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from statuspage_query.response_times import EVERY, place_of

Days = dict[int, Any]
"""Rows of days by how many days ago these were."""


def by_age(rows: Iterable[Any], name: str, today: date) -> dict[UUID, Days]:
    """Rows with a `day`, by what they are of, which is in the column `name`."""
    found: dict[UUID, Days] = {}
    for row in rows:
        found.setdefault(row[name], {})[(today - row["day"]).days] = row
    return found


def begun(now: datetime) -> tuple[int, datetime]:
    """How many five minutes of today have begun, and when the last of them ends."""
    at = now.astimezone(UTC)
    count = place_of(at) + 1
    return count, datetime.combine(at.date(), time(), UTC) + count * EVERY
