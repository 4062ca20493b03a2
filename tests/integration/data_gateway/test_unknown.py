"""Heartbeats that are not known: the stream is asked before anybody hears 404, but not once for each."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from conftest import connected
from data_gateway.ping_intake import MAX_LOOKUPS, PingIntake
from pinghome.nats import Nats
from pinghome_common.directory import Directory
from pinghome_common.errors import NotFound, Unavailable
from pinghome_common.events import Event, encode
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.stream import Broker
from resource_cmd.scheduling.streams import make_streams

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
async def commands(broker: Nats) -> AsyncIterator[Broker]:
    async with Broker(broker.url("resource-cmd"), "resource-cmd") as ours:
        await connected(ours)
        await make_streams(ours, 1, 64 << 20)
        yield ours


@pytest.fixture
async def intake(commands: Broker, broker: Nats, tmp_path: Path) -> AsyncIterator[PingIntake]:
    assert commands
    made = PingIntake()
    async with Broker(broker.url("data-gateway"), "data-gateway") as ours:
        await connected(ours)
        made.broker = ours
        made.directory = Directory(ours, tmp_path / "known", {"heartbeat": made.apply})
        reading = asyncio.create_task(made.directory.run(), name="reading")
        async with asyncio.timeout(20):
            while not made.directory.ready:
                await asyncio.sleep(0.01)
        yield made
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def create(commands: Broker, id_: UUID) -> None:
    it = Heartbeat(
        id=id_, organisation=uuid4(), service_id=uuid4(), name="", slug="", period=60, methods=["GET"],
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    event = Event(type="heartbeat.created", time=NOW, subject=id_, organisation=uuid4(), version=1, actor="", data=it)
    await commands.publish([(event.address(), encode(event), None)])


async def test_a_thousand_unknown_ids_cost_a_few_questions(intake: PingIntake):
    before = intake.broker.client.stats["out_msgs"]
    found = await asyncio.gather(*(intake.find(str(uuid4())) for _ in range(1000)), return_exceptions=True)
    assert {type(each) for each in found} == {NotFound}
    assert intake.broker.client.stats["out_msgs"] - before <= 10


async def test_what_was_made_a_moment_ago_is_found_among_many_that_are_not(intake: PingIntake, commands: Broker):
    for _ in range(20):
        id_ = uuid4()
        with pytest.raises(NotFound):
            await intake.find(str(id_))  # whoever asks too early hides nothing
        flood = [asyncio.create_task(intake.find(str(uuid4()))) for _ in range(200)]
        await asyncio.sleep(0)
        await create(commands, id_)
        assert (await intake.find(str(id_))).id == id_.bytes
        await asyncio.gather(*flood, return_exceptions=True)


async def test_while_the_reading_lags_single_ones_are_asked_for_and_not_too_many(intake: PingIntake, commands: Broker):
    id_ = uuid4()
    await create(commands, id_)
    for task in asyncio.all_tasks():
        if task.get_name() == "reading":
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    intake.directory.ready = False
    intake.entries.clear()
    assert (await intake.find(str(id_))).id == id_.bytes
    found = await asyncio.gather(*(intake.find(str(uuid4())) for _ in range(200)), return_exceptions=True)
    assert [type(each) for each in found].count(Unavailable) == 200 - MAX_LOOKUPS
