"""The counts by state are kept whatever is written: events, pings, events that come again, a mended row, the clock."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from msgspec import structs

from conftest import fresh_database
from integration.resource_query.test_counted import OURS, A, happened, hear, job
from pinghome.servers import Servers
from pinghome_common.audit import Audit
from pinghome_common.clock import micros, now
from pinghome_common.db import Database
from pinghome_common.events.heartbeat import Heartbeat, Status
from pinghome_common.events.ping import Kind, Ping
from pinghome_common.items import Item
from resource_query import overview
from resource_query.lists import Wanted
from resource_query.overview import EndedRuns
from resource_query.project import Projector
from resource_query.read import Read


@pytest.fixture
async def db(servers: Servers) -> AsyncIterator[Database]:
    async with Database(await fresh_database(servers, "resource_query")) as opened:
        yield opened


async def ping(db: Database, it: Heartbeat, kind: Kind, seq: int, ago: int = 0) -> None:
    value = Ping(heartbeat=it.id.bytes, at=micros(now()) - ago * 1_000_000, kind=kind, id=uuid4().bytes)
    async with db.transaction() as tx:
        await Projector(None, Audit(400)).telemetry(tx, [Item(seq, 0, "telemetry.ping.a", 0, value)])


async def counted(db: Database, organisation: UUID = OURS) -> dict[str, int]:
    """The states that something shows; they are those of the lists."""
    found = (await overview.read(db, organisation)).counts["heartbeat"]
    listed = {
        state: await Read(db, organisation).count("heartbeat", Wanted(services=[], states=[state])) for state in found
    }
    assert found == listed
    return {state: n for state, n in found.items() if n}


async def test_counts_follow_events_pings_and_deletions(db: Database):
    jobs = [job() for _ in range(5)]
    await hear(db, *happened("created", *jobs))
    await hear(db, *happened("created", *jobs))  # which the stream tells again
    assert await counted(db) == {"pending": 5}
    for place, kind in enumerate((Kind.success, Kind.fail, Kind.run, Kind.log)):
        await ping(db, jobs[place], kind, 10 + place)
        await ping(db, jobs[place], kind, 10 + place)
    assert await counted(db) == {"up": 1, "down": 1, "running": 1, "pending": 2}
    paused = replace(jobs[0], vitals=structs.replace(jobs[0].vitals, status=Status.paused, changed_at=micros(now())))
    await hear(db, *happened("updated", paused, version=2))
    assert await counted(db) == {"paused": 1, "down": 1, "running": 1, "pending": 2}
    assert await counted(db, uuid4()) == {}
    await hear(db, *happened("deleted", *jobs, version=3))
    assert await counted(db) == {}
    assert await db.fetchval("SELECT count(*) FROM shown") == 0


async def test_longest_down_first_with_name_and_reason(db: Database):
    jobs = [replace(job(), name=name) for name in ("b", "a", "c")]
    await hear(db, *happened("created", *jobs))
    for it, ago in zip(jobs, (10, 30, 20), strict=True):
        await ping(db, it, Kind.fail, 10 + ago, ago)
    found = (await overview.read(db, OURS)).down
    assert [(row["name"], row["reason"]) for row in found] == [
        (name, "the job reported a failure") for name in ("a", "c", "b")
    ]


async def test_run_that_does_not_end_in_time_is_down_by_the_clock_and_up_again_by_a_ping(db: Database):
    late, early, down = (replace(job(), period=60) for _ in range(3))
    await hear(db, *happened("created", late, early, down))
    await ping(db, down, Kind.fail, 9, 100)
    for seq, (it, ago) in enumerate(((late, 59), (early, 0), (down, 59)), 10):
        await ping(db, it, Kind.run, seq, ago)
    assert await counted(db) == {"running": 3}
    await db.fetch(
        "UPDATE runtime_state SET last_start = last_start - 1000000 WHERE last_start < $1", micros(now()) - 9
    )
    await db.fetch("UPDATE shown SET state = 'running', run_until = run_until - 1 WHERE noun = 'heartbeat'")
    assert await EndedRuns(db).due()
    async with db.connection() as connection:
        assert await EndedRuns(db).round(connection) is False
    assert not await EndedRuns(db).due()
    assert await counted(db) == {"running": 1, "down": 2}
    rows = (await overview.read(db, OURS)).down
    assert [(row["id"], row["reason"]) for row in rows] == [
        (down.id, "the job reported a failure"), (late.id, "the run did not finish in time")
    ]  # fmt: skip
    await ping(db, late, Kind.success, 20)
    assert await counted(db) == {"running": 1, "down": 1, "up": 1}


async def test_longer_grace_lets_a_run_go_on(db: Database):
    it = job()
    await hear(db, *happened("created", it))
    await ping(db, it, Kind.run, 10, 100)
    assert await counted(db) == {"down": 1}
    await hear(db, *happened("updated", replace(it, grace=3600, service_id=A), version=2))
    assert await counted(db) == {"running": 1}


async def test_clock_gives_up_while_the_projection_holds_what_it_wants(db: Database):
    it = job()
    await hear(db, *happened("created", it))
    await ping(db, it, Kind.run, 10, 59)
    await db.fetch("UPDATE shown SET run_until = 1")
    async with db.transaction() as projecting, db.connection() as connection:
        await projecting.execute("UPDATE counted_by_state SET n = n")
        assert await EndedRuns(db).round(connection) is False
    assert await db.fetchval("SELECT state FROM shown") == "running"
    async with db.connection() as connection:
        await EndedRuns(db).round(connection)
    assert await db.fetchval("SELECT state FROM shown") == "down"
