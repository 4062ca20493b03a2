"""Flips: when a heartbeat went up and down (contract B.6)."""

from dataclasses import dataclass
from datetime import datetime

from pinghome_common.db import Connection
from statistic_query.owned import Owned

MAX_FLIPS = 10_000
"""Flips in one answer."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A heartbeat went up or down."""

    at: datetime
    up: bool


async def flips(db: Connection, heartbeat: Owned, start: datetime | None, end: datetime | None) -> list[Flip]:
    """The flips of a heartbeat from `start` to before `end`, newest first, at most `MAX_FLIPS`."""
    rows = await db.fetch(
        "SELECT at, up FROM flip WHERE heartbeat = $1 AND ($2::timestamptz IS NULL OR at >= $2)"
        " AND ($3::timestamptz IS NULL OR at < $3) ORDER BY at DESC, version DESC LIMIT $4",
        heartbeat.id, start, end, MAX_FLIPS,
    )  # fmt: skip
    return [Flip(row["at"], row["up"]) for row in rows]
