"""What has served its time goes, in batches, while the service runs; what has not stays."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from contract.target import eventually
from pinghome_common import db as databases
from pinghome_common.clock import now
from pinghome_common.db import Database
from resource_cmd.retention import Retention

TOO_OLD, YOUNG = timedelta(days=31), timedelta(days=29)


async def _fill(db, monkeypatch):
    monkeypatch.setattr(databases, "BATCH", 3)
    async with db.connection() as connection:
        for age in [TOO_OLD] * 8 + [YOUNG]:
            at = now() - age
            for is_open in (True, False):
                await connection.execute(
                    "INSERT INTO notification (id, organisation, version, state, channel, about, open)"
                    " VALUES ($1, $1, 1, jsonb_build_object('at', $2::timestamptz), $1, $1, $3)",
                    uuid4(), at, is_open,
                )  # fmt: skip
            await connection.execute(
                "INSERT INTO idempotency (organisation, key, request, created_at) VALUES ($1, 'x', '', $2)",
                uuid4(), at + timedelta(days=28.5),
            )  # fmt: skip


async def _left(db):
    return [
        await db.fetchval("SELECT count(*) FROM notification WHERE NOT open"),
        await db.fetchval("SELECT count(*) FROM notification WHERE open"),
        await db.fetchval("SELECT count(*) FROM idempotency"),
    ]


async def test_old_rows_are_deleted_in_batches_and_open_deliveries_are_kept(commands, monkeypatch):
    async with Database(commands) as db:
        await _fill(db, monkeypatch)
        async with db.connection() as connection:
            await Retention(db).round(connection)
        assert await _left(db) == [1, 9, 1]


async def test_worker_looks_again_without_anything_else_happening(commands, monkeypatch):
    monkeypatch.setattr(Retention, "every", 0.1)
    async with Database(commands) as db:
        worker = asyncio.create_task(Retention(db).run())
        for _ in range(2):
            await _fill(db, monkeypatch)
            await eventually(lambda: _left(db), lambda left: left[0] < 3 and left[2] < 3)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
