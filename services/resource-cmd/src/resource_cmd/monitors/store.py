"""The rows of monitors."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.resource import Resource, domain_of
from pinghome_delivery.outbox import ENDED
from resource_cmd.expiry.domain import domain_name
from resource_cmd.expiry.reminder import expiries
from resource_cmd.store import ServiceStore


class Resources(ServiceStore[Resource]):
    """Uptime monitors. A change of settings also notes that the schedules have to follow."""

    noun, type = "resource", Resource
    on_deletion = ENDED
    columns: ClassVar = {
        "service": "uuid", "name": "text", "status": "text", "interval": "int", "windowed": "boolean",
        "domain": "text", "domain_checked_at": "timestamptz", "remind_from": "timestamptz",
    }  # fmt: skip
    duplicate = (
        "t.organisation = n.organisation AND t.service = n.service AND t.name = n.name"
        " AND t.state @> jsonb_build_object('type', n.state->'type', 'url', n.state->'url',"
        " 'host', n.state->'host', 'port', n.state->'port')"
    )
    on_creation = ", due AS (INSERT INTO unscheduled (resource) SELECT id FROM made)"

    def _values(self, state: Resource) -> list[Any]:
        windowed = bool(state.maintenance_cron_expression and state.maintenance_duration)
        known = domain_of(state)
        return [
            *(state.service_id, state.name, state.change.status.value, state.interval, windowed),
            *(domain_name(state), known and known.checked_at),
            min((expiry.begins for expiry in expiries(state)), default=None),
        ]

    async def reschedule(self, ids: Sequence[UUID]) -> None:
        """Notes, in this transaction, that the scheduler has to look at some monitors."""
        await self._tx.execute(
            "INSERT INTO unscheduled (resource) SELECT unnest($1::uuid[])"
            " ON CONFLICT (resource) DO UPDATE SET since = clock_timestamp()",
            ids,
        )

    async def check_parent(self, parent: UUID, child: UUID | None = None) -> None:
        """Raises Invalid when `parent_id` names none of the actor's monitors, or one that depends on the child."""
        # Two changes at the same time could else close a circle that neither of them sees.
        await self._tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", str(self._actor.organisation))
        rows = await self._tx.fetch(
            "WITH RECURSIVE above AS ("
            " SELECT id, state->>'parent_id' AS parent FROM resource WHERE id = $1 AND organisation = $2"
            " UNION SELECT r.id, r.state->>'parent_id' FROM resource r JOIN above ON r.id = above.parent::uuid"
            ") SELECT id FROM above",
            parent, self._actor.organisation,
        )  # fmt: skip
        if not rows:
            raise Invalid(FieldError("parent_id", f"there is no resource {parent}"))
        if child in {row["id"] for row in rows}:
            raise Invalid(FieldError("parent_id", "depends on this resource itself"))

    async def orphan(self, ids: Sequence[UUID]) -> None:
        """Takes monitors that are about to go out of those that name them as their parent."""
        children = await self._tx.fetch(
            "SELECT id FROM resource WHERE organisation = $1 AND state->>'parent_id' = ANY($2::text[])",
            self._actor.organisation, [str(id_) for id_ in ids],
        )  # fmt: skip
        if below := {row["id"] for row in children}.difference(ids):
            for row in await self.edit_many([*ids, *below]):  # all of them, so that everybody locks in the same order
                if row.state.id in below:
                    row.state.parent_id = None
                    await self.save(row)

    async def forget(self, id_: UUID) -> None:
        """Drops what the regions said of a monitor, so that nothing old speaks for the time to come."""
        await self._tx.execute("DELETE FROM region_observation WHERE resource = $1", id_)
