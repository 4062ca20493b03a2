"""What a projection says of how far it has come."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from conftest import connected
from pinghome_common import projection
from pinghome_common.db import Database
from pinghome_common.echo import Echo
from pinghome_common.projection import Projection, Source
from pinghome_common.stream import Broker
from resource_cmd.streams import make_streams


@asynccontextmanager
async def projecting(database: str, url: str, *, whole: bool):
    """A projection of `events.wanted.>`; yields the broker, an echo that listens, and what was applied."""
    applied: list[str] = []

    async def apply(_, messages):
        applied.extend(message.subject for message in messages)

    async with Database(database) as db, Broker(url, "test") as broker:
        await connected(broker)
        await make_streams(broker, 1, 64 << 20)
        async with db.transaction() as tx:
            await tx.execute(projection.TABLES)
        echo = Echo(broker, "some")
        await echo.listen()
        sources = [Source("EVENTS", ["events.wanted.>"], apply, whole=whole)]
        task = asyncio.create_task(Projection("some", db, broker, sources).run())
        yield broker, echo, applied
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("whole", [True, False])
async def test_only_who_reads_the_whole_stream_comes_to_its_end(database, broker, whole):
    async with projecting(database, broker.url("admin"), whole=whole) as (client, echo, applied):
        await client.publish([("events.wanted.1", b"", None)])
        async with asyncio.timeout(20):
            while not applied:
                await asyncio.sleep(0.01)
        await client.publish([("events.other.1", b"", None)])
        for _ in range(10):  # it has half a second each time, which a busy machine may need
            if await echo.reached("some", "EVENTS"):
                break
        else:
            assert not whole
        assert (await echo.reached("some", "EVENTS")) is whole
        assert applied == ["events.wanted.1"]
