"""What a projection says of how far it has come, and what becomes of what it cannot apply."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest

from conftest import connected
from pinghome_common.db import Connection, Database
from pinghome_common.events import Event, encode
from pinghome_common.events.ping import Batch, Ping
from pinghome_common.events.probe import Result, Results, Verdict
from pinghome_common.items import Item
from pinghome_common.projection import Projection, Source
from pinghome_common.read_your_writes import ProjectionProgress
from pinghome_common.stream import Broker
from resource_cmd.scheduling.streams import make_streams

POISON = "\x00 is no text"


def event(noun: str = "service") -> tuple[str, bytes, None]:
    it = Event(
        type=f"{noun}.created", time=datetime.now(UTC), subject=uuid4(), organisation=uuid4(), version=1, actor="",
        data={},
    )  # fmt: skip
    return it.address(), encode(it), None


class World:
    """A projection of two streams that keeps texts of what it applies in a table; and its broker."""

    def __init__(self, db: Database, broker: Broker, whole: bool) -> None:
        self.db, self.broker, self.whole, self.cured = db, broker, whole, False
        self.echo = ProjectionProgress(broker, "some", most=0.5)
        self.subjects: list[str] = []
        self.items: list[Item] = []

    async def apply_events(self, _: Connection, items: list[Item]) -> None:
        self.subjects += [item.subject for item in items]

    async def apply(self, tx: Connection, items: list[Item]) -> None:
        texts = [it.value.message if isinstance(it.value, Ping) else it.value.error for it in items]
        if self.cured:
            texts = [text.replace("\x00", "") for text in texts]
        self.items = items
        await tx.executemany("INSERT INTO applied (text) VALUES ($1)", [(text,) for text in texts])

    async def texts(self) -> list[str]:
        async with self.db.connection() as connection:
            return [row["text"] for row in await connection.fetch("SELECT text FROM applied ORDER BY nth")]

    async def letters(self) -> list[dict]:
        async with self.db.connection() as connection:
            return [dict(row) for row in await connection.fetch("SELECT * FROM dead_letter ORDER BY id")]

    async def until(self, texts: list[str]) -> None:
        async with asyncio.timeout(30):
            while await self.texts() != texts:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def projecting(commands: str, url: str, *, whole: bool = False) -> AsyncIterator[World]:
    async with Database(commands) as db, Broker(url, "test") as broker:
        await connected(broker)
        await make_streams(broker, 1, 64 << 20)
        world = World(db, broker, whole)
        await world.echo.listen()
        async with db.transaction() as tx:
            await tx.execute("CREATE TABLE applied (nth bigint GENERATED ALWAYS AS IDENTITY, text text NOT NULL)")
        sources = [
            Source("EVENTS", ["events.service.>"], world.apply_events, whole=whole),
            Source("TELEMETRY", ["telemetry.ping.>", "telemetry.result.>"], world.apply),
        ]
        task = asyncio.create_task(Projection("some", db, broker, sources).run())
        yield world
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("whole", [True, False])
async def test_only_who_reads_the_whole_stream_comes_to_its_end(commands, broker, whole):
    async with projecting(commands, broker.url("admin"), whole=whole) as world:
        wanted = event()
        await world.broker.publish([wanted])
        async with asyncio.timeout(20):
            while not world.subjects:
                await asyncio.sleep(0.01)
        await world.broker.publish([event("key")])
        for _ in range(10):  # it has half a second each time, which a busy machine may need
            if await world.echo.reached("some", "EVENTS"):
                break
        else:
            assert not whole
        assert (await world.echo.reached("some", "EVENTS")) is whole
        assert world.subjects == [wanted[0]]


async def test_who_asks_while_an_answer_is_on_its_way_shares_the_next_one(commands, broker):
    async with projecting(commands, broker.url("admin")) as world:
        await world.broker.publish([results("a")])
        await world.until(["a"])
        before = await world.echo._head("TELEMETRY")
        first = asyncio.create_task(world.echo._head("TELEMETRY"))
        await asyncio.sleep(0)
        others = [asyncio.create_task(world.echo._head("TELEMETRY")) for _ in range(50)]
        await asyncio.sleep(0)
        late, _ = await asyncio.gather(
            asyncio.wait_for(others[0], 30), world.broker.publish([results("b"), results("c")])
        )
        assert before <= await first <= late <= before + 2
        assert {await other for other in others} == {late}
        assert world.echo._heads["TELEMETRY"].asked == 3
        assert await world.echo._head("TELEMETRY") == before + 2


def pings(number: int, *messages: str) -> tuple[str, bytes, None]:
    some = [Ping(uuid4().bytes, uuid4().bytes, 1, message=message) for message in messages]
    return "telemetry.ping.g", msgspec.msgpack.encode(Batch(UUID(int=1).bytes, number, some)), None


def results(*errors: str, region: str = "elsewhere") -> tuple[str, bytes, None]:
    some = [
        Result(resource=uuid4(), slot=1, checked_at=1, interval=60, verdict=Verdict.up, error=error) for error in errors
    ]
    return "telemetry.result.here", msgspec.msgpack.encode(Results(batch=uuid4(), region=region, results=some)), None


async def test_what_cannot_be_applied_is_one_dead_letter_and_all_others_are_applied(commands, broker):
    async with projecting(commands, broker.url("admin")) as world:
        await world.broker.publish([results("a", POISON, "b"), results("c"), pings(1, "d", POISON, "e", POISON)])
        await world.until(["a", "b", "c", "d", "e"])
        letters = await world.letters()
        assert [letter["key"].partition(".")[2] for letter in letters] == ["1", "1", "3"]
        assert {letter["worker"] for letter in letters} == {"TELEMETRY"}
        assert all("UntranslatableCharacter" in letter["error"] or "0x00" in letter["error"] for letter in letters)


async def test_an_item_of_the_wrong_type_is_one_dead_letter_and_what_is_no_message_is_one(commands, broker):
    async with projecting(commands, broker.url("admin")) as world:
        wild = msgspec.msgpack.decode(results("a", "b", "c")[1])
        wild["results"][1]["slot"] = "yesterday"
        await world.broker.publish(
            [
                ("telemetry.result.here", msgspec.msgpack.encode(wild), None),
                ("telemetry.result.here", b"\xc1", None),
                ("telemetry.result.here", b"\x93" * 100_000, None),
                pings(1, "d"),
            ]
        )
        await world.until(["a", "c", "d"])
        keys = [letter["key"] for letter in await world.letters()]
        assert [key.partition(".")[2] for key in keys] == ["1", "", ""]


async def test_a_dead_letter_that_is_replayed_is_applied_or_stays_with_its_newest_reason(commands, broker):
    async with projecting(commands, broker.url("admin")) as world:
        await world.broker.publish([pings(1, "a", POISON), pings(1, "a", POISON), results(POISON)])
        await world.until(["a"])
        await world.db.fetch("UPDATE dead_letter SET replay = true")
        async with asyncio.timeout(60):
            while [letter["attempts"] for letter in await world.letters()] != [2, 2]:
                await asyncio.sleep(0.05)
        assert await world.texts() == ["a"]
        world.cured = True
        await world.db.fetch("UPDATE dead_letter SET replay = true")
        await world.until(["a", " is no text", " is no text"])
        assert await world.letters() == []


async def test_the_region_is_that_of_the_subject_and_no_probe_was_due_after_the_broker_heard_of_it(commands, broker):
    async with projecting(commands, broker.url("admin")) as world:
        future = Result(resource=uuid4(), slot=1 << 61, checked_at=1 << 61, interval=60, verdict=Verdict.up)
        body = msgspec.msgpack.encode(Results(batch=uuid4(), region="elsewhere", results=[future]))
        await world.broker.publish([("telemetry.result.here", body, None)])
        await world.until([""])
    (seen,) = world.items
    assert seen.sender == "here"
    assert seen.value.slot == seen.at < datetime.now(UTC).timestamp() * 1e6
