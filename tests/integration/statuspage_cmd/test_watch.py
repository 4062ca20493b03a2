"""Outages in EVENTS open incidents, but not those that were over before this service came to read of them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from conftest import connected
from contract.target import eventually
from integration.statuspage_cmd.conftest import ACTOR, states
from pinghome.nats import Nats
from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.events import Event, encode, followed
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.projection import Projection, Source
from pinghome_common.store import no_wait
from pinghome_common.stream import Broker
from resource_cmd.scheduling.streams import make_streams
from statuspage_cmd.incidents.followed import follow
from statuspage_cmd.incidents.watch import Watch
from statuspage_cmd.pages.store import Pages
from unit.statuspage_cmd.made import page as made


class Monitors:
    """What resource-cmd says of monitors."""

    def __init__(self, page: StatusPage, broker: Broker) -> None:
        self.page, self.broker = page, broker
        self.versions: dict[UUID, int] = {}

    async def say(self, place: int, status: str, at: datetime) -> None:
        id_ = self.page.components[place].resource_id
        assert id_
        version = self.versions[id_] = self.versions.get(id_, 0) + 1
        data = {"created_at": at, "change": {"status": status, "at": at, "version": version}}
        event = Event(
            type="resource.updated", time=now(), subject=id_, organisation=self.page.organisation, version=version,
            actor="", data=data,
        )  # fmt: skip
        await self.broker.publish([(event.address(), encode(event), None)])


@asynccontextmanager
async def monitors(page: StatusPage, nats: Nats) -> AsyncIterator[Monitors]:
    async with Broker(nats.url("resource-cmd"), "resource-cmd") as broker:
        await connected(broker)
        await make_streams(broker, 1, 64 << 20)
        yield Monitors(page, broker)


@asynccontextmanager
async def watching(db: Database, nats: Nats) -> AsyncIterator[Watch]:
    async with Broker(nats.url("statuspage-cmd"), "statuspage-cmd") as broker:
        await connected(broker)
        watch = Watch(db, broker, lambda: None)
        sources = [Source("EVENTS", [f"events.{noun}.>" for noun in followed.NOUNS], follow)]
        projection = Projection("statuspage-cmd", db, broker, sources, after=watch.wake)
        tasks = [asyncio.create_task(work.run()) for work in (watch, projection)]
        yield watch
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def incidents(db: Database) -> list[tuple[str, str, int]]:
    return [(it["title"], it["status"], len(it["components"])) for it in await states(db, "incident")]


async def test_only_what_is_down_when_all_is_read_opens_an_incident(db: Database, page: StatusPage, broker: Nats):
    past = now() - timedelta(days=9)
    async with monitors(page, broker) as say:
        for place in range(3):
            await say.say(place, "down", past)
        for _ in range(500):  # a stream that takes more than one message to read
            await say.say(0, "down", past)
        for place in (1, 2):
            await say.say(place, "up", past + timedelta(hours=1))
        async with watching(db, broker):
            found = await eventually(lambda: incidents(db), bool)
            assert found == [("Shop is down", "investigating", 1)]
            await say.say(2, "down", now())
            found = await eventually(lambda: incidents(db), lambda seen: seen[0][2] == 2)
            assert found == [("Shop is down", "investigating", 2)]
            for place in (0, 2):
                await say.say(place, "up", now())
            await eventually(lambda: incidents(db), lambda seen: seen[0][1] == "resolved")
            await say.say(0, "down", now())
            await eventually(lambda: incidents(db), lambda seen: seen[0][1] == "investigating")
            updates: list[dict[str, Any]] = await states(db, "incident_update")
            assert [it["message"] for it in updates] == [
                "Mail is down, too.", "All that was affected works again.", "Shop is down again.",
            ]  # fmt: skip
            assert {it["reported_by"] for it in updates} == {""}


async def test_what_is_deleted_is_no_longer_down(db: Database, page: StatusPage, broker: Nats):
    async with monitors(page, broker) as say, watching(db, broker):
        await say.say(0, "down", now())
        await eventually(lambda: incidents(db), bool)
        id_ = page.components[0].resource_id
        event = Event(
            type="resource.deleted", time=now(), subject=id_, organisation=page.organisation, version=2, actor="",
            data={},
        )  # fmt: skip
        await say.broker.publish([(event.address(), encode(event), None)])
        await eventually(lambda: incidents(db), lambda seen: seen[0][1] == "resolved")


RUN = """
import asyncio, sys
from pinghome_common.db import Database
from pinghome_common.events import followed
from pinghome_common.projection import Projection, Source
from pinghome_common.stream import Broker
from statuspage_cmd.incidents.followed import follow
from statuspage_cmd.incidents.watch import Watch

async def main():
    async with Database(sys.argv[1]) as db, Broker(sys.argv[2], "statuspage-cmd") as broker:
        while not broker.connected:
            await asyncio.sleep(0.01)
        watch = Watch(db, broker, lambda: None)
        sources = [Source("EVENTS", [f"events.{noun}.>" for noun in followed.NOUNS], follow)]
        await asyncio.gather(watch.run(), Projection("statuspage-cmd", db, broker, sources, after=watch.wake).run())

asyncio.run(main())
"""


async def test_every_page_has_one_incident_though_the_watch_is_killed_again_and_again(
    db: Database, url: str, broker: Nats
):
    pages = [made(auto_incidents=True, auto_incident_delay=0, subdomain=f"p{number}") for number in range(200)]
    async with db.transaction() as tx:
        for each in pages:
            await Pages(tx, ACTOR, no_wait, now()).add(each)
    kills = 0

    async def count() -> int:
        return await db.fetchval("SELECT count(*) FROM incident")

    async with monitors(pages[0], broker) as say:
        for say.page in pages:
            await say.say(0, "down", now())
        while await count() < len(pages):
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", RUN, url, broker.url("statuspage-cmd"))
            try:
                before = await count()
                async with asyncio.timeout(60):
                    while await count() < min(before + 30, len(pages)):
                        await asyncio.sleep(0.005)
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            kills += 1
        async with watching(db, broker):  # nothing is left that would open another one
            await eventually(
                lambda: db.fetchval("SELECT count(*) FROM statuspage WHERE look_at < now()"), lambda left: not left
            )

    assert kills > 2
    assert await db.fetchval("SELECT count(DISTINCT page) FROM incident") == await count() == len(pages)
    told = "SELECT count(*) FROM events WHERE address LIKE 'status.incident.%'"
    assert await db.fetchval(told) == len(pages)
