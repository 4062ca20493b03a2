"""The rows of monitors."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from pinghome_common.events.resource import Resource, domain_of
from pinghome_delivery.outbox import ENDED
from resource_cmd.expiry.domain import domain_name
from resource_cmd.expiry.reminder import expiries
from resource_cmd.store import DependentStore


class Resources(DependentStore[Resource]):
    """Uptime monitors. A change of settings also notes that the schedules have to follow."""

    noun, type = "resource", Resource
    on_deletion = ENDED
    columns: ClassVar = {
        "service": "uuid", "name": "text", "status": "text", "interval": "int", "windowed": "boolean",
        "degraded": "boolean",
        "domain": "text", "domain_checked_at": "timestamptz", "remind_from": "timestamptz",
    }  # fmt: skip
    duplicate = (
        "t.organisation = n.organisation AND t.service = n.service AND t.name = n.name"
        " AND t.state @> jsonb_build_object('type', n.state->'type', 'url', n.state->'url',"
        " 'host', n.state->'host', 'port', n.state->'port')"
    )
    on_creation = (
        ", due AS (INSERT INTO unscheduled (resource) SELECT id FROM made"
        " ON CONFLICT (resource) DO UPDATE SET since = clock_timestamp())"
    )

    def _values(self, state: Resource) -> list[Any]:
        windowed = bool(state.maintenance_cron_expression and state.maintenance_duration)
        known = domain_of(state)
        return [
            *(state.service_id, state.name, state.change.status.value, state.interval, windowed),
            bool(state.failing_regions),
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

    async def forget(self, ids: Sequence[UUID]) -> None:
        """Drops what the regions said of some monitors, so that nothing old speaks for the time to come."""
        await self._tx.execute("DELETE FROM region_observation WHERE resource = ANY($1::uuid[])", ids)
