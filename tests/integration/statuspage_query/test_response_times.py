"""Response times from results as probers publish them: each counts once, and bad data costs only itself."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import connected, fresh_database
from integration.language.test_wild_messages import MONITOR, World, _encodable, honest, result, wild
from integration.statuspage_query.test_project import World as Page
from pinghome.nats import Nats
from pinghome.servers import Servers
from pinghome_common.clock import micros, now
from pinghome_common.db import Connection, Database
from pinghome_common.events.probe import Phases, Result, Verdict
from pinghome_common.events.statuspage import Component, Followed
from pinghome_common.items import Item
from pinghome_common.projection import Projection, Source
from pinghome_common.retention import Retention
from pinghome_common.stream import Broker
from resource_cmd.scheduling.streams import make_streams
from statuspage_query import response_times
from statuspage_query.public import read
from statuspage_query.response_times import EVERY, PLACES
from statuspage_query.retention import OLD
from unit.statuspage_cmd.made import BANK, MAIL, SHOP

HONEST = UUID(honest(0)["resource"])


class Told:
    """A page and the results that arrive of what its components follow."""

    def __init__(self, db: Database, page: Page) -> None:
        self.db, self.page = db, page
        self.stream = World("statuspage_query", db, response_times.store)
        self.start = now().replace(second=0, microsecond=0) - timedelta(hours=2)
        self.start -= timedelta(minutes=self.start.minute % 5)

    def monitor(self, component: UUID) -> UUID:
        return next(it.resource_id for it in self.page.page.components if it.id == component)

    def result(self, component: UUID, seconds: float, milliseconds: float, **more: Any) -> dict[str, Any]:
        slot = micros(self.start + timedelta(seconds=seconds))
        own = {"resource": self.monitor(component), "slot": slot, "checked_at": slot, "interval": 60}
        it = Result(**{**own, "verdict": Verdict.up, "phases": Phases(total=milliseconds), **more})
        return msgspec.to_builtins(it)

    async def arrive(self, *some: dict[str, Any], region: str = "a") -> None:
        body = {"batch": str(uuid4()), "region": region, "results": list(some)}
        await self.stream.say((f"telemetry.result.{region}", msgspec.msgpack.encode(body)))

    async def shown(self, component: UUID = SHOP) -> list[float]:
        """What is known, ascending."""
        found = await read.response_times(self.db, self.page.page, now())
        return [each for each in found[component].recent if each is not None] if component in found else []

    async def letters(self) -> int:
        return await self.db.fetchval("SELECT count(*) FROM dead_letter")


@pytest.fixture
async def told(servers: Servers) -> AsyncIterator[Told]:
    async with Database(await fresh_database(servers, "statuspage_query")) as db:
        page = Page(db)
        await page.begin()
        yield Told(db, page)


async def test_results_become_averages_of_five_minutes_of_all_regions(told: Told):
    await told.arrive(told.result(SHOP, 0, 100), told.result(SHOP, 60, 200), told.result(BANK, 60, 7))
    await told.arrive(told.result(SHOP, 60, 600), region="b")
    await told.arrive(told.result(SHOP, 299, 100), told.result(SHOP, 300, 50))

    assert await told.shown() == [250, 50]
    assert await told.shown(BANK) == [7]
    assert await told.shown(MAIL) == []
    times = (await read.response_times(told.db, told.page.page, now()))[SHOP]
    assert len(times.recent) == PLACES
    assert len(times.days) == 90
    places = [place for place, each in enumerate(times.recent) if each is not None]
    assert times.until - (PLACES - places[0]) * EVERY == told.start
    assert times.until - EVERY <= now() < times.until
    if told.start.date() == now().date():
        assert [each for each in times.days if each] == [210]


async def test_a_result_counts_once_however_often_it_arrives(told: Told):
    some = [told.result(SHOP, 60 * minute, 10 * minute) for minute in range(5)]
    await told.arrive(*some)
    await told.arrive(*some)
    await told.arrive(some[0], *some, some[4])

    assert await told.shown() == [20]
    assert await told.db.fetchval("SELECT sum(count) FROM response_day") == 5


async def test_only_answers_are_timed(told: Told):
    await told.arrive(
        told.result(SHOP, 1, 100),
        told.result(SHOP, 2, 9000, verdict=Verdict.target_fail),
        told.result(SHOP, 3, 9000, verdict=Verdict.probe_error),
        told.result(SHOP, 4, 9000, verdict=Verdict.blocked, status_code=200),
        told.result(SHOP, 5, 300, verdict=Verdict.target_fail, status_code=500),
    )

    assert await told.shown() == [200]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0, 1e300])
async def test_what_is_no_response_time_costs_only_itself(told: Told, bad: float):
    await told.arrive(told.result(SHOP, 1, 100), told.result(SHOP, 2, bad), told.result(SHOP, 3, 300))
    await told.arrive(told.result(SHOP, 4, 200))

    assert await told.shown() == [200]
    assert await told.letters() == 1


@pytest.mark.parametrize(
    ("age", "counted"),
    [(timedelta(days=91), 1), (timedelta(days=40_000), 1), (timedelta(days=-2), 2)],  # which is when it arrived
)
async def test_other_times_are_left_out_and_block_nothing(told: Told, age: timedelta, counted: int):
    await told.arrive(told.result(SHOP, 0, 100, slot=micros(now() - age)))
    await told.arrive(told.result(SHOP, 0, 100, slot=micros(now())))

    assert set(await told.shown()) == {100}
    assert await told.db.fetchval("SELECT sum(count) FROM response_day") == counted
    assert await told.letters() == 0


async def test_of_monitors_that_no_component_shows_nothing_is_kept(told: Told):
    page = told.page.page
    hidden, beat, other = page.components
    foreign = uuid4()
    made = {"created_at": page.created_at, "type": Followed.resource}
    page.components = [
        replace(hidden, showcased=False),
        replace(beat, type=Followed.heartbeat),
        other,
        Component(id=uuid4(), name="of another organisation", resource_id=foreign, **made),
        Component(id=uuid4(), name="unknown", resource_id=uuid4(), **made),
    ]
    await told.page.tell("statuspage", page)
    await told.db.fetch("INSERT INTO followed VALUES ($1, $2, 1, 'operational')", foreign, uuid4())

    await told.arrive(*(told.result(each.id, 1, 5) for each in page.components))

    assert [row["monitor"] for row in await told.db.fetch("SELECT monitor FROM response_day")] == [other.resource_id]
    assert (await read.response_times(told.db, page, now())).keys() == {MAIL}


async def test_what_was_measured_is_not_shown_once_it_is_hidden_or_of_another_organisation(told: Told):
    await told.arrive(told.result(SHOP, 1, 5), told.result(BANK, 1, 5))
    page = told.page.page
    page.components[0] = replace(page.components[0], showcased=False)
    assert (await read.response_times(told.db, page, now())).keys() == {BANK}
    assert await read.response_times(told.db, replace(page, organisation=uuid4()), now()) == {}


async def test_what_a_deleted_monitor_has_left_goes_with_it(told: Told):
    await told.arrive(told.result(SHOP, 1, 5), told.result(BANK, 1, 5))
    await told.page.say("resource", told.monitor(SHOP), {}, what="deleted")

    assert await told.shown() == []
    for table in ("response_day", "response_newest"):
        assert await told.db.fetchval(f"SELECT count(*) FROM {table}") == 1  # noqa: S608
    await told.arrive(told.result(SHOP, 2, 5))
    assert await told.shown() == []


async def test_days_are_kept_ninety_days(told: Told):
    await told.arrive(told.result(SHOP, 1, 5))
    ages = (0, 89, 90, 91, 400)
    async with told.db.transaction() as connection:
        for age in ages[1:]:
            await connection.execute(
                "INSERT INTO response_day SELECT monitor, $1, sums, counts, sum, count FROM response_day LIMIT 1",
                told.start.date() - timedelta(days=age),
            )
        await Retention(told.db, OLD).round(connection)
        left = await connection.fetch("SELECT day FROM response_day ORDER BY day DESC")
    expected = {told.start.date() - timedelta(days=age) for age in ages}
    assert {row["day"] for row in left} == {day for day in expected if day >= oldest()}


def oldest() -> date:
    return (datetime.now(UTC) - timedelta(days=90)).date()


async def test_a_migrated_database_knows_which_monitors_its_pages_show(told: Told):
    """What the migration says of pages that were there before it is what the projection says."""
    from importlib import import_module

    migration = import_module("statuspage_query.migrations.versions.0006_response_times")
    page = told.page.page
    page.components[1] = replace(page.components[1], showcased=False)
    await told.page.tell("statuspage", page)
    known = await told.db.fetch("SELECT id, monitor FROM component ORDER BY id")
    assert [bool(row["monitor"]) for row in known] == [True, False, True]

    async with told.db.transaction() as connection:
        await connection.execute("UPDATE component SET monitor = NULL")
        (fill,) = [each for each in migration.STATEMENTS.split(";\n") if "UPDATE component" in each]
        await connection.execute(fill)

    assert await told.db.fetch("SELECT id, monitor FROM component ORDER BY id") == known


async def test_wild_results_cost_only_themselves(told: Told):
    page = told.page.page
    page.components[0].resource_id, page.components[1].resource_id = MONITOR, HONEST
    await told.page.tell("statuspage", page)
    for component in page.components[:2]:
        await told.page.monitor(component.id, "up", 0)
    examples: list[Any] = []

    @wild
    @given(st.lists(result, max_size=4), st.lists(result, max_size=4))
    def run(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
        examples.append((before, after))

    run()
    for place, (before, after) in enumerate(examples):
        own = told.result(BANK, place, 1.0)
        await told.stream.say(*_encodable(before, own, after))
    counted = await told.db.fetchval("SELECT sum(count) FROM response_day WHERE monitor = $1", HONEST)
    assert counted >= 1
    assert await told.letters() > 10


async def test_each_result_counts_once_however_often_the_service_is_stopped(told: Told, broker: Nats):
    """State and position are one transaction: what was cut off is repeated, and nothing else."""
    total, slot = 300, micros(told.start)
    async with Broker(broker.url("resource-cmd"), "resource-cmd") as cmd:
        await connected(cmd)
        await make_streams(cmd, 1, 64 << 20)
    region = "eu-central-1"
    async with Broker(broker.url(f"prober-{region}"), f"prober-{region}") as prober:
        await connected(prober)
        for each in range(total):
            some = [told.result(component, each, 100, slot=slot + each) for component in (SHOP, BANK)]
            body = {"batch": str(uuid4()), "region": region, "results": some}
            await prober.publish([(f"telemetry.result.{region}", msgspec.msgpack.encode(body), None)])

    async def counted() -> int:
        return await told.db.fetchval("SELECT coalesce(sum(count), 0) FROM response_day")

    stops = 0
    async with Broker(broker.url("statuspage-query"), "statuspage-query") as own:
        await connected(own)
        while await counted() < 2 * total:
            source = Source("TELEMETRY", ["telemetry.result.>"], slowly)
            running = asyncio.create_task(Projection("statuspage-query", told.db, own, [source], durable=False).run())
            await asyncio.sleep(0.05 + 0.02 * stops)
            stops += 1
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            assert stops < 1000
        assert await counted() == 2 * total
    assert stops > 1
    assert await told.shown() == [100]


async def slowly(tx: Connection, items: list[Item]) -> None:
    """Stores results such that it is often cut off before it is done."""
    await response_times.store(tx, items)
    await asyncio.sleep(0.03)
