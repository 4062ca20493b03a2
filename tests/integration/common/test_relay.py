"""What the relay does about a broker that has lost what it had confirmed: every event is in EVENTS once, in order."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import nats
import pytest

from conftest import connected
from pinghome.nats import Nats
from pinghome_common.app import supervise
from pinghome_common.db import Database
from pinghome_common.event_log import INSERT, RESERVE, Relay
from pinghome_common.events import Event, decode, encode
from pinghome_common.stream import Broker, Reader
from resource_cmd.scheduling.streams import make_streams

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def created() -> Event:
    return Event(type="service.created", time=NOW, subject=uuid4(), organisation=uuid4(), version=1, actor="", data={})


class World:
    """A relay between a database and a broker of its own."""

    def __init__(self, db: Database, nats_server: Nats) -> None:
        self.db, self.nats = db, nats_server
        self.broker = Broker(nats_server.url("resource-cmd"), "resource-cmd")
        self.relay = Relay(db, self.broker)
        self.logged: list[UUID] = []

    async def log(self, count: int) -> None:
        """Commits some events and waits until they have left."""
        async with self.db.transaction() as tx:
            for _ in range(count):
                event = created()
                await tx.execute(INSERT, event.id, event.subject, 1, event.address(), encode(event))
                self.logged.append(event.id)
        await self.settled()

    async def settled(self) -> None:
        """Waits until every event is marked as published."""
        self.relay.wake()
        async with asyncio.timeout(20):
            while await self.fetch("SELECT FROM events WHERE published_seq IS NULL"):
                await asyncio.sleep(0.02)

    async def doubt(self) -> None:
        """As `keep_streams` says it; waits until the relay has looked."""
        before = await self.fetch("SELECT xmin FROM stream")
        self.relay.doubt()
        async with asyncio.timeout(20):
            while await self.fetch("SELECT xmin FROM stream") == before:
                await asyncio.sleep(0.02)
        await self.settled()

    async def fetch(self, statement: str):
        async with self.db.connection() as connection:
            return await connection.fetch(statement)

    async def streamed(self, after: int = 0) -> dict[int, UUID]:
        """The ids of the events in the stream, by sequence, as a reader finds them that has read until `after`."""
        head = await self.broker.head("EVENTS")
        reader, found = Reader(self.broker, "EVENTS", ["events.>"], after), {}
        async with asyncio.timeout(20):
            while (reader.position or 0) < head:
                for message in await reader.take():
                    if message.subject != "events.skipped":
                        found[message.seq] = decode(message.data).id
        await reader.stop()
        return found

    async def lose(self, count: int) -> None:
        """Has `count` events published, and then the broker start from the store that it had before them."""
        store, kept = self.nats.data / "nats", self.nats.data / "kept"
        await self.nats.supervisor.stop("nats")
        shutil.copytree(store, kept)
        await self.nats.start()
        await connected(self.broker)
        await self.log(count)
        await self.nats.supervisor.stop("nats")
        shutil.rmtree(store)
        kept.rename(store)
        await self.nats.start()
        await connected(self.broker)


@pytest.fixture
async def world(commands: str, broker: Nats) -> AsyncIterator[World]:
    async with Database(commands) as db:
        world = World(db, broker)
        async with world.broker:
            await connected(world.broker)
            await make_streams(world.broker, 1, 64 << 20)
            async with working(world):
                yield world


@asynccontextmanager
async def working(world: World) -> AsyncIterator[None]:
    task = asyncio.create_task(supervise("relay", world.relay.run))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def admin(world: World):
    client = await nats.connect(world.nats.url("admin"))
    yield client.jetstream()
    await client.close()


async def test_events_leave_in_order_and_each_is_marked_with_its_sequence(world):
    await world.log(3)
    await world.log(2)
    streamed = await world.streamed()
    assert list(streamed.values()) == world.logged
    rows = await world.fetch("SELECT published_seq, event_id FROM events ORDER BY id")
    assert {row["published_seq"]: row["event_id"] for row in rows} == streamed


async def test_what_a_broker_has_lost_comes_again_under_sequences_that_nobody_has_seen(world):
    await world.log(3)
    await world.lose(4)
    seen = await world.fetch("SELECT max(reserved) AS reserved FROM stream")
    await world.doubt()
    await world.log(1)
    streamed = await world.streamed()
    assert list(streamed.values()) == world.logged
    assert list(streamed)[3] > seen[0]["reserved"]
    assert list((await world.streamed(after=list(streamed)[2] + 4)).values()) == world.logged[3:]  # all lost was read


async def test_a_loss_is_noticed_by_the_next_event_even_if_nobody_says_so(world):
    await world.log(2)
    await world.lose(2)
    await world.log(1)
    assert list((await world.streamed()).values()) == world.logged


async def test_marks_that_are_lost_are_found_in_the_stream(world):
    await world.log(5)
    before = await world.streamed()
    await world.fetch("UPDATE events SET published_seq = NULL WHERE id > 3")
    await world.doubt()
    await world.log(1)
    streamed = await world.streamed()
    assert list(streamed.values()) == world.logged
    assert before.items() <= streamed.items()


async def test_it_measures_for_how_long_events_have_waited_for_the_broker(world):
    await world.log(1)
    await world.nats.supervisor.stop("nats")
    logging = asyncio.create_task(world.log(1))
    async with asyncio.timeout(60):
        while world.relay.waited() < 1:
            await asyncio.sleep(0.05)
    await world.nats.start()
    await logging
    async with asyncio.timeout(60):
        while world.relay.waited():  # the round that has published is not at its end at once
            await asyncio.sleep(0.01)


async def test_messages_of_somebody_else_stop_nothing(world):
    await world.log(1)
    async with admin(world) as stranger:
        await stranger.publish("events.skipped", b"")
        await world.log(2)
        assert list((await world.streamed()).values()) == world.logged
        await stranger.publish("events.other", b"not an event")
    await world.log(1)
    assert not await world.fetch("SELECT FROM events WHERE published_seq IS NULL")


async def test_a_stream_that_is_lost_or_has_a_hole_is_filled_again(world):
    await world.log(4)
    last = max(await world.streamed())
    async with admin(world) as operator:
        await operator.delete_stream("EVENTS")
        await make_streams(world.broker, 1, 64 << 20)
        await world.doubt()
        streamed = await world.streamed()
        assert list(streamed.values()) == world.logged
        assert min(streamed) > last
        await operator.delete_msg("EVENTS", sorted(streamed)[1])
        await make_streams(world.broker, 1, 64 << 20)
        await world.doubt()
    again = await world.streamed()
    assert list(again.values()) == world.logged
    assert min(again) > max(streamed)


async def test_no_more_is_skipped_than_was_reserved(world):
    await world.log(1)
    before = await world.broker.head("EVENTS")
    for _ in range(3):
        await world.doubt()
    await world.log(1)
    assert await world.broker.head("EVENTS") - before <= RESERVE + 1


async def test_a_second_service_has_a_stream_of_its_own(commands: str, broker: Nats):
    async with Database(commands) as db, Broker(broker.url("admin"), "admin") as client:
        await connected(client)
        config = {"name": "STATUS_EVENTS", "subjects": ["status.>"], "first_seq": 1000, "allow_direct": True}
        await client.api("STREAM.CREATE.STATUS_EVENTS", config)
        event = created()
        async with db.transaction() as tx:
            await tx.execute(INSERT, event.id, event.subject, 1, event.address("status"), encode(event))
        relay = Relay(db, client, "STATUS_EVENTS", "status")
        task = asyncio.create_task(supervise("relay", relay.run))
        async with asyncio.timeout(20):
            while not (last := await client.last("STATUS_EVENTS", f"status.service.{event.subject}")):
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert decode(last.data).id == event.id
