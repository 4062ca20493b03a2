"""The rows of heartbeats."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.runtime_state import lock_runtime, write_runtime
from pinghome_common.store import Row
from pinghome_delivery.outbox import ENDED
from resource_cmd.store import ServiceStore


class Heartbeats(ServiceStore[Heartbeat]):
    """Heartbeats; their runtime state is a row of its own, which pings rewrite without touching the settings."""

    noun, type = "heartbeat", Heartbeat
    on_deletion = ENDED
    columns: ClassVar = {"service": "uuid", "name": "text"}
    duplicate = "t.organisation = n.organisation AND t.service = n.service AND t.name = n.name"
    on_creation = (
        ", alive AS (INSERT INTO runtime_state (heartbeat, version, status, changed_at, reason, n_pings, position)"
        " SELECT id, 1, state->'vitals'->>'status', (state->'vitals'->>'changed_at')::bigint, '', 0, 0 FROM made)"
    )

    def _values(self, state: Heartbeat) -> list[Any]:
        return [state.service_id, state.name]

    async def edit_many(self, ids: Sequence[UUID]) -> list[Row[Heartbeat]]:
        """As everywhere, with the present runtime state."""
        # Everybody locks runtime states first, as counting pings begins with them: no two can wait for each other.
        states = await lock_runtime(self._tx, ids)
        rows = await super().edit_many(ids)
        for row in rows:
            row.state.vitals = states[row.state.id]
        return rows

    async def save(self, row: Row[Heartbeat], what: str = "updated") -> None:
        """As everywhere, with its runtime state."""
        await super().save(row, what)
        await write_runtime(self._tx, [row.state])

    async def save_many(self, rows: Sequence[Row[Heartbeat]], what: str = "updated") -> None:
        """As everywhere, with their runtime states."""
        await super().save_many(rows, what)
        if rows:
            await write_runtime(self._tx, [row.state for row in rows])
