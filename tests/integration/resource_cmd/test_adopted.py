"""Monitors of status pages' metrics: made, changed and gone with their metric, whatever comes again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from applying import apply_all
from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.errors import Conflict
from pinghome_common.events import Event, encode
from pinghome_common.events.page_metric import Metric
from pinghome_common.events.resource import Resource
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.store import Actor, no_wait
from pinghome_common.stream import Message
from resource_cmd.accounts.store import Services
from resource_cmd.monitors import adopted, resource
from resource_cmd.monitors.adopted import service_of
from unit.statuspage_cmd.made import page as made

PAGE = made(name="ACME")
URL = "https://api.example.com/health"


class Pages:
    """What statuspage-cmd says."""

    def __init__(self, db: Database) -> None:
        self.db, self.versions = db, dict[UUID, int]()
        self.metric = Metric(
            id=uuid4(), organisation=PAGE.organisation, page=PAGE.id, name="API", page_name=PAGE.name, url=URL,
            frequency=300, location="US West", regions=["eu-central-1"], created_at=now(), updated_at=now(),
        )  # fmt: skip

    async def say(self, it: Metric | StatusPage, what: str = "updated", version: int = 0) -> None:
        self.versions[it.id] = version = version or self.versions.get(it.id, 0) + 1
        noun = "metric" if isinstance(it, Metric) else "statuspage"
        event = Event(
            type=f"{noun}.{what}", source="statuspage-cmd", time=now(), subject=it.id, organisation=it.organisation,
            version=version, actor="test", data=it,
        )  # fmt: skip
        async with self.db.transaction() as tx:
            await apply_all(tx, adopted.hear, [Message(1, event.address("status"), encode(event), 0)])

    async def monitor(self) -> Resource | None:
        state = await self.db.fetchval("SELECT state FROM resource WHERE id = $1", self.metric.id)
        return msgspec.json.decode(state, type=Resource) if state else None

    async def events(self, aggregate: UUID) -> list[tuple[int, str]]:
        rows = await self.db.fetch("SELECT version, body FROM events WHERE aggregate = $1 ORDER BY version", aggregate)
        return [(row["version"], msgspec.json.decode(row["body"])["type"].partition(".")[2]) for row in rows]

    async def services(self) -> list[str]:
        return [row["name"] for row in await self.db.fetch("SELECT state->>'name' AS name FROM service ORDER BY id")]


@pytest.fixture
async def pages(commands: str) -> AsyncIterator[Pages]:
    async with Database(commands) as db:
        yield Pages(db)


async def test_a_metric_with_a_url_has_a_monitor(pages: Pages):
    await pages.say(PAGE)
    assert await pages.services() == []
    await pages.say(pages.metric, "created")
    it = await pages.monitor()
    assert it
    wanted: dict[str, Any] = {
        "organisation": PAGE.organisation, "name": "API", "type": "http", "url": URL, "interval": 300,
        "regions": ["eu-central-1"], "channels": [], "managed_by": "statuspage", "service_id": service_of(PAGE.id),
    }  # fmt: skip
    assert {name: getattr(it, name) for name in wanted} == wanted
    assert await pages.services() == ["Status page ACME"]
    assert await pages.db.fetchval("SELECT resource FROM unscheduled") == it.id
    with pytest.raises(Conflict, match="metric API"):
        resource.check_own(it)


async def test_what_is_heard_again_changes_nothing(pages: Pages):
    await pages.say(pages.metric, "created")
    await pages.say(replace(pages.metric, name="New", frequency=60))
    before = await pages.monitor()
    await pages.say(pages.metric, "created", version=1)
    await pages.say(replace(pages.metric, name="New", frequency=60), version=2)
    assert await pages.monitor() == before
    assert before
    assert (before.name, before.interval) == ("New", 60)
    assert await pages.events(pages.metric.id) == [(1, "created"), (2, "updated")]


async def test_without_a_url_the_monitor_goes_and_comes_back(pages: Pages):
    await pages.say(pages.metric, "created")
    await pages.say(replace(pages.metric, url=""))
    assert await pages.monitor() is None
    await pages.say(replace(pages.metric, url=URL + "/2"))
    it = await pages.monitor()
    assert it
    assert (it.url, it.change.version) == (URL + "/2", 3)
    assert await pages.events(pages.metric.id) == [(1, "created"), (2, "deleted"), (3, "created")]


async def test_a_metric_without_a_url_has_none(pages: Pages):
    await pages.say(replace(pages.metric, url=""), "created")
    assert await pages.monitor() is None
    assert await pages.services() == []


async def test_with_its_page_all_goes_and_nothing_late_brings_it_back(pages: Pages):
    await pages.say(PAGE)
    await pages.say(pages.metric, "created")
    await pages.say(replace(PAGE, name="ACME Inc."))
    assert await pages.services() == ["Status page ACME Inc."]
    await pages.say(pages.metric, "deleted")
    await pages.say(PAGE, "deleted")
    assert (await pages.monitor(), await pages.services()) == (None, [])
    await pages.say(pages.metric, "created", version=1)
    assert (await pages.monitor(), await pages.services()) == (None, [])


async def test_a_service_that_somebody_has_deleted_is_not_made_again(pages: Pages):
    await pages.say(pages.metric, "created")
    async with pages.db.transaction() as tx:
        await Services(tx, Actor("test"), no_wait, now()).remove_many([service_of(PAGE.id)])
    await pages.say(replace(pages.metric, name="New"))
    it = await pages.monitor()
    assert it
    assert (it.name, it.service_id, await pages.services()) == ("New", service_of(PAGE.id), [])
