"""What is kept beside the records: how many there are, and when what a list of checks shows has changed."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from conftest import fresh_database
from pinghome.servers import Servers
from pinghome_common.audit import Audit
from pinghome_common.clock import micros, now
from pinghome_common.db import Database
from pinghome_common.events import Event, decode, encode
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.events.ping import Kind, Ping
from pinghome_common.items import Item
from resource_cmd.heartbeats import heartbeat
from resource_query.lists import Wanted
from resource_query.project import Projector
from resource_query.read import Read
from resource_query.service_heartbeats import ServiceHeartbeats

OURS, THEIRS = uuid4(), uuid4()
A, B = uuid4(), uuid4()


def job(service: UUID = A, organisation: UUID = OURS) -> Heartbeat:
    settings = {"name": "job", "service_id": service, "period": 60, "methods": ["GET"]}
    return heartbeat.create(uuid4(), organisation, settings, now(), enabled=True)


@pytest.fixture
async def db(servers: Servers) -> AsyncIterator[Database]:
    async with Database(await fresh_database(servers, "resource_query")) as opened:
        yield opened


def happened(what: str, *jobs: Heartbeat, version: int = 1) -> Iterator[Item]:
    """Events, as they arrive."""
    for it in jobs:
        event = Event(
            type=f"heartbeat.{what}", source="test", time=now(), subject=it.id, organisation=it.organisation,
            version=version, actor="test", correlationid="", data=it,
        )  # fmt: skip
        yield Item(1, 0, "", 0, decode(encode(event)))


async def hear(db: Database, *items: Item) -> None:
    async with db.transaction() as tx:
        await Projector(None, Audit(400)).events(tx, list(items))


async def counts(db: Database) -> list[int]:
    return [
        await Read(db, who).count("heartbeat", Wanted(services=[of] if of else []))
        for who in (OURS, THEIRS)
        for of in (None, A, B)
    ]


async def test_counts_follow_creation_move_and_deletion(db: Database):
    assert await counts(db) == [0, 0, 0, 0, 0, 0]
    jobs = [job() for _ in range(30)]
    await hear(db, *happened("created", *jobs, job(B), job(B, THEIRS)))
    assert await counts(db) == [31, 30, 1, 1, 0, 1]
    await hear(db, *happened("created", *jobs))  # which the stream tells again
    assert await counts(db) == [31, 30, 1, 1, 0, 1]
    moved = [replace(it, service_id=B) for it in jobs[:5]]
    await hear(db, *happened("updated", *moved, version=2), *happened("updated", *jobs[5:20], version=2))
    assert await counts(db) == [31, 25, 6, 1, 0, 1]
    await hear(db, *happened("deleted", *moved[:2], *jobs[20:], version=3))
    assert await counts(db) == [19, 15, 4, 1, 0, 1]


async def test_each_change_that_a_list_shows_is_noted_and_no_other(db: Database):
    ours, other = job(), job(B)

    async def noted(service: UUID = A) -> int:
        async with db.connection() as connection:
            return await ServiceHeartbeats(connection, OURS, service).changed_at()

    async def ping(it: Heartbeat, seq: int) -> None:
        value = Ping(heartbeat=it.id.bytes, at=micros(now()), kind=Kind.success, id=uuid4().bytes)
        async with db.transaction() as tx:
            await Projector(None, Audit(400)).telemetry(tx, [Item(seq, 0, "telemetry.ping.a", 0, value)])

    assert await noted() == 0
    await hear(db, *happened("created", ours, other))
    last = await noted()
    assert last > 0
    await ping(other, 5)
    await hear(db, *happened("updated", other, version=2))
    assert await noted() == last
    for change in (
        lambda: ping(ours, 6),
        lambda: hear(db, *happened("updated", ours, version=2)),
        lambda: hear(db, *happened("updated", replace(ours, service_id=B), version=3)),
        lambda: hear(db, *happened("updated", ours, version=4)),
        lambda: hear(db, *happened("deleted", ours, version=5)),
    ):
        before = await noted(), await noted(B)
        await change()
        assert await noted() > before[0]
    assert await noted(B) == before[1]
