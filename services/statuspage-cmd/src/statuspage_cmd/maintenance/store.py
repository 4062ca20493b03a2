"""The rows of maintenance, and of the rules by which it comes again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from pinghome_common.events.incident import Maintenance, MaintenanceStatus, Recurrence
from pinghome_common.store import Row
from statuspage_cmd.maintenance import maintenance as rules
from statuspage_cmd.maintenance import recurrence
from statuspage_cmd.store import OfPage


class Maintenances(OfPage[Maintenance]):
    """Maintenance; the limit is about what has not ended."""

    noun, type = "maintenance", Maintenance
    columns: ClassVar = {"page": "uuid", "recurrence": "uuid", "due": "timestamptz"}
    limit, current, counted = 500, "due IS NOT NULL", "due IS NOT NULL AND recurrence IS NULL"

    def _values(self, state: Maintenance) -> list[Any]:
        return [state.page, state.recurrence, rules.due(state)]

    async def scheduled(self, rule: UUID) -> list[Row[Maintenance]]:
        """Loads and locks the occurrences of a rule that have not begun."""
        ids = await self._tx.fetch("SELECT id FROM maintenance WHERE recurrence = $1 AND due IS NOT NULL", rule)
        rows = await self.edit_many([row["id"] for row in ids])
        return [row for row in rows if row.state.status is MaintenanceStatus.scheduled]

    async def tell_ahead(self, ids: Sequence[UUID], *, untold: bool = True) -> None:
        """Notes whether subscribers are still to be told of some before they begin."""
        await self._tx.execute("UPDATE maintenance SET untold = $2 WHERE id = ANY($1::uuid[])", ids, untold)


class Recurrences(OfPage[Recurrence]):
    """The rules by which maintenance comes again."""

    noun, type = "recurrence", Recurrence
    limit = 50

    @property
    def _word(self) -> str:
        return "maintenance"

    async def find(self, page: UUID, id_: UUID, version: int | None) -> Row[Recurrence] | None:
        """Loads and locks one of a page, if the id is that of one.

        Raises:
            PreconditionFailed: it has another version than the one wanted.
        """
        known = await self._tx.fetchval("SELECT true FROM recurrence WHERE id = $1 AND page = $2", id_, page)
        return await self.of(page, id_, version) if known else None

    async def plan(self, it: Recurrence, maintenances: Maintenances, since: datetime | None = None) -> None:
        """Makes the occurrences of the next 30 days that are not there yet: from a time on, or where it stopped."""
        row = await self._tx.fetchrow("SELECT next_at, generation FROM recurrence WHERE id = $1", it.id)
        made, following = recurrence.plan(it, since or row["next_at"], row["generation"], self._now)
        for each in made:
            await maintenances.add(each)
        await maintenances.tell_ahead([each.id for each in made])
        await self._tx.execute("UPDATE recurrence SET next_at = $2 WHERE id = $1", it.id, following)

    async def begin(self, it: Recurrence, maintenances: Maintenances) -> None:
        """Makes the first occurrences of a new one; one may be in progress already."""
        await self.plan(it, maintenances, self._now - timedelta(minutes=it.duration))

    async def retime(self, it: Recurrence, maintenances: Maintenances) -> None:
        """Makes occurrences anew, because their times have changed."""
        for row in await maintenances.scheduled(it.id):
            await maintenances.remove(row)
        await self._tx.execute("UPDATE recurrence SET generation = generation + 1 WHERE id = $1", it.id)
        await self.plan(it, maintenances, self._now)
