"""Silence on a real database: who is late, and how far our own hearing vouches for it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from applying import apply_all
from pinghome_common.clock import from_micros
from pinghome_common.db import Database
from pinghome_common.events.heartbeat import MICRO, Heartbeat, Status
from pinghome_common.events.ping import Batch, Kind, Ping, Tick, encode
from pinghome_common.store import Actor, no_wait
from pinghome_common.stream import Message
from resource_cmd.evaluation.deadlines import _WATERMARK, DeadlineWorker
from resource_cmd.evaluation.telemetry import TelemetryConsumer
from resource_cmd.heartbeats import heartbeat
from resource_cmd.heartbeats.store import Heartbeats

AT = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp()) * MICRO
BOOT = uuid4()


class World:
    """One heartbeat each 60 s, and a stream that this test writes by hand; times are seconds after `AT`."""

    def __init__(self, db: Database, it: Heartbeat) -> None:
        self.db, self.it, self.seq, self.number = db, it, 0, 0
        self.sweeper = DeadlineWorker(db, lambda: None, 60)

    async def hear(self, subject: str, data: bytes) -> None:
        self.seq += 1
        async with self.db.transaction() as tx:
            await apply_all(tx, TelemetryConsumer(60, 30).apply, [Message(self.seq, subject, data)])

    async def ping(self, at: float, kind: Kind = Kind.tick, number: int | None = None) -> None:
        if number is None:
            self.number = number = self.number + 1
        ping = Ping(uuid4().bytes, self.it.id.bytes, AT + int(at * MICRO), kind)
        await self.hear("telemetry.ping.gateway-1", encode(Batch(BOOT.bytes, number, [ping])))

    async def tick(self, at: float, since: float = -1000, gateway: str = "gateway-1") -> None:
        tick = Tick(gateway, AT + int(at * MICRO), AT + int(since * MICRO))
        await self.hear(f"telemetry.tick.{gateway}", encode(tick))

    async def sweep(self, now: float) -> None:
        """What the sweeper does at a time of the clock, in a round that is not one of those that look in any case."""
        self.sweeper._turn = 0
        if not await self.sweeper.due():
            return
        async with self.db.connection() as connection:
            mark = await connection.fetchrow(_WATERMARK)
            if mark["at"] is not None:
                at = min(AT + int(now * MICRO), mark["at"])
                await self.sweeper._judge_silence(connection, at, mark["resumed"])

    async def vitals(self):
        async with self.db.connection() as connection:
            return await connection.fetchrow("SELECT * FROM runtime_state")

    async def status(self) -> str:
        return (await self.vitals())["status"]

    async def events(self) -> list[str]:
        async with self.db.connection() as connection:
            rows = await connection.fetch("SELECT convert_from(body, 'utf8')::jsonb AS e FROM events ORDER BY version")
            return [row["e"] for row in rows]


@pytest.fixture
async def world(commands: str) -> AsyncIterator[World]:
    async with Database(commands) as db:
        settings = {"name": "job", "service_id": uuid4(), "period": 60, "methods": ["GET"]}
        it = heartbeat.create(uuid4(), uuid4(), settings, from_micros(AT), enabled=True)
        async with db.transaction() as tx:
            await Heartbeats(tx, Actor("test"), no_wait, from_micros(AT)).add(it)
        yield World(db, it)


async def test_a_job_that_stops_is_down_at_its_deadline(world):
    await world.ping(0)
    await world.tick(59.9)
    await world.sweep(59.9)
    assert await world.status() == Status.up
    await world.tick(60)
    await world.sweep(61)
    vitals = await world.vitals()
    assert (vitals["status"], vitals["changed_at"]) == (Status.down, AT + 60 * MICRO)
    assert len(await world.events()) == 3  # created, up, down


async def test_without_a_gateways_word_silence_means_nothing(world):
    await world.ping(0)
    await world.sweep(10_000)
    assert await world.status() == Status.up
    await world.tick(30)
    await world.sweep(10_000)
    assert await world.status() == Status.up


async def test_a_region_that_has_just_fallen_silent_is_looked_at_at_once(world):
    await world.db.fetch("INSERT INTO region_heard VALUES ('a', $1)", AT)
    seen = []
    for at in (14, 16, 299, 301):
        await world.tick(at)
        world.sweeper._turn = 0
        seen.append(await world.sweeper.due())
    assert seen == [False, True, True, False]


async def test_the_slower_of_two_gateways_is_waited_for(world):
    await world.ping(0)
    await world.tick(30, gateway="gateway-2")
    await world.tick(100)
    await world.sweep(100)
    assert await world.status() == Status.up
    await world.tick(61, gateway="gateway-2")
    await world.sweep(100)
    assert await world.status() == Status.down


async def test_a_gateway_that_left_ten_minutes_ago_is_not_waited_for(world):
    await world.ping(0)
    await world.tick(10, gateway="gateway-2")
    await world.tick(611)
    await world.sweep(620)
    assert await world.status() == Status.down


async def test_a_gateway_whose_spool_another_one_has_sent_is_not_waited_for(world):
    await world.ping(0)
    await world.tick(10, gateway="gateway-2")
    await world.tick(61)
    await world.sweep(62)
    assert await world.status() == Status.up
    gone = Tick("gateway-2", AT + 61 * MICRO, 0, gone=True)
    await world.hear("telemetry.tick.gateway-1", encode(gone))
    await world.sweep(62)
    assert await world.status() == Status.down


async def test_the_last_gateway_is_waited_for_whatever_is_said_of_it(world):
    await world.ping(0)
    await world.tick(10)
    await world.hear("telemetry.tick.gateway-1", encode(Tick("gateway-1", AT + 61 * MICRO, 0, gone=True)))
    await world.sweep(100)
    assert await world.status() == Status.up


async def test_a_time_in_which_nobody_listened_is_not_blamed_on_the_job(world):
    await world.ping(0)
    await world.tick(1)
    await world.tick(1800, since=1800)  # half an hour of outage, then a new gateway process
    await world.sweep(1800)
    assert await world.status() == Status.up
    await world.tick(1859)
    await world.sweep(1859)
    assert await world.status() == Status.up
    await world.tick(1860)
    await world.sweep(1860)
    assert await world.status() == Status.down  # a real miss is found a minute after the outage


async def test_a_gateway_that_takes_the_place_of_another_does_not_blame_the_time_in_between(world):
    await world.ping(0)
    await world.tick(1)
    await world.tick(1800, since=1800, gateway="gateway-2")
    await world.sweep(1800)
    assert await world.status() == Status.up


async def test_a_silent_broker_is_no_outage_for_the_job_whose_pings_the_gateway_kept(world):
    await world.ping(0)
    await world.tick(1)
    await world.tick(1800)  # the gateway listened all the time, and its spool would have come before
    await world.sweep(1800)
    assert await world.status() == Status.down


async def test_a_batch_that_comes_again_is_counted_once(world):
    for _ in range(3):
        await world.ping(0, number=7)
    await world.ping(1, number=8)
    assert (await world.vitals())["n_pings"] == 2


async def test_a_late_ping_after_the_deadline_brings_the_heartbeat_back(world):
    await world.ping(0)
    await world.tick(70)
    await world.sweep(70)
    assert await world.status() == Status.down
    await world.ping(80)
    assert await world.status() == Status.up
