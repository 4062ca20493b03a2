"""Deletes each hour what has served its time: answers to repeated requests, deliveries, boots of old gateways."""

import asyncio

from pinghome_common.db import Connection, Database, delete_in_batches, only_one

HOUR = 3600.0

OLD = {
    "idempotency": "created_at < now() - interval '24 hours'",
    "seen": "at < now() - interval '30 days'",
    "notification": "NOT open AND (state->>'at')::timestamptz < now() - interval '30 days'",
}
"""By table, the condition of rows that nobody needs any more."""


async def keep_clean(db: Database) -> None:
    """Looks each hour until cancelled; one is active at a time."""
    connection = await db.own()
    try:
        await only_one(connection, "maintenance")
        while True:
            await delete_old(connection)
            await asyncio.sleep(HOUR)
    finally:
        connection.terminate()


async def delete_old(connection: Connection) -> None:
    """Deletes all that is old now."""
    for table, condition in OLD.items():
        await delete_in_batches(connection, table, condition)
