"""What is read of a page after its events: edits, deletions, regions that fail, and the same now as in the past."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from conftest import fresh_database
from pinghome.servers import Servers
from pinghome_common.db import Database
from pinghome_common.events import Envelope, Event, decode, encode
from pinghome_common.events.incident import (
    Affected,
    Incident,
    IncidentStatus,
    IncidentUpdate,
    Maintenance,
    MaintenanceStatus,
)
from pinghome_common.events.statuspage import ComponentStatus as Status
from pinghome_common.items import Item
from statuspage_query import project
from statuspage_query.read import Read
from unit.statuspage_cmd.made import BANK, MAIL, SHOP, page

ZERO = datetime(2026, 11, 1, tzinfo=UTC)
GREEN, YELLOW, RED = Status.operational, Status.degraded, Status.major_outage


def at(hours: float) -> datetime:
    return ZERO + timedelta(hours=hours)


class World:
    """A page with three components that follow something; events are said in their order."""

    def __init__(self, db: Database) -> None:
        self.db, self.page, self.versions = db, page(), dict[UUID, int]()
        self.read = Read(db, self.page.organisation)

    async def say(self, noun: str, subject: UUID, data: Any, *, time: datetime = ZERO, what: str = "updated") -> None:
        version = self.versions[subject] = self.versions.get(subject, 0) + 1
        event = Event(
            type=f"{noun}.{what}", time=time, subject=subject, organisation=self.page.organisation, version=version,
            actor="", data=data,
        )  # fmt: skip
        value: Envelope = decode(encode(event))
        apply = project.monitors if noun == "resource" else project.pages
        async with self.db.transaction() as tx:
            await apply(tx, [Item(version, 0, "", 0, value)])

    async def begin(self) -> None:
        """The page is there, and all that its components follow is up."""
        await self.tell("statuspage", self.page)
        for component in self.page.components:
            await self.monitor(component.id, "up", 0)

    async def tell(self, noun: str, it: Any, what: str = "updated") -> None:
        await self.say(noun, it.id, it, what=what)

    async def monitor(self, id_: UUID, status: str, hours: float, *, changed: bool = True, **more: Any) -> None:
        """The state of what a component follows; without `changed` its last change of status stays what it was."""
        followed = next(it.resource_id for it in self.page.components if it.id == id_)
        assert followed
        if changed:
            self.change = {"status": status, "at": at(hours), "version": self.versions.get(followed, 0) + 1}
        await self.say("resource", followed, {"created_at": ZERO, "change": self.change, **more}, time=at(hours))

    async def seen(self, id_: UUID, since: float = 0) -> list[tuple[float, Status]]:
        """What a component has shown since some hours; the last is what it shows now."""
        component = next(it for it in self.page.components if it.id == id_)
        timeline = (await self.read.timelines(self.page, [component], at(since)))[id_]
        assert timeline[-1].status is (await self.read.statuses(self.page))[id_]
        return [((each.at - ZERO) / timedelta(hours=1), each.status) for each in timeline]


@pytest.fixture
async def world(servers: Servers) -> AsyncIterator[World]:
    async with Database(await fresh_database(servers, "statuspage_query")) as db:
        it = World(db)
        await it.begin()
        yield it


def of(world: World, hours: float, **settings: Any) -> dict[str, Any]:
    base = {"id": uuid4(), "organisation": world.page.organisation, "page": world.page.id}
    return base | {"created_at": at(hours), "updated_at": at(hours), "reported_by": "Jo"} | settings


def affected(**statuses: Status) -> list[Affected]:
    ids = {"shop": SHOP, "bank": BANK, "mail": MAIL}
    return [Affected(component=ids[name], status=status) for name, status in statuses.items()]


async def test_incidents_updates_their_edits_and_deletions_are_what_components_have_shown(world: World):
    it = Incident(**of(world, 1, title="x", occurred_at=at(1), opened_with=affected(shop=RED)))
    it.components = it.opened_with
    await world.tell("incident", it)
    assert await world.seen(SHOP) == [(0, GREEN), (1, RED)]
    first = IncidentUpdate(
        **of(world, 2, incident=it.id, status=IncidentStatus.identified, components=affected(shop=YELLOW, bank=RED))
    )
    await world.tell("incident_update", first)
    assert await world.seen(SHOP) == [(0, GREEN), (1, RED), (2, YELLOW)]
    assert await world.seen(BANK) == [(0, GREEN), (2, RED)]
    await world.tell("incident_update", replace(first, components=affected(bank=YELLOW)))
    assert await world.seen(SHOP) == [(0, GREEN), (1, RED), (2, GREEN)]
    await world.tell("incident", replace(it, status=IncidentStatus.resolved, resolved_at=at(3)))
    assert await world.seen(BANK) == [(0, GREEN), (2, YELLOW), (3, GREEN)]
    assert await world.read.incidents(world.page.id, open_only=True) == []
    assert len(await world.read.incidents(world.page.id, since=at(3))) == 1
    assert await world.read.incidents(world.page.id, since=at(3.1)) == []
    await world.tell("incident_update", first, "deleted")
    assert await world.seen(BANK) == [(0, GREEN)]
    assert await world.seen(SHOP) == [(0, GREEN), (1, RED), (3, GREEN)]
    assert await world.read.updates([it.id]) == {it.id: []}
    await world.tell("incident", it, "deleted")
    assert await world.seen(SHOP) == [(0, GREEN)]


async def test_maintenance_hides_what_is_followed_and_no_incident(world: World):
    it = Maintenance(**of(world, 0, title="x", scheduled_for=at(1), ends_at=at(9), components=[SHOP]))
    await world.tell("maintenance", it)
    assert await world.seen(SHOP) == [(0, GREEN)]
    it = replace(it, status=MaintenanceStatus.in_progress, started_at=at(1))
    await world.tell("maintenance", it)
    await world.monitor(SHOP, "down", 2)
    assert await world.seen(SHOP) == [(0, GREEN), (1, Status.maintenance)]
    incident = Incident(**of(world, 3, title="x", occurred_at=at(3), opened_with=affected(shop=YELLOW)))
    await world.tell("incident", incident)
    assert await world.seen(SHOP) == [(0, GREEN), (1, Status.maintenance), (3, YELLOW)]
    await world.tell("maintenance", replace(it, status=MaintenanceStatus.completed, ended_at=at(4)))
    await world.tell("incident", incident, "deleted")
    assert await world.seen(SHOP) == [(0, GREEN), (1, Status.maintenance), (4, RED)]
    assert await world.read.maintenances(world.page.id, open_only=True) == []


async def test_what_the_clock_reports_leaves_components_to_what_they_follow(world: World):
    await world.monitor(SHOP, "down", 1)
    told = of(world, 2, title="x", occurred_at=at(1), opened_with=affected(shop=RED), automatic=True, reported_by="")
    await world.tell("incident", Incident(**told))
    await world.monitor(SHOP, "up", 3)
    assert await world.seen(SHOP) == [(0, GREEN), (1, RED), (3, GREEN)]


async def test_a_timeline_begins_with_what_was_shown_then(world: World):
    for hours, status in enumerate(("down", "up", "down"), start=1):
        await world.monitor(SHOP, status, hours)
    assert await world.seen(SHOP, since=1.5) == [(1, RED), (2, GREEN), (3, RED)]
    assert await world.seen(SHOP, since=2) == [(2, GREEN), (3, RED)]
    assert await world.seen(SHOP, since=9) == [(3, RED)]


async def test_regions_that_fail_degrade_a_component_from_then_on(world: World):
    await world.monitor(SHOP, "up", 1, changed=True)
    await world.monitor(SHOP, "up", 2, changed=False, failing_regions=["a"])
    await world.monitor(SHOP, "up", 3, changed=False, failing_regions=["a", "b"])
    await world.monitor(SHOP, "up", 4, changed=False)
    assert await world.seen(SHOP) == [(0, GREEN), (2, YELLOW), (4, GREEN)]
    await world.monitor(SHOP, "up", 5, changed=False, failing_regions=["a"])
    await world.monitor(SHOP, "down", 6)
    await world.monitor(SHOP, "up", 7, failing_regions=["b"])
    assert (await world.seen(SHOP))[-3:] == [(5, YELLOW), (6, RED), (7, YELLOW)]


async def test_what_belongs_to_a_page_goes_with_it_and_comes_never_without(world: World):
    it = Incident(**of(world, 1, title="x", occurred_at=at(1), opened_with=affected(shop=RED)))
    await world.tell("incident", it)
    await world.tell("statuspage", world.page, "deleted")
    await world.tell("incident", it)
    for table in ("incident", "incident_change", "component"):
        assert await world.db.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608


async def test_another_organisation_reads_nothing(world: World):
    it = Incident(**of(world, 1, title="x", occurred_at=at(1)))
    await world.tell("incident", it)
    other = Read(world.db, uuid4())
    assert await other.incidents(world.page.id) == []
    assert await other.maintenances(world.page.id) == []
    assert await other.updates([it.id]) == {it.id: []}
    assert await other.count("incident", world.page.id) == 0
