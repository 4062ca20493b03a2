"""No message, however wild its strings, numbers and times, stops a projection; one dead letter for each bad item."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import fresh_database
from pinghome_common.audit import Audit
from pinghome_common.clock import micros, now
from pinghome_common.containment import Apply
from pinghome_common.db import Database
from pinghome_common.events import Event, encode
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.ping import Ping
from pinghome_common.events.probe import Phases, Result, Verdict
from pinghome_common.events.resource import Change, Resource, Status
from pinghome_common.items import Item
from pinghome_common.projection import Projection, Source
from pinghome_common.store import Actor, no_wait
from pinghome_common.stream import Message
from resource_cmd.evaluation.deadlines import _LATE, DeadlineWorker
from resource_cmd.evaluation.telemetry import TelemetryConsumer
from resource_cmd.heartbeats.store import Heartbeats
from resource_cmd.monitors.store import Resources
from resource_query.project import Projector as Records
from statistic_query.partition import Partitions
from statistic_query.project import Projector as Statistics

ORGANISATION, MONITOR, JOB, HONEST, HONEST_JOB = (UUID(int=number) for number in range(1, 6))
AT = now().replace(microsecond=0)

text = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(
    ["\x00", "\ud800", "\U0001f469\u200d"]
)
number = st.integers(-(2**63), 2**64 - 1) | st.sampled_from([0, 1, micros(AT), 2**63, -1])
real = st.floats(allow_nan=True, allow_infinity=True) | number
anything = (
    st.none() | st.booleans() | number | real | text | st.binary(max_size=20) | st.just([[[[]]]]) | st.just({"a": 1})
)

result = st.fixed_dictionaries(
    {
        "resource": st.sampled_from([str(MONITOR), str(HONEST), str(UUID(int=99))]) | anything,
        "slot": number | anything, "checked_at": number | anything, "interval": number,
        "verdict": st.sampled_from([each.value for each in Verdict]) | anything,
    },
    optional={
        "status_code": number | anything, "error": text | anything, "address": text | anything, "condition": text,
        "excerpt": text | anything, "tolerated": st.lists(text, max_size=3) | anything,
        "phases": st.dictionaries(st.sampled_from(["dns", "connect", "tls", "first_byte", "total"]), real) | anything,
        "certificate": anything,
    },
)  # fmt: skip
ping = st.tuples(
    st.just(uuid4().bytes) | st.binary(max_size=20),
    st.sampled_from([JOB.bytes, HONEST_JOB.bytes]) | st.binary(max_size=20),
    number, st.integers(0, 6) | anything, text | anything, text, text, text, text, st.binary(max_size=50),
    st.sampled_from([b"", uuid4().bytes]) | st.binary(max_size=20), st.none() | number,
)  # fmt: skip
tick = st.tuples(text, number | anything, number | anything)


class World:
    """A service's database and how it applies telemetry, as its projection does."""

    def __init__(self, name: str, db: Database, apply: Apply[Item]) -> None:
        self.name, self.db, self.seq = name, db, 0
        source = Source("TELEMETRY", ["telemetry.>"], apply)
        source.reader = Unread()  # type: ignore[assignment]
        self.projection, self.source = Projection("wild", db, None, []), source  # type: ignore[arg-type]

    async def say(self, *messages: tuple[str, bytes]) -> None:
        """Applies a batch of messages; nothing may escape."""
        arrived = []
        for subject, data in messages:
            self.seq += 1
            arrived.append(Message(self.seq, subject, data, micros(now())))
        connection = await self.db.dedicated_connection()
        try:
            await self.projection._apply(connection, [(self.source, arrived)])
            assert await connection.fetchval("SELECT seq FROM checkpoint WHERE stream = 'TELEMETRY'") == self.seq
        finally:
            await connection.close()


class Unread:
    pending = 0


class Nobody:
    """A stream that has no events."""

    async def last(self, *_: str) -> None:
        return None


SERVICES: dict[str, Any] = {
    "resource-cmd": lambda: TelemetryConsumer(60, 30).apply,
    "resource-query": lambda: Records(Nobody(), Audit(400)).telemetry,
    "statistic-query": lambda: Statistics(Nobody(), Partitions({"result": 30, "failure": 30, "ping": 30})).telemetry,
}


@pytest.fixture(scope="module", params=SERVICES)
async def world(servers, request) -> AsyncIterator[World]:
    name = request.param.replace("-", "_")
    async with Database(await fresh_database(servers, name)) as db:
        await FILL[request.param](db)
        yield World(name, db, SERVICES[request.param]())


def monitor(id_: UUID) -> Resource:
    change = Change(status=Status.pending, previous=None, at=AT, version=1)
    return Resource(
        id=id_, organisation=ORGANISATION, service_id=UUID(int=50), name=str(id_), type="http", url="http://example.com/",
        regions=["wild"], change=change, created_at=AT, updated_at=AT,
    )  # fmt: skip


def job(id_: UUID) -> Heartbeat:
    return Heartbeat(
        id=id_, organisation=ORGANISATION, service_id=UUID(int=50), name=str(id_), period=60, methods=["GET"],
        created_at=AT, updated_at=AT,
    )  # fmt: skip


async def _commands(db: Database) -> None:
    async with db.transaction() as tx:
        for id_ in (MONITOR, HONEST):
            await Resources(tx, Actor("test"), no_wait, AT).add(monitor(id_))
        for id_ in (JOB, HONEST_JOB):
            await Heartbeats(tx, Actor("test"), no_wait, AT).add(job(id_))


def events() -> list[Item]:
    made = []
    for noun, states in (("resource", map(monitor, (MONITOR, HONEST))), ("heartbeat", map(job, (JOB, HONEST_JOB)))):
        for it in states:
            event = Event(
                type=f"{noun}.created", time=AT, subject=it.id, organisation=ORGANISATION, version=1, actor="", data=it
            )
            made.append(Message(len(made) + 1, event.address(), encode(event)))
    from pinghome_common.items import read

    return [item for message in made for item in read(message).items]


async def _records(db: Database) -> None:
    async with db.transaction() as tx:
        await Records(Nobody(), Audit(400)).events(tx, events())


async def _statistics(db: Database) -> None:
    async with db.transaction() as tx:
        await Statistics(Nobody(), Partitions({"result": 30, "failure": 30, "ping": 30})).events(tx, events())


FILL = {"resource-cmd": _commands, "resource-query": _records, "statistic-query": _statistics}


def results(*some: Any) -> tuple[str, bytes]:
    return "telemetry.result.wild", msgspec.msgpack.encode(
        {"batch": str(uuid4()), "region": "x", "results": list(some)}
    )


def honest(slot: int) -> dict[str, Any]:
    it = Result(resource=HONEST, slot=slot, checked_at=slot, interval=60, verdict=Verdict.up, phases=Phases(total=1.0))
    return msgspec.to_builtins(it)


wild = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck),
)  # fmt: skip


async def test_wild_results_cost_only_themselves(world: World):
    slot = micros(AT)

    @wild
    @given(st.lists(result, max_size=4), st.lists(result, max_size=4))
    def run(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
        examples.append((before, after))

    examples: list[Any] = []
    run()
    for before, after in examples:
        slot += 60 * 10**6
        await world.say(*_encodable(before, honest(slot), after))
    async with world.db.connection() as connection:
        assert await connection.fetchval(COUNTED[world.name], HONEST) >= 1


COUNTED = {
    "resource_cmd": "SELECT count(*) FROM region_observation WHERE resource = $1 AND up",
    "resource_query": "SELECT count(*) FROM region_observation WHERE resource = $1",
    "statistic_query": "SELECT count(*) FROM result JOIN series s ON s.id = series WHERE s.resource = $1",
}


def _encodable(before: list[Any], good: dict[str, Any], after: list[Any]) -> list[tuple[str, bytes]]:
    """One message with all of it; what msgpack cannot say no prober can send."""
    some = []
    for each in (*before, good, *after):
        try:
            msgspec.msgpack.encode(each)
        except (ValueError, OverflowError):
            continue
        some.append(each)
    return [results(*some)]


async def test_wild_pings_and_ticks_cost_only_themselves(world: World):
    examples: list[Any] = []

    @wild
    @given(st.lists(ping, max_size=4), st.lists(tick, max_size=2))
    def run(pings: list[Any], ticks: list[Any]) -> None:
        examples.append((pings, ticks))

    run()
    boot, at = uuid4().bytes, micros(AT)
    for place, (pings, ticks) in enumerate(examples):
        good = msgspec.to_builtins(Ping(uuid4().bytes, HONEST_JOB.bytes, at + place, body=b"b"), builtin_types=(bytes,))
        some = [each for each in (*pings, good) if _says(each)]
        messages = [("telemetry.ping.wild", msgspec.msgpack.encode([boot, place, some]))]
        messages += [("telemetry.tick.wild", msgspec.msgpack.encode(list(it))) for it in ticks if _says(it)]
        await world.say(*messages)
    async with world.db.connection() as connection:
        if world.name == "statistic_query":
            counted = await connection.fetchval("SELECT count(*) FROM ping WHERE heartbeat = $1", HONEST_JOB)
        else:
            counted = await connection.fetchval("SELECT n_pings FROM runtime_state WHERE heartbeat = $1", HONEST_JOB)
    assert counted >= len(examples)


def _says(value: Any) -> bool:
    try:
        msgspec.msgpack.encode(value)
    except (ValueError, OverflowError):
        return False
    return True


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93" * 50_000, b"\x81\xa7results\x91\xc0", b"\xdd\xff\xff\xff\xff"])
@pytest.mark.parametrize("kind", ["ping", "result", "tick", "of-a-later-version"])
async def test_what_is_no_message_is_one_dead_letter(world: World, kind: str, data: bytes):
    await world.say((f"telemetry.{kind}.wild", data))
    async with world.db.connection() as connection:
        letters = await connection.fetchval("SELECT count(*) FROM dead_letter WHERE key LIKE $1", f"{world.seq}%")
    assert letters == (kind != "of-a-later-version")


async def test_silence_is_judged_whatever_was_said(world: World):
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM dead_letter WHERE key LIKE '%.%'") > 10
        if world.name == "resource_cmd":
            await connection.execute(
                "UPDATE runtime_state SET alert_after = 1 WHERE alert_after IS NOT NULL OR n_pings > 0"
            )
            sweeper = DeadlineWorker(world.db, lambda: None, 60)
            await sweeper._judge_silence(connection, 2**62, 0)
            assert not await connection.fetch(_LATE, 2)
