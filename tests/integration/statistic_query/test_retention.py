"""Changes of state and flips: how long they are kept, and how many are read at a time."""

from datetime import timedelta
from uuid import uuid4

from integration.statistic_query.test_statistics import db, statistics  # noqa: F401
from pinghome_common import db as databases
from pinghome_common.clock import now
from statistic_query import flips as reading
from statistic_query.flips import flips
from statistic_query.owned import Owned
from statistic_query.partition import Partitions

KEPT = {"ping": 90, "flip": 30, "state_change": 30, "metric_hour": 400}


async def test_old_changes_go_but_for_the_last_one_which_says_how_the_time_began(db, monkeypatch):  # noqa: F811
    monkeypatch.setattr(databases, "BATCH", 2)
    busy, quiet = uuid4(), uuid4()
    async with db.connection() as connection:
        ages = {busy: [40, 39, 38, 37, 36, 35, 20, 10], quiet: [400]}
        for resource, days in ages.items():
            for version, age in enumerate(days):
                await connection.execute(
                    "INSERT INTO state_change VALUES ($1, $2, $3, 'down', NULL, '', NULL, NULL)",
                    resource, version, now() - timedelta(days=age),
                )  # fmt: skip
                await connection.execute(
                    "INSERT INTO flip VALUES ($1, $2, $3, true)", resource, version, now() - timedelta(days=age)
                )
        await Partitions(KEPT).delete_old(connection)
        left = await connection.fetch("SELECT resource, version FROM state_change ORDER BY version")
        flipped = await connection.fetch("SELECT heartbeat, version FROM flip ORDER BY version")
    assert [row["version"] for row in left if row["resource"] == busy] == [5, 6, 7]
    assert [row["version"] for row in left if row["resource"] == quiet] == [0]
    assert [(row["heartbeat"], row["version"]) for row in flipped] == [(busy, 6), (busy, 7)]


async def test_a_backup_that_reads_a_table_keeps_nobody_waiting_for_a_new_day_and_the_old_one_stays(db):  # noqa: F811
    old, new = now() - timedelta(days=40), now()
    partitions = Partitions({"result": 30})
    async with db.transaction() as tx:
        await partitions.create(tx, "result", [old])
    async with db.transaction() as reading:
        await reading.execute("LOCK TABLE result IN ACCESS SHARE MODE")
        async with db.transaction() as tx:
            await tx.execute("SET LOCAL lock_timeout = '20s'")
            await partitions.create(tx, "result", [new])
        async with db.connection() as connection:
            await partitions.drop_old(connection)
            assert await connection.fetchval("SELECT to_regclass($1)", f"result_{old:%Y%m%d}")
    async with db.connection() as connection:
        await partitions.drop_old(connection)
        assert not await connection.fetchval("SELECT to_regclass($1)", f"result_{old:%Y%m%d}")
        assert await connection.fetchval("SELECT to_regclass($1)", f"result_{new:%Y%m%d}")


async def test_one_answer_has_the_newest_flips_only(db, monkeypatch):  # noqa: F811
    monkeypatch.setattr(reading, "MAX_FLIPS", 3)
    check = uuid4()
    async with db.connection() as connection:
        for version in range(5):
            at = now() - timedelta(hours=5 - version)
            await connection.execute("INSERT INTO flip VALUES ($1, $2, $3, $4)", check, version, at, version % 2 == 0)
        found = await flips(connection, Owned(check, now()), None, None)
    assert [each.up for each in found] == [True, False, True]
