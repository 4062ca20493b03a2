"""The view `result_hour` shows SQL what the API shows."""

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from conftest import fresh_database
from pinghome_common.clock import micros
from pinghome_common.db import Database
from pinghome_common.events.probe import Phases, Result, Verdict
from statistic_query import rollup
from statistic_query.buckets import Bucket
from statistic_query.read import Read
from statistic_query.window import Window

ORGANISATION = uuid4()
START = datetime(2026, 2, 27, 22, tzinfo=UTC)
END = START + timedelta(hours=60)


@pytest.fixture
async def db(servers):
    async with Database(await fresh_database(servers, "statistic_query")) as db:
        yield db


def results(chance: random.Random):
    """Of one monitor, in two hours of three."""
    resource, slot = uuid4(), START
    while slot < END:
        if slot.hour % 3:
            verdict, status = chance.choice([(Verdict.up, 200), (Verdict.target_fail, None), (Verdict.blocked, None)])
            phases = Phases(total=chance.choice([0.0, 0.001, 123456.789, chance.uniform(0, 900)]))
            yield Result(
                resource=resource, slot=micros(slot), checked_at=micros(slot), interval=1200, verdict=verdict,
                status_code=status, phases=phases,
            )  # fmt: skip
        slot += timedelta(minutes=20)


def in_sql(row) -> tuple[object, ...]:
    average = round(row["total"] / row["timed"] * 1000) / 1000 if row["timed"] else None
    return row["at"], row["checks"], row["failures"], average, row["fastest"], row["slowest"]


def in_json(bucket: Bucket) -> tuple[object, ...]:
    times = msgspec.json.decode(msgspec.json.encode(bucket.response_time))
    return bucket.received_at, bucket.checks, bucket.failures, times["avg"], times["min"], times["max"]


@pytest.mark.parametrize("zone", ["UTC", "America/St_Johns"])
async def test_hours_of_the_view_are_those_of_the_api(db, zone):
    chance = random.Random(7)
    monitors = {found[0].resource: found for found in (list(results(chance)) for _ in range(5))}
    async with db.transaction() as tx:
        await tx.execute(f"SET LOCAL timezone = '{zone}'")
        for id_, found in monitors.items():
            await tx.execute("INSERT INTO monitor VALUES ($1, 'resource', $2, 1, $3)", id_, ORGANISATION, START)
            await rollup.count(tx, found)
        for id_ in monitors:
            window = Window(START, END, "hour")
            _, _, begins, counts = await Read(tx, ORGANISATION).statistics(id_, window, 1000)
            buckets = counts.buckets(begins, [None] * len(begins))
            rows = await tx.fetch("SELECT * FROM result_hour WHERE resource = $1 ORDER BY at", id_)
            assert [in_sql(row) for row in rows] == [in_json(bucket) for bucket in buckets if bucket.checks]
            assert all(row["day"] == row["at"].astimezone(UTC).date() for row in rows)
