"""The flips of a check: when it went up and down (contract B.6)."""

from dataclasses import dataclass
from datetime import datetime

from pinghome_common.db import Connection
from statistic_query.owned import Owned

MOST = 10_000
"""Flips in one answer."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A check went up, or down."""

    at: datetime
    up: bool


async def flips(db: Connection, check: Owned, start: datetime | None, end: datetime | None) -> list[Flip]:
    """Those of a check from `start` until before `end`, newest first, at most `MOST`."""
    rows = await db.fetch(
        "SELECT at, up FROM flip WHERE heartbeat = $1 AND ($2::timestamptz IS NULL OR at >= $2)"
        " AND ($3::timestamptz IS NULL OR at < $3) ORDER BY at DESC, version DESC LIMIT $4",
        check.id, start, end, MOST,
    )  # fmt: skip
    return [Flip(row["at"], row["up"]) for row in rows]
