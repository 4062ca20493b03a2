"""What becomes of a read model's vitals when an event is older than the pings that it has counted already."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from conftest import fresh_database
from pinghome.servers import Servers
from pinghome_common.events.heartbeat import Heartbeat, RuntimeState, Status
from pinghome_common.runtime_state import add_runtime, lock_runtime, write_runtime

AT = datetime(2026, 11, 21, tzinfo=UTC)


def heartbeat(vitals: RuntimeState) -> Heartbeat:
    return Heartbeat(
        id=UUID(int=1), organisation=UUID(int=2), service_id=UUID(int=3), name="n", period=60, grace=60,
        methods=["GET"], vitals=vitals, created_at=AT, updated_at=AT,
    )  # fmt: skip


@pytest.fixture
async def tx(servers: Servers) -> AsyncIterator[asyncpg.Connection]:
    """A read model that has counted pings until position 5: up at 10, down at 50."""
    connection = await asyncpg.connect(await fresh_database(servers, "resource_query"))
    await connection.execute("INSERT INTO heartbeat VALUES ($1, $1, $1, 1, '{}')", UUID(int=1))
    await add_runtime(connection, [(heartbeat(RuntimeState()), 1, True)])
    counted = RuntimeState(status=Status.down, changed_at=50, last_ping=50, n_pings=2, position=5, reason="failed")
    await write_runtime(connection, [heartbeat(counted)])
    yield connection
    await connection.close()


async def merged(tx: asyncpg.Connection, vitals: RuntimeState, *, commanded: bool = False) -> RuntimeState:
    await add_runtime(tx, [(heartbeat(vitals), 2, commanded)])
    found = (await lock_runtime(tx, [UUID(int=1)]))[UUID(int=1)]
    assert (found.n_pings, found.position, found.last_ping) == (2, 5, 50)
    return found


async def test_event_of_an_earlier_ping_does_not_undo_what_a_later_one_made(tx: asyncpg.Connection):
    found = await merged(tx, RuntimeState(status=Status.up, changed_at=10, last_ping=10, n_pings=1, position=3))
    assert (found.status, found.changed_at) == (Status.down, 50)


async def test_silence_after_all_that_was_counted_counts(tx: asyncpg.Connection):
    counted = RuntimeState(status=Status.up, changed_at=10, last_ping=50, n_pings=2, position=5)
    await write_runtime(tx, [heartbeat(counted)])
    missed = RuntimeState(status=Status.down, changed_at=130, last_ping=10, n_pings=1, position=3, reason="silence")
    found = await merged(tx, missed)
    assert (found.status, found.changed_at, found.reason) == (Status.down, 130, "silence")


async def test_event_says_since_when_and_why_where_the_status_is_the_same(tx: asyncpg.Connection):
    missed = RuntimeState(status=Status.down, changed_at=40, last_ping=10, n_pings=1, position=3, reason="silence")
    found = await merged(tx, missed)
    assert (found.status, found.changed_at, found.reason) == (Status.down, 40, "silence")


async def test_command_settles_the_status_whatever_was_counted(tx: asyncpg.Connection):
    found = await merged(tx, RuntimeState(status=Status.paused, changed_at=45, position=3), commanded=True)
    assert (found.status, found.changed_at) == (Status.paused, 45)
