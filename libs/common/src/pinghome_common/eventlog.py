"""The event log: appended in the transaction that changes state, relayed to JetStream, kept for ever."""

import asyncio

import structlog

from pinghome_common.db import Connection, Database, only_one
from pinghome_common.stream import Broker

log = structlog.get_logger()

TABLES = """
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    aggregate uuid NOT NULL,
    version int NOT NULL,
    address text NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    UNIQUE (aggregate, version)
);
CREATE INDEX events_unpublished ON events (id) WHERE published_at IS NULL;
CREATE TABLE stream_born (name text PRIMARY KEY, created text NOT NULL);
"""
"""The plumbing's own tables; a command service's first migration makes them."""

LARGEST_STATE = 256 * 1024

EVENTS = "events (event_id, aggregate, version, address, body)"
INSERT = f"INSERT INTO {EVENTS} VALUES ($1, $2, $3, $4, $5)"  # noqa: S608  # our own names
"""What the stores of aggregates put into their own statements, so that state and event are one."""


class Relay:
    """Moves events from PostgreSQL to JetStream in the order of their ids; one is active at a time.

    An event is marked when its acknowledgement has come. A high-water mark would lose events: ids commit out of order.
    """

    def __init__(self, db: Database, broker: Broker) -> None:
        self._db, self._broker = db, broker
        self._work = asyncio.Event()

    def wake(self) -> None:
        """Says that there is something new; without it the relay looks each second."""
        self._work.set()

    async def run(self) -> None:
        """Relays until cancelled."""
        connection = await self._db.own()
        try:
            await only_one(connection, "relay")
            # A mark that is lost in a crash makes an event leave twice, under the same id: nobody sees it twice.
            await connection.execute("SET synchronous_commit = off")
            while True:
                self._work.clear()
                if await self._step(connection) == 0:
                    try:
                        async with asyncio.timeout(1.0):
                            await self._work.wait()
                    except TimeoutError:
                        continue
        finally:
            connection.terminate()

    async def _step(self, connection: Connection) -> int:
        rows = await connection.fetch(
            "SELECT id, event_id, address, body FROM events WHERE published_at IS NULL ORDER BY id LIMIT 500"
        )
        if rows:
            await self._broker.publish(
                (row["address"], row["body"], {"Nats-Msg-Id": str(row["event_id"])}) for row in rows
            )
            await connection.execute(
                "UPDATE events SET published_at = now() WHERE id = ANY($1::bigint[])", [row["id"] for row in rows]
            )
        return len(rows)


async def republish_if_lost(db: Database, born: dict[str, str]) -> None:
    """Has everything relayed again when EVENTS is not the stream it was: PostgreSQL is the log of record."""
    async with db.transaction() as tx:
        known = await tx.fetchval("SELECT created FROM stream_born WHERE name = 'EVENTS'")
        if known == born["EVENTS"]:
            return
        if known is not None:
            log.error("the stream EVENTS was lost; every event is published again from PostgreSQL")
            await tx.execute("UPDATE events SET published_at = NULL")
        await tx.execute(
            "INSERT INTO stream_born VALUES ('EVENTS', $1) ON CONFLICT (name) DO UPDATE SET created = $1",
            born["EVENTS"],
        )
