"""Rows that come at the same time are written by one statement, and each has its own answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from pinghome_common.batcher import MOST
from pinghome_common.db import Database
from pinghome_common.errors import Unavailable

ADD = """
WITH n AS (SELECT * FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS n (dividend, text, place)),
made AS (INSERT INTO seen SELECT 100 / dividend, text FROM n)
SELECT 100 / dividend AS part, text FROM n ORDER BY place
"""
HELD = (
    "INSERT INTO seen SELECT n, t FROM unnest($1::int[], $2::text[]) AS n (n, t), pg_advisory_xact_lock(7) RETURNING 1"
)


@pytest.fixture
async def db(database: str) -> AsyncIterator[Database]:
    async with Database(database) as db:
        await db.execute("CREATE TABLE seen (part int, text text)")
        yield db


async def statements(db: Database) -> list[int]:
    """How many rows each statement has written, most first."""
    rows = await db.fetch("SELECT count(*) AS n FROM seen GROUP BY xmin ORDER BY 1 DESC")
    return [row["n"] for row in rows]


async def test_the_first_is_written_at_once_and_the_others_together(db):
    found = await asyncio.gather(*(db.batcher.row(ADD, (n + 1, str(n))) for n in range(2 * MOST)))
    assert [row["text"] for row in found] == [str(n) for n in range(2 * MOST)]
    assert [row["part"] for row in found] == [100 // (n + 1) for n in range(2 * MOST)]
    # all had come before the first statement began
    assert await statements(db) == [MOST, MOST]


async def test_a_row_that_fails_costs_only_itself(db):
    found = await asyncio.gather(*(db.batcher.row(ADD, (n, str(n))) for n in range(10)), return_exceptions=True)
    assert "division by zero" in str(found[0])
    assert [row["text"] for row in found[1:]] == [str(n) for n in range(1, 10)]
    assert sum(await statements(db)) == 9


async def test_who_is_gone_before_the_statement_begins_writes_nothing(db):
    async with db.transaction() as tx:
        await tx.execute("SELECT pg_advisory_xact_lock(7)")
        first = asyncio.create_task(db.batcher.row(HELD, (1, "first")))
        async with asyncio.timeout(60):
            while not await db.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"):
                await asyncio.sleep(0.01)
        gone, stays = (asyncio.create_task(db.batcher.row(HELD, (2, name))) for name in ("gone", "stays"))
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()  # its statement is under way, and the others go on
    await stays
    assert {row["text"] for row in await db.fetch("SELECT text FROM seen")} == {"first", "stays"}


async def test_without_a_server_everybody_is_told_so():
    async with Database("postgresql://nobody@127.0.0.1:1/nothing") as db:
        found = await asyncio.gather(*(db.batcher.row(ADD, (1, "")) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [Unavailable] * 3
