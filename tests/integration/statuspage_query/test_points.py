"""Points as data-gateway publishes them: the last of a minute counts, and bad data costs only itself."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import fresh_database
from integration.language.test_wild_messages import World
from integration.statuspage_query.test_project import World as Page
from pinghome.servers import Servers
from pinghome_common import retention
from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.events.page_metric import CustomMetric, Rollup
from pinghome_common.events.point import PointBatch, Points, encode
from statuspage_query import points, project
from statuspage_query.points import HOURS, MINUTES, Retention, rolled_up
from statuspage_query.retention import OLD

A, B = uuid4(), uuid4()


class Told:
    """A page, and the points that arrive."""

    def __init__(self, db: Database) -> None:
        self.db, self.page = db, Page(db)
        self.stream = World("statuspage_query", db, project.telemetry)
        self.boot, self.number = uuid4().bytes, 0
        self.today = int(now().timestamp()) // 86400 * MINUTES
        """The first minute of today."""

    async def arrive(self, *some: Points, number: int = 0) -> None:
        self.number = number or self.number + 1
        body = encode(PointBatch(self.boot, self.number, list(some)))
        await self.stream.say(("telemetry.point.gateway-1", body))

    async def send(self, metric: UUID, *values: tuple[int, float], **more: Any) -> None:
        minutes, figures = zip(*values, strict=True)
        await self.arrive(Points.packed(metric.bytes, [self.today + each for each in minutes], figures), **more)

    async def minutes(self, metric: UUID = A, days_ago: int = 0) -> dict[int, float]:
        row = await self.row(metric, days_ago)
        return {} if row is None else {place: it for place, it in enumerate(row["minutes"]) if it is not None}

    async def row(self, metric: UUID = A, days_ago: int = 0) -> Any:
        day = now().date() - timedelta(days=days_ago)
        return await self.db.fetchrow("SELECT * FROM point_day WHERE metric = $1 AND day = $2", metric, day)

    async def letters(self) -> int:
        return await self.db.fetchval("SELECT count(*) FROM dead_letter")


@pytest.fixture
async def told(servers: Servers) -> AsyncIterator[Told]:
    async with Database(await fresh_database(servers, "statuspage_query")) as db:
        yield Told(db)


async def test_the_last_value_of_a_minute_counts(told: Told):
    await told.send(A, (0, 1.5), (1, 2.5), (1, 3.5))
    await told.send(B, (0, 7))
    await told.send(A, (1, 4.5), (-1, 9))

    assert await told.minutes() == {0: 1.5, 1: 4.5}
    assert await told.minutes(days_ago=1) == {MINUTES - 1: 9}
    assert await told.minutes(B) == {0: 7}
    row = await told.row()
    assert [row[name][0] for name in ("counts", "sums", "least", "most")] == [2, 6, 1.5, 4.5]
    assert row["counts"][1:] == [0] * (HOURS - 1)


async def test_a_replaced_extreme_is_gone_from_its_hour(told: Told):
    await told.send(A, (60, 100), (61, -100), (62, 0))
    await told.send(A, (60, 1), (61, -1))
    row = await told.row()
    assert [row[name][1] for name in ("counts", "sums", "least", "most")] == [3, 0, -1, 1]


async def test_a_batch_that_is_sent_twice_does_not_undo_what_came_after_it(told: Told):
    await told.send(A, (0, 1), number=1)
    await told.send(A, (0, 2), number=2)
    await told.send(A, (0, 1), number=1)
    assert await told.minutes() == {0: 2}


async def test_points_may_come_before_their_metric_and_not_after_its_end(told: Told):
    await told.send(A, (0, 1))
    page = told.page.page
    await told.page.tell("statuspage", page)
    it = CustomMetric(
        id=A, organisation=page.organisation, page=page.id, name="Errors", created_at=now(), updated_at=now()
    )
    await told.page.tell("custom_metric", it)
    assert await told.minutes() == {0: 1}
    assert await told.db.fetchval("SELECT page FROM custom_metric WHERE id = $1", A) == page.id
    await told.page.tell("custom_metric", it, "deleted")
    await told.send(A, (0, 1), (1, 1))
    assert await told.row() is None
    assert await told.db.fetchval("SELECT count(*) FROM custom_metric") == 0


async def test_bad_points_cost_only_themselves(told: Told):
    good = Points.packed(A.bytes, [told.today], [1.0])
    infinite = Points.packed(A.bytes, [told.today + 1], [float("inf")])
    uneven = Points(A.bytes, good.minutes * 2, good.values)
    torn = Points(A.bytes, good.minutes[:3], good.values)
    nobodys = Points(b"short", good.minutes, good.values)
    await told.arrive(infinite, uneven, good, torn, nobodys)
    assert await told.minutes() == {0: 1}
    assert await told.letters() == 4
    await told.stream.say(("telemetry.point.gateway-1", b"\xc1"))
    assert await told.letters() == 5


async def test_what_is_too_old_or_of_the_future_is_left_out(told: Told):
    await told.send(A, (-90 * MINUTES, 1), (-89 * MINUTES, 1), (MINUTES, 1), (3 * MINUTES, 1), (-(2**24), 1))
    days = [row["day"] for row in await told.db.fetch("SELECT day FROM point_day ORDER BY day")]
    assert [(day - now().date()).days for day in days] == [-89, 1]
    assert await told.letters() == 0


async def test_minutes_go_after_90_days_and_hours_stay(told: Told):
    await told.send(A, (0, 1), (1, 3))
    await told.db.fetch("UPDATE point_day SET day = day - 91")
    await told.send(A, (0, 5))
    async with told.db.connection() as connection:
        while await Retention(told.db).round(connection):
            pass
    old, new = await told.row(days_ago=91), await told.row()
    assert (old["minutes"], old["counts"][0], old["sums"][0], old["least"][0], old["most"][0]) == (None, 2, 4, 1, 3)
    assert new["minutes"][0] == 5


@pytest.mark.parametrize(
    ("how", "wanted"),
    [(Rollup.mean, 2.75), (Rollup.rounded_mean, 3), (Rollup.sum, 11), (Rollup.minimum, 1), (Rollup.maximum, 6)],
)
def test_rollups(how: Rollup, wanted: float):
    assert rolled_up(how, [3, 0, 1], [5, 0, 6], [1, 0, 6], [3, 0, 6]) == wanted
    assert rolled_up(how, [0], [0], [0], [0]) is None


@given(st.lists(st.tuples(st.integers(-(2**31), 2**31 - 1), st.floats(allow_nan=False))))
def test_points_are_packed_as_they_are(some: list[tuple[int, float]]):
    minutes, values = [each for each, _ in some], [each for _, each in some]
    assert list(Points.packed(b"", minutes, values).unpacked()) == some


def test_the_hours_of_a_day_are_whole():
    assert points.HOUR * HOURS == MINUTES


async def test_boots_of_gateways_are_forgotten_after_thirty_days(told: Told):
    async with told.db.transaction() as tx:
        for days in (1, 29, 31):
            await tx.execute("INSERT INTO seen VALUES ($1, '{}', $2)", uuid4(), now() - timedelta(days=days))
        await retention.Retention(told.db, OLD).round(tx)
        assert await tx.fetchval("SELECT count(*) FROM seen") == 2
