"""The rows of what belongs to a service, which is one organisation's, and of what may depend on a parent."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from pinghome_common.errors import FieldError, Invalid, NotFound
from pinghome_common.store import Aggregate, Store

S = TypeVar("S", bound=Aggregate)


class ServiceStore(Store[S]):
    """Aggregates with a `service_id`: whoever is the first to use one owns the service."""

    permitted = (
        "EXISTS (SELECT FROM service_owner o"
        " WHERE o.service = (n.state->>'service_id')::uuid AND o.organisation = n.organisation)"
    )

    def _owned(self, state: S) -> UUID | None:
        service: UUID | None = getattr(state, "service_id", None)
        return service

    async def _claim(self, state: S) -> None:
        owner = await self._tx.fetchval(
            "INSERT INTO service_owner AS old VALUES ($1, $2)"
            " ON CONFLICT (service) DO UPDATE SET organisation = old.organisation RETURNING organisation",
            self._owned(state), state.organisation,
        )  # fmt: skip
        if owner != state.organisation:
            raise NotFound("Service not found")


class DependentStore(ServiceStore[S]):
    """Monitors and servers: each may name another one, of either kind, as its `parent_id`."""

    async def check_parent(self, parent: UUID, child: UUID | None = None) -> None:
        """Raises Invalid when `parent_id` names none of the actor's, or one that depends on the child."""
        await self._lock_family()  # two changes at the same time could else close a circle that neither of them sees
        rows = await self._tx.fetch(_ABOVE, parent, self._actor.organisation)
        if not rows:
            raise Invalid(FieldError("parent_id", f"there is no monitor or server {parent}"))
        if child in {row["id"] for row in rows}:
            raise Invalid(FieldError("parent_id", "depends on this one itself"))

    async def orphan(self, ids: Sequence[UUID]) -> None:
        """Takes monitors or servers that are about to be deleted out of those here that name them as their parent."""
        children = await self._tx.fetch(
            f"SELECT id FROM {self.noun} WHERE organisation = $1 AND state->>'parent_id' = ANY($2::text[])",
            self._actor.organisation, [str(id_) for id_ in ids],
        )  # fmt: skip
        if below := {row["id"] for row in children}.difference(ids):
            await self._lock_family()  # rows of two tables: who comes second must not hold any of them
            rows = await self.edit_many([*ids, *below])  # all of them, so that everybody locks in the same order
            orphans = [row for row in rows if row.state.id in below]
            for row in orphans:
                state: Any = row.state
                state.parent_id = None
            await self.save_many(orphans)

    async def _lock_family(self) -> None:
        await self._tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", str(self._actor.organisation))


_ABOVE = """
WITH RECURSIVE above AS (
    SELECT NULL::uuid AS id, $1::uuid::text AS parent
    UNION SELECT p.* FROM above a CROSS JOIN LATERAL (
        SELECT id, state->>'parent_id' FROM resource WHERE id = a.parent::uuid AND organisation = $2
        UNION ALL SELECT id, state->>'parent_id' FROM server_resource WHERE id = a.parent::uuid AND organisation = $2
    ) p
)
SELECT id FROM above WHERE id IS NOT NULL
"""
