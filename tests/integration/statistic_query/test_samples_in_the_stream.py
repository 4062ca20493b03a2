"""Samples as they come from the stream: bad ones cost only themselves, and a projection that is killed loses none."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from conftest import connected, fresh_database
from integration.statistic_query.test_samples import BEGIN, CPU, DAYS, TEN, Here, cpu, rates, received, sample
from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.events import Event, encode
from pinghome_common.events.metric import Figures, MetricBatch, Sample
from pinghome_common.events.metric import encode as encode_batch
from pinghome_common.events.server_resource import Change, ServerResource, Status
from pinghome_common.projection import Projection, Source
from pinghome_common.stream import Broker
from resource_cmd.scheduling.streams import make_streams
from statistic_query.owned import Owned
from statistic_query.partition import Partitions
from statistic_query.project import Projector


class Streaming(Here):
    """The same with a real broker and the service's own projection."""

    def __init__(self, db: Database, broker: Broker) -> None:
        super().__init__(db)
        self.broker = broker

    @asynccontextmanager
    async def projecting(self) -> AsyncIterator[None]:
        projector = Projector(self.broker, Partitions(DAYS))
        sources = [
            Source("EVENTS", ["events.server_resource.>"], projector.events, whole=True),
            Source("TELEMETRY", ["telemetry.metric.>"], projector.telemetry, whole=True),
        ]
        task = asyncio.create_task(Projection("statistic-query", self.db, self.broker, sources, durable=False).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def announced(self) -> Owned:
        it = Owned(uuid4(), now())
        change = Change(status=Status.pending, previous=None, at=now(), version=1)
        state = ServerResource(
            id=it.id, organisation=uuid4(), service_id=uuid4(), name="x", change=change, created_at=now(),
            updated_at=now(),
        )  # fmt: skip
        event = Event(
            type="server_resource.created", time=now(), subject=it.id, organisation=state.organisation, version=1,
            actor="", data=state,
        )  # fmt: skip
        await self.broker.publish([(event.address(), encode(event), None)])
        return it

    async def publish(self, boot: bytes, number: int, *samples: Sample) -> None:
        await self.broker.publish([("telemetry.metric.a", encode_batch(MetricBatch(boot, number, [*samples])), None)])

    async def until(self, count: int, table: str = "sample") -> None:
        async with asyncio.timeout(60):
            while await self.count(table) < count:
                await asyncio.sleep(0.05)


@pytest.fixture
async def streaming(servers, broker) -> AsyncIterator[Streaming]:
    url = await fresh_database(servers, "statistic_query")
    async with Database(url) as db, Broker(broker.url("admin"), "test") as connection:
        await connected(connection)
        await make_streams(connection, 1, 64 << 20)
        yield Streaming(db, connection)


async def test_a_bad_sample_is_a_dead_letter_and_all_others_are_stored(streaming):
    it, boot = await streaming.announced(), uuid4().bytes
    bad = [
        sample(it, BEGIN, Figures(CPU, "", [1.0, 2.0])),
        sample(it, BEGIN, received("eth\0", 1)),
        Sample(b"short", 1, 1, 10, [cpu(1)]),
    ]
    bad[2].at = sample(it, BEGIN).at
    odd = [
        sample(it, BEGIN + TEN, Figures("temperature", "core 1", [50.0]), cpu(2)),
        sample(it, BEGIN + 2 * TEN, Figures(CPU, "", [float("inf"), 3.0, float("nan"), None, None])),
        sample(it, BEGIN + 3 * TEN),
        sample(Owned(uuid4(), now()), BEGIN, cpu(1)),
        Sample(it.id.bytes, 2**62, 0, 10, [cpu(1)]),
        Sample(it.id.bytes, -(2**62), 0, 10, [cpu(1)]),
    ]
    wild = msgspec.msgpack.decode(encode_batch(MetricBatch(boot, 2, [sample(it, BEGIN + 4 * TEN, cpu(4))] * 2)))
    wild[2][0][1] = "yesterday"
    async with streaming.projecting():
        await streaming.publish(boot, 1, bad[0], sample(it, BEGIN, cpu(1)), *bad[1:], *odd)
        await streaming.broker.publish([("telemetry.metric.a", msgspec.msgpack.encode(wild), None)])
        await streaming.until(5)
        await streaming.until(4, "dead_letter")

    letters = await streaming.db.fetch("SELECT key, error FROM dead_letter ORDER BY key")
    assert [row["key"].partition(".")[2] for row in letters] == ["0", "2", "3", "0"]
    found = await streaming.samples(it, CPU)
    assert [point.values[""][:3] for point in found] == [
        [1, None, None],
        [2, None, None],
        [None, 3, None],
        [4, None, None],
    ]


async def test_a_projection_that_is_killed_at_any_time_stores_each_sample_once(streaming):
    it, chance, boot = await streaming.announced(), random.Random(7), uuid4().bytes
    sent = [sample(it, BEGIN + place * TEN, received("eth0", 1000 * place)) for place in range(300)]
    number = 0
    for _ in range(12):
        async with streaming.projecting():
            for _ in range(25):
                number += 1
                await streaming.publish(boot, number, sent[number - 1])
                if chance.random() < 0.2:  # a client that had no answer sends again
                    await streaming.publish(uuid4().bytes, 1, *sent[max(number - 3, 0) : number])
            await asyncio.sleep(chance.random() * 0.2)
    async with streaming.projecting():
        await streaming.until(300)
    await streaming.roll_up()

    assert await streaming.count("sample") == 300
    assert rates(await streaming.samples(it)) == [(10 * place, 100) for place in range(1, 300)]
    minutes = await streaming.counts(it, "minute")
    assert list(minutes.values()) == [5] + [6] * 49
    assert sum((await streaming.counts(it, "day")).values()) == 299
    assert max(minutes) - min(minutes) == timedelta(minutes=49)
