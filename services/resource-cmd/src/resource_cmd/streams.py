"""Makes the streams and the probers' consumers, again when the broker has lost them."""

import asyncio

from pinghome_common.db import Database
from pinghome_common.eventlog import republish_if_lost
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker


async def keep_streams(db: Database, broker: Broker, settings: Settings) -> None:
    """Looks at each new connection to the broker, for a lost store comes with a restart."""
    seen = 0
    while True:
        if broker.connected and broker.generation != seen:
            generation = broker.generation
            born = await broker.ensure(settings.nats_replicas, settings.stream_max_bytes)
            for region in settings.regions:
                await broker.job_queue(region)
            await republish_if_lost(db, born)
            await _forget(db)
            seen = generation
        await asyncio.sleep(0.2)


async def _forget(db: Database) -> None:
    """Drops what has served its time: answers to repeated requests, boots of gateways long gone, deliveries."""
    async with db.connection() as connection:
        await connection.execute("DELETE FROM idempotency WHERE created_at < now() - interval '24 hours'")
        await connection.execute("DELETE FROM seen WHERE at < now() - interval '30 days'")
        await connection.execute(
            "DELETE FROM notification WHERE NOT open AND (state->>'at')::timestamptz < now() - interval '30 days'"
        )
