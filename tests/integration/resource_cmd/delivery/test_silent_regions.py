"""A region whose probers are all silent: one message to the operator's channel, one when a prober is heard again."""

from datetime import UTC, datetime

import pytest

from pinghome_common.events.heartbeat import MICRO
from pinghome_common.events.probe import ProberSign
from pinghome_common.items import Item
from resource_cmd.evaluation.prober_watch import hear, watch
from resource_cmd.scheduling import regions

AT = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp()) * MICRO


async def heard(world, region, seconds, name="prober-1"):
    sign = ProberSign(name=name, version="1", monitors=9)
    async with world.db.transaction() as tx:
        await hear(tx, [Item(1, 0, f"telemetry.prober.{region}", AT + seconds * MICRO, sign)])


async def looked(world, seconds, channel, resumed=-1000):
    async with world.db.transaction() as tx:
        return await watch(tx, AT + seconds * MICRO, AT + resumed * MICRO, channel)


@pytest.fixture
async def channel(world):
    async with world.db.transaction() as tx:
        for region in ("eu-central-1", "us-east-1"):
            await regions.add(tx, region)
    return await world.webhook("http://127.0.0.1:1/")


async def test_silence_of_all_probers_of_a_region_is_told_once_and_its_end_too(world, channel):
    for name in ("prober-1", "prober-2"):
        await heard(world, "eu-central-1", 0, name)
    await heard(world, "us-east-1", 0)
    assert not await looked(world, 29, channel)
    await heard(world, "us-east-1", 30)
    assert [await looked(world, seconds, channel) for seconds in (31, 40, 55)] == [True, False, False]
    await heard(world, "us-east-1", 3600)
    await heard(world, "eu-central-1", 3600)
    assert [await looked(world, seconds, channel) for seconds in (3601, 3610)] == [True, False]
    told = [(it.noun, it.what, it.title) for it in await world.ledger()]
    assert told == [
        ("region", "down", "All probers of eu-central-1 are silent"),
        ("region", "up", "eu-central-1 has a prober again"),
    ]


async def test_what_we_did_not_hear_ourselves_is_not_the_probers_silence(world, channel):
    await heard(world, "eu-central-1", 0)
    assert not await looked(world, 600, channel, resumed=590)
    assert await looked(world, 621, channel, resumed=590)


async def test_a_region_that_is_removed_is_not_missed_and_one_that_was_never_heard_neither(world, channel):
    await heard(world, "eu-central-1", 0)
    async with world.db.transaction() as tx:
        assert await regions.remove(tx, "eu-central-1") == 0
    assert not await looked(world, 600, channel)


@pytest.mark.usefixtures("channel")
async def test_without_a_channel_it_is_noted_and_nobody_is_told(world):
    await heard(world, "eu-central-1", 0)
    assert await looked(world, 600, None)
    assert not await looked(world, 610, None)
    assert await world.ledger() == []
