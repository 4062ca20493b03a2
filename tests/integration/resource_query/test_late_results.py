"""What a region says of a monitor: late results are none of the present, and a silent region says nothing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import msgspec
import pytest

from conftest import fresh_database
from pinghome.servers import Servers
from pinghome_common.audit import Audit
from pinghome_common.clock import micros, now
from pinghome_common.db import Database
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.events.probe import Phases, Result, Verdict
from pinghome_common.events.resource import Resource
from pinghome_common.items import Item
from resource_cmd.monitors import resource
from resource_query.project import Projector
from resource_query.read import Read


class World:
    """A monitor each minute, in one region."""

    def __init__(self, db: Database) -> None:
        self.db, self.now = db, micros(now())
        settings = {"name": "shop", "type": "http", "service_id": uuid4(), "regions": ["a"], "interval": 60}
        self.it: Resource = resource.create(uuid4(), uuid4(), settings, now())

    async def begin(self) -> None:
        async with self.db.transaction() as tx:
            await tx.execute(
            "INSERT INTO resource (id, organisation, version, state, service) VALUES ($1, $2, 1, $3, $4)",
            self.it.id, self.it.organisation, msgspec.json.encode(self.it).decode(), self.it.service_id,
        )  # fmt: skip

    async def hear(self, due: float, verdict: Verdict, received: float) -> None:
        """A result; times are seconds before now."""
        slot = self.now - int(due * MICRO)
        one = Result(
            resource=self.it.id, slot=slot, checked_at=slot, interval=60, verdict=verdict, phases=Phases(total=1.0)
        )
        item = Item(1, 0, "telemetry.result.a", self.now - int(received * MICRO), one)
        async with self.db.transaction() as tx:
            await Projector(None, Audit(400)).telemetry(tx, [item])

    async def state(self, *, enabled: bool = True) -> str:
        read = Read(self.db, self.it.organisation)
        (found,) = await read.region_observations(replace(self.it, enabled=enabled))
        return found["state"]


@pytest.fixture
async def world(servers: Servers) -> AsyncIterator[World]:
    async with Database(await fresh_database(servers, "resource_query")) as db:
        it = World(db)
        await it.begin()
        yield it


async def test_a_late_result_is_not_what_a_region_says_now(world: World):
    await world.hear(due=100, verdict=Verdict.up, received=99)
    assert await world.state() == "up"
    await world.hear(due=90, verdict=Verdict.target_fail, received=-41)
    assert await world.state() == "up"
    await world.hear(due=80, verdict=Verdict.target_fail, received=0)
    assert await world.state() == "down"


async def test_a_region_without_a_word_for_two_intervals_is_unknown(world: World):
    await world.hear(due=200, verdict=Verdict.up, received=199)
    assert await world.state() == "unknown"
    assert await world.state(enabled=False) == "up"
