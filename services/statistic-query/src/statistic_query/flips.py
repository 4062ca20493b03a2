"""The flips of one service's checks: when each went up and down (contract B.6)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pinghome_common.db import Connection
from pinghome_common.errors import no_check


@dataclass(frozen=True, slots=True)
class Flip:
    """A check went up, or down."""

    at: datetime
    up: bool


class Flips:
    """What the holder of a service's key may see."""

    def __init__(self, db: Connection, organisation: UUID, service: UUID | None) -> None:
        self._db, self._of = db, (organisation, service)

    async def check(self, named: UUID | str) -> UUID:
        """The id of a check that is named by its id, or by its unique key.

        Raises:
            NotFound: there is none.
            ForbiddenError: the id is that of another service's; unique keys are looked for in this one only.
        """
        by = "id" if isinstance(named, UUID) else "unique_key"
        rows = await self._db.fetch(
            f"SELECT id, organisation, service FROM monitor WHERE {by} = $1 AND noun = 'heartbeat'",  # noqa: S608
            named,
        )
        for row in rows:
            if (row["organisation"], row["service"]) == self._of:
                found: UUID = row["id"]
                return found
        raise no_check(elsewhere=bool(rows) and isinstance(named, UUID))

    async def of(self, check: UUID, start: datetime | None, end: datetime | None) -> list[Flip]:
        """Those of a check from `start` until before `end`, newest first."""
        rows = await self._db.fetch(
            "SELECT at, up FROM flip WHERE heartbeat = $1 AND ($2::timestamptz IS NULL OR at >= $2)"
            " AND ($3::timestamptz IS NULL OR at < $3) ORDER BY at DESC, version DESC",
            check, start, end,
        )  # fmt: skip
        return [Flip(row["at"], row["up"]) for row in rows]
