"""A hundred thousand checks: a miss is found at once, and only what is due is looked at."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import structs

from pinghome_common.clock import micros, now
from pinghome_common.db import Database
from pinghome_common.events import encode
from pinghome_common.events.heartbeat import MICRO, Heartbeat, RuntimeState, Status, alert_after
from resource_cmd.evaluation.deadlines import _LATE, DeadlineWorker

CHECKS = 100_000
MISSES = 1000
WITHIN = 50.0
"""Seconds after its deadline within which a miss must be found; nominal: 2, alone on the machine."""

STORE = """
INSERT INTO heartbeat (id, organisation, version, state, service, name)
SELECT id, $2::uuid, 1, jsonb_set($4::jsonb, '{id}', to_jsonb(id)), $3::uuid, 'job' FROM unnest($1::uuid[]) id
"""
VITALS = """
INSERT INTO runtime_state (heartbeat, version, status, changed_at, reason, last_ping, n_pings, position, alert_after)
SELECT id, 1, 'up', 0, '', $2, 1, 1, $3 + place * 1000 FROM unnest($1::uuid[]) WITH ORDINALITY AS a (id, place)
"""


async def add(connection: asyncpg.Connection, it: Heartbeat, number: int) -> list[UUID]:
    """That many checks like `it`, their deadlines a millisecond apart."""
    ids = [uuid4() for _ in range(number)]
    await connection.execute(STORE, ids, it.organisation, it.service_id, encode(it).decode())
    await connection.execute(VITALS, ids, it.vitals.last_ping, alert_after(it, it.vitals))
    return ids


@pytest.fixture
async def db(commands: str) -> AsyncIterator[Database]:
    async with Database(commands) as db:
        yield db


async def test_a_miss_is_found_within_seconds_among_a_hundred_thousand_checks(db: Database, capsys):
    simple = Heartbeat(
        id=uuid4(), organisation=uuid4(), service_id=uuid4(), name="job", period=86_400, methods=["GET"],
        vitals=RuntimeState(status=Status.up, last_ping=micros(now())), created_at=now(), updated_at=now(),
    )  # fmt: skip
    crons = replace(simple, id=uuid4(), schedule="30 2 * * *", tz="Europe/Berlin", grace=3600)
    late = replace(simple, period=3600, vitals=structs.replace(simple.vitals, last_ping=micros(now()) - 3597 * MICRO))
    async with db.connection() as connection:
        await add(connection, simple, CHECKS // 2)
        await add(connection, crons, CHECKS // 2)
        missing = await add(connection, late, MISSES)
        await connection.execute("ANALYZE runtime_state")
        first = await connection.fetchval("SELECT alert_after FROM runtime_state WHERE heartbeat = $1", missing[0])
        await connection.execute("INSERT INTO gateway VALUES ('gateway', $1, 0)", micros(now()))
        sweeper = asyncio.create_task(DeadlineWorker(db, lambda: None, 60).run())
        found = 0
        begun = time.monotonic()
        while found < MISSES:
            assert time.monotonic() - begun < 60
            assert not sweeper.done()
            await connection.execute("UPDATE gateway SET ticked_at = $1", micros(now()))
            await asyncio.sleep(0.1)
            found = await connection.fetchval("SELECT count(*) FROM runtime_state WHERE status = 'down'")
        all_found = micros(now())
        sweeper.cancel()
        await asyncio.gather(sweeper, return_exceptions=True)
        rows = await connection.fetch("SELECT changed_at FROM runtime_state WHERE status = 'down'")
        events = await connection.fetchval("SELECT count(*) FROM events")
    assert {row["changed_at"] - first for row in rows} == {place * 1000 for place in range(MISSES)}  # not now
    assert events == MISSES
    lag = (all_found - (first + (MISSES - 1) * 1000)) / MICRO
    with capsys.disabled():
        print(f"\n{MISSES} misses among {CHECKS} checks: the last was found {lag:.2f} s after its deadline")
    assert lag <= WITHIN


async def test_only_what_is_due_is_looked_at(db: Database):
    it = Heartbeat(
        id=uuid4(), organisation=uuid4(), service_id=uuid4(), name="job", period=86_400, methods=["GET"],
        vitals=RuntimeState(status=Status.up, last_ping=micros(now())), created_at=now(), updated_at=now(),
    )  # fmt: skip
    async with db.connection() as connection:
        await add(connection, it, 20_000)
        await connection.execute("ANALYZE runtime_state")
        plan = await connection.fetch("EXPLAIN " + _LATE.replace("$1", str(micros(now()))))
        assert "vitals_alert_after" in "\n".join(row[0] for row in plan)
        assert await connection.fetch(_LATE, micros(now())) == []
