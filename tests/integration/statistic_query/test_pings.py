"""Pings on a real database: numbered, kept as what they are, and dropped when there are too many."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from applying import apply_all
from conftest import fresh_database
from pinghome_common.clock import micros, now
from pinghome_common.db import Database
from pinghome_common.dialects.healthchecks import DialectError
from pinghome_common.directory import Caller
from pinghome_common.events import Event, encode
from pinghome_common.events.heartbeat import Heartbeat, RuntimeState, Status
from pinghome_common.events.key import Scope
from pinghome_common.events.ping import Batch, Kind, Ping
from pinghome_common.events.ping import encode as pack
from pinghome_common.stream import Message
from statistic_query.api.healthchecks.check import find_check
from statistic_query.owned import Owned
from statistic_query.partition import Partitions
from statistic_query.pings import RecentPings, prune
from statistic_query.project import Projector

AT = micros(now()) - 3600 * 10**6


class Events:
    """A stream that has the events of the heartbeats made here."""

    def __init__(self) -> None:
        self.last_of: dict[str, Message] = {}

    async def last(self, _: str, subject: str) -> Message | None:
        return self.last_of.get(subject)


class World:
    """One check, and a stream that this test writes by hand."""

    def __init__(self, db: Database) -> None:
        self.db, self.check, self.events, self.number = db, uuid4(), Events(), 0
        self.caller = Caller(uuid4(), "", uuid4(), Scope.write, uuid4())
        self.projector = Projector(self.events, Partitions({"result": 30, "failure": 30, "ping": 30}))

    def says(self, version: int = 1, what: str = "created", **vitals: object) -> Message:
        it = Heartbeat(
            id=self.check, organisation=self.caller.organisation, service_id=self.caller.service, name="job",
            period=60, methods=["GET"],
            vitals=RuntimeState(**vitals), created_at=now(), updated_at=now(),
        )  # fmt: skip
        event = Event(
            type=f"heartbeat.{what}", time=now(), subject=it.id, organisation=it.organisation, version=version,
            actor="", correlationid="", data=it,
        )  # fmt: skip
        message = Message(version, f"events.heartbeat.{it.id}", encode(event))
        self.events.last_of[message.subject] = message
        return message

    async def apply(self, message: Message) -> None:
        async with self.db.transaction() as tx:
            is_event = message.subject.startswith("events")
            await apply_all(tx, self.projector.events if is_event else self.projector.telemetry, [message])

    async def ping(self, *kinds: Kind, first: int | None = None, body: bytes = b"", times: int = 1) -> None:
        """A batch of pings a microsecond apart, that comes `times`."""
        self.number += 1
        start = AT + self.number * 10**6 if first is None else first
        pings = [
            Ping(uuid4().bytes, self.check.bytes, start + place, kind, body=body) for place, kind in enumerate(kinds)
        ]
        data = pack(Batch(BOOT.bytes, self.number, pings))
        for seq in range(times):
            await self.apply(Message(self.number * 10 + seq, "telemetry.ping.g", data))

    async def kept(self, most: int = 1000) -> list[tuple[int, Kind]]:
        """Number and kind, oldest first."""
        async with self.db.connection() as connection:
            rows = await RecentPings(connection, most).newest(await find_check(connection, self.caller, self.check))
            return [(row["n"], Kind.ign if row["ignored"] else Kind(row["kind"])) for row in rows][::-1]


BOOT = UUID(int=7)


@pytest.fixture
async def world(servers) -> AsyncIterator[World]:
    async with Database(await fresh_database(servers, "statistic_query")) as db:
        yield World(db)


async def test_pings_are_numbered_in_the_order_of_the_stream_and_a_success_is_what_it_ends(world):
    world.says()  # not read yet: telemetry runs ahead of the events
    await world.ping(Kind.success, Kind.run, Kind.log, Kind.success, times=3)
    await world.apply(world.says())
    await world.ping(Kind.success, first=AT - 10**6)  # from a spool: older than all
    await world.ping(Kind.complete, Kind.fail)
    assert await world.kept() == [
        (1, Kind.tick), (2, Kind.run), (3, Kind.log), (4, Kind.complete), (5, Kind.tick), (6, Kind.complete),
        (7, Kind.fail),
    ]  # fmt: skip


async def test_a_command_that_pauses_ends_the_run_and_what_comes_then_is_ignored(world):
    await world.apply(world.says())
    await world.ping(Kind.run)
    await world.apply(world.says(2, "updated", status=Status.paused, changed_at=AT + 2 * 10**6))
    await world.ping(Kind.success, Kind.fail)
    await world.apply(world.says(3, "updated", status=Status.new, changed_at=AT + 3 * 10**6))
    await world.apply(world.says(2, "updated", status=Status.paused, changed_at=AT))  # an old event changes nothing
    await world.ping(Kind.success)
    assert await world.kept() == [(1, Kind.run), (2, Kind.ign), (3, Kind.ign), (4, Kind.tick)]


async def test_only_the_newest_pings_are_shown_and_the_others_go_for_good(world):
    await world.apply(world.says())
    for _ in range(5):
        await world.ping(*[Kind.success] * 5, body=b"body")
    assert [n for n, _ in await world.kept(10)] == list(range(16, 26))
    async with world.db.connection() as connection:
        kept, it = RecentPings(connection, 10), Owned(world.check, now())
        assert await kept.body(it, 16) == b"body"
        for n in (15, 26):
            assert await kept.body(it, n) is None
        assert await prune(connection, 13) == 0  # not worth it yet
        assert await prune(connection, 10) == 1
        assert await prune(connection, 10) == 0
        assert await connection.fetchval("SELECT array_agg(n ORDER BY n) FROM ping") == list(range(16, 26))
        assert await connection.fetchval("SELECT sum(tick) FROM ping_hour") == 25
    await world.ping(*[Kind.success] * 10)
    assert [n for n, _ in await world.kept(10)] == list(range(26, 36))


async def test_another_service_is_refused_and_another_organisation_with_the_same_and_a_deleted_check_is_gone(world):
    await world.apply(world.says())
    await world.ping(Kind.success)
    async with world.db.connection() as connection:
        for other in ({"service": uuid4()}, {"organisation": uuid4()}):
            with pytest.raises(DialectError) as refused:
                await find_check(connection, replace(world.caller, **other), world.check)
            assert refused.value.status == 403
    await world.apply(world.says(2, "deleted"))
    await world.ping(Kind.success)
    with pytest.raises(DialectError):
        await world.kept()
    async with world.db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM ping") == 1  # what came later is nobody's
        assert await connection.fetchval("SELECT count(*) FROM ping_hour") == 0
