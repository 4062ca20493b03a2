"""Maintenance of a status page that silences alerts: what is not told meanwhile, and what is told after it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import structs

from applying import apply_all
from integration.resource_cmd.delivery.conftest import OPERATOR, World
from integration.resource_cmd.delivery.test_servers_told import made as a_server
from integration.resource_cmd.delivery.test_unjudged import told as told_unjudged
from integration.resource_cmd.delivery.test_unjudged import unknown
from integration.resource_cmd.evaluation.test_silence import AT
from integration.resource_cmd.expiry.test_reminder_worker import certificate
from pinghome_common.clock import micros, now
from pinghome_common.events import Event, encode
from pinghome_common.events.heartbeat import MICRO, Status
from pinghome_common.events.incident import Maintenance, MaintenanceStatus
from pinghome_common.events.metric import Agent
from pinghome_common.events.resource import Change, Resource
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.store import no_wait
from pinghome_common.stream import Message
from resource_cmd.delivery import mutes
from resource_cmd.evaluation.status_changes import StatusChanges
from resource_cmd.evaluation.unmuted import Unmuted
from resource_cmd.expiry.reminder_worker import remind
from resource_cmd.heartbeats import heartbeat
from resource_cmd.heartbeats.store import Heartbeats
from resource_cmd.monitors.store import Resources
from unit.statuspage_cmd.made import page as a_page

HOUR = timedelta(hours=1)


class Site:
    """A page with one component, its maintenance that silences alerts and has begun, and what is heard of both."""

    def __init__(self, world: World, follows: UUID, organisation: UUID | None = None) -> None:
        self.world = world
        page = a_page(organisation=organisation or world.service.organisation)
        self.page = replace(page, components=[replace(page.components[0], resource_id=follows)])
        at = now()
        self.maintenance = Maintenance(
            id=uuid4(), organisation=self.page.organisation, page=self.page.id, title="x", silence_alerts=True,
            components=[self.page.components[0].id], scheduled_for=at - HOUR, ends_at=at + HOUR,
            status=MaintenanceStatus.in_progress, started_at=at - HOUR, created_at=at, updated_at=at,
        )  # fmt: skip
        self.versions: dict[UUID, int] = {}

    async def says(self, it: StatusPage | Maintenance, what: str = "updated", version: int | None = None) -> None:
        """An event of statuspage-cmd."""
        self.versions[it.id] = version = version or self.versions.get(it.id, 0) + 1
        noun = "statuspage" if isinstance(it, StatusPage) else "maintenance"
        event = Event(
            type=f"{noun}.{what}", source="statuspage-cmd", time=now(), subject=it.id, organisation=it.organisation,
            version=version, actor="test", correlationid="", data=it,
        )  # fmt: skip
        async with self.world.db.transaction() as tx:
            await apply_all(tx, mutes.hear, [Message(1, event.address("status"), encode(event), 0)])

    async def begins(self) -> None:
        await self.says(self.page)
        await self.says(self.maintenance)

    async def looks(self) -> list[str]:
        """What has been told once the worker, begun anew, has looked twice."""
        async with self.world.db.connection() as connection:
            for _ in range(2):
                await Unmuted(self.world.db, lambda: None).round(connection)
        return await self.told()

    async def told(self) -> list[str]:
        return [it.what for it in await self.world.ledger()]


async def becomes(world: World, it: Resource, status: str) -> None:
    """What the quorum decides."""
    async with world.db.transaction() as tx:
        store, changes = Resources(tx, OPERATOR, no_wait, now()), StatusChanges(tx)
        row = await store.edit(it.id)
        before = row.state.change.status
        change = Change(status=type(before)(status), previous=before, at=now(), version=row.version + 1)
        await changes.monitor(store, row, change)
        await changes.announce()


@pytest.fixture
async def shop(world: World) -> Resource:
    """A monitor with a channel."""
    await world.webhook("http://127.0.0.1:1/")
    return await world.resource()


@pytest.fixture
async def site(world: World, shop: Resource) -> Site:
    """Where the shop is in maintenance."""
    made = Site(world, shop.id)
    await made.begins()
    return made


def ended(site: Site) -> list[tuple[Any, str]]:
    at = now()
    return [(replace(site.maintenance, status=MaintenanceStatus.completed, ended_at=at), "updated")]


def elsewhere(site: Site) -> list[tuple[Any, str]]:
    components = [replace(site.page.components[0], resource_id=uuid4())]
    return [(replace(site.page, components=components), "updated")]


ENDS: dict[str, Callable[[Site], list[tuple[Any, str]]]] = {
    "by hand or by the clock": ended,
    "its end is moved": lambda site: [(replace(site.maintenance, ends_at=now()), "updated")],
    "it silences no longer": lambda site: [(replace(site.maintenance, silence_alerts=False), "updated")],
    "it is of other components": lambda site: [(replace(site.maintenance, components=[uuid4()]), "updated")],
    "it is deleted": lambda site: [(site.maintenance, "deleted")],
    "the component follows something else": elsewhere,
    "the component is gone": lambda site: [(replace(site.page, components=[]), "updated")],
    "the page is deleted": lambda site: [(site.page, "deleted")],
}


@pytest.mark.parametrize("end", ENDS)
async def test_what_is_still_down_at_its_end_is_told_then_and_once(world: World, shop: Resource, site: Site, end: str):
    await becomes(world, shop, "up")
    await becomes(world, shop, "down")
    assert await site.looks() == []
    for state, what in ENDS[end](site):
        await site.says(state, what)
    assert await site.looks() == ["down"]
    await becomes(world, shop, "up")
    assert await site.looks() == ["down", "up"]


async def test_it_ends_by_its_own_time_though_nobody_says_so(world: World, shop: Resource, site: Site):
    await becomes(world, shop, "down")
    assert await site.looks() == []
    await world.db.fetch("UPDATE mute SET ends = now() - interval '1 second'")  # as an hour later
    assert await site.looks() == ["down"]


async def test_it_begins_by_its_own_time_or_when_somebody_begins_it(world: World, shop: Resource, site: Site):
    later = replace(
        site.maintenance, status=MaintenanceStatus.scheduled, started_at=None, scheduled_for=now() + HOUR / 2
    )
    await site.says(later)
    await becomes(world, shop, "down")
    assert await site.looks() == ["down"]
    await site.says(replace(later, status=MaintenanceStatus.in_progress, started_at=now()))
    await becomes(world, shop, "up")
    assert await site.looks() == ["down"]
    await site.says(replace(later, scheduled_for=now()))
    assert await site.looks() == ["down"]


@pytest.mark.parametrize(
    ("before", "meanwhile", "told"),
    [
        (["up"], ["down", "up"], []),
        (["up"], ["down", "unknown"], []),
        (["down"], ["up"], ["down", "up"]),
        (["down"], ["up", "down"], ["down"]),
        (["up"], ["down", "up", "down"], ["down"]),
    ],
)
async def test_only_what_is_another_thing_than_was_told_last_is_told(
    world: World, shop: Resource, before: list[str], meanwhile: list[str], told: list[str]
):
    site = Site(world, shop.id)
    for status in before:
        await becomes(world, shop, status)
    await site.begins()
    for status in meanwhile:
        await becomes(world, shop, status)
    assert await site.looks() == [what for what in before if what == "down"]
    await site.says(*ended(site)[0])
    assert await site.looks() == told
    assert await world.db.fetchval("SELECT count(*) FROM muted") == 0


async def test_another_organisations_page_silences_nothing(world: World, shop: Resource):
    site = Site(world, shop.id, uuid4())
    await site.begins()
    await becomes(world, shop, "down")
    assert await site.looks() == ["down"]


async def test_maintenance_of_one_page_silences_no_component_of_another(world: World, shop: Resource):
    site, other = Site(world, shop.id), Site(world, shop.id)
    await other.says(other.page)
    await site.says(replace(site.page, components=[]))
    await site.says(replace(site.maintenance, components=[]))
    await becomes(world, shop, "down")
    assert await site.looks() == ["down"]


async def test_events_that_come_again_end_nothing_and_begin_nothing(world: World, shop: Resource, site: Site):
    await site.says(replace(site.page, name="y"))
    await site.says(replace(site.page, components=[]), version=1)
    await site.says(replace(site.maintenance, title="y"))
    await site.says(replace(site.maintenance, ends_at=now()), version=1)
    await becomes(world, shop, "down")
    assert await site.looks() == []


async def test_monitor_that_was_deleted_meanwhile_is_forgotten(world: World, shop: Resource, site: Site):
    await becomes(world, shop, "down")
    async with world.db.transaction() as tx:
        store = Resources(tx, OPERATOR, no_wait, now())
        await store.remove(await store.edit(shop.id))
    await site.says(*ended(site)[0])
    assert await site.looks() == []
    assert await world.db.fetchval("SELECT count(*) FROM muted") == 0


async def test_heartbeat_that_is_still_down_is_told_after_it(world: World):
    await world.webhook("http://127.0.0.1:1/")
    settings = {"name": "job", "service_id": world.service.id, "period": 60, "methods": ["GET"]}
    it = heartbeat.create(uuid4(), world.service.organisation, settings, now(), enabled=True)
    async with world.db.transaction() as tx:
        await Heartbeats(tx, OPERATOR, no_wait, now()).add(it)
    site = Site(world, it.id)
    await site.begins()
    async with world.db.transaction() as tx:
        store, changes = Heartbeats(tx, OPERATOR, no_wait, now()), StatusChanges(tx)
        row = await store.edit(it.id)
        runtime = structs.replace(
            row.state.vitals, status=Status.down, changed_at=micros(now()), reason="the job failed"
        )
        await changes.heartbeat(store, row, runtime)
        await changes.announce()
    assert await site.looks() == []
    await site.says(*ended(site)[0])
    assert await site.looks() == ["down"]
    assert (await world.ledger())[0].text.endswith("the job failed.")


async def test_of_a_server_the_outage_and_the_threshold_are_told_after_it_and_no_reboot(world: World):
    await world.webhook("http://127.0.0.1:1/")
    it = await a_server(world)
    site = Site(world, it.it.id)
    await it.sample(0, agent=agent(0))
    await site.begins()
    for at in range(10, 80, 10):
        await it.sample(at, cpu=99, agent=agent(1000))
    await it.passes(130)
    assert await it.state() == "down"
    assert await site.looks() == []
    await site.says(*ended(site)[0])
    assert await site.looks() == ["down"]
    for at in range(140, 220, 10):
        await it.sample(at, cpu=99)
    assert await site.looks() == ["down", "up", "threshold-broken"]


def agent(booted: float) -> Agent:
    return Agent(boot_time=AT / MICRO - 5000 + booted)


async def test_threshold_that_was_broken_before_is_cleared_after_it(world: World):
    await world.webhook("http://127.0.0.1:1/")
    it = await a_server(world)
    site = Site(world, it.it.id)
    for at in range(0, 80, 10):
        await it.sample(at, cpu=99)
    assert await site.told() == ["threshold-broken"]
    await site.begins()
    for at in range(80, 200, 10):
        await it.sample(at, cpu=1)
    assert await site.looks() == ["threshold-broken"]
    await site.says(*ended(site)[0])
    await it.sample(200, cpu=1)
    assert await site.looks() == ["threshold-broken", "threshold-cleared"]


async def test_that_it_cannot_be_judged_is_told_after_it(world: World):
    await world.webhook("http://127.0.0.1:1/")
    it = await world.resource(interval=60)
    at = now()
    await unknown(world, it, at - 20 * HOUR)
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO region_observation VALUES ($1, 'a', $2, $2, NULL, $2, NULL, '')", it.id, micros(at)
        )
    site = Site(world, it.id)
    await site.begins()
    assert await told_unjudged(world, at) == []
    await site.says(*ended(site)[0])
    assert [what for what, _, _ in await told_unjudged(world, at)] == ["unknown"]


async def test_reminders_wait_until_it_ends(world: World):
    await world.webhook("http://127.0.0.1:1/")
    at = now()
    soon = certificate(at + 72 * HOUR, "shop.test")
    it = await world.resource(url="https://shop.test/", ssl_reminder=[7], certificate=soon)
    site = Site(world, it.id)
    await site.begins()
    async with world.db.connection() as connection:
        assert await remind(connection, at) == 0
        await site.says(*ended(site)[0])
        assert await remind(connection, at) == 1
    assert await site.told() == ["ssl-reminder"]
