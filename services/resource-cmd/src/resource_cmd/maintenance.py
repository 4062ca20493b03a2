"""Deletes each hour what has served its time: answers to repeated requests, deliveries, boots of old gateways."""

from pinghome_common.db import Connection, delete_in_batches
from pinghome_common.worker import Worker

OLD = {
    "idempotency": "created_at < now() - interval '24 hours'",
    "seen": "at < now() - interval '30 days'",
    "notification": "NOT open AND (state->>'at')::timestamptz < now() - interval '30 days'",
}
"""By table, the condition of rows that nobody needs any more."""


class Maintenance(Worker):
    """Looks each hour."""

    lock = "maintenance"
    every = 3600.0

    async def round(self, connection: Connection) -> bool:
        """Deletes all that is old now."""
        for table, condition in OLD.items():
            await delete_in_batches(connection, table, condition)
        return False
