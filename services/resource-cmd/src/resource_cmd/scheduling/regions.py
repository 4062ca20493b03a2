"""The regions of the platform: made and removed by its operator, read by every process within seconds."""

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.errors import FieldError, Invalid, NotFound
from pinghome_common.events.region import Region, region_id
from pinghome_common.health import resting
from pinghome_common.secret import region_key
from pinghome_common.store import Actor, Store, no_wait
from pinghome_common.stream import Broker
from resource_cmd.scheduling.region_schedule import RegionSchedules
from resource_cmd.scheduling.streams import make_queue

NAME = re.compile(r"[a-z]{2}(-[a-z]+)+-\d", re.ASCII)

EVERY = 2.0
"""Seconds between two looks at the regions."""

OPERATOR = Actor("operator")


class RegionStore(Store[Region]):
    """Regions, those that were removed, too."""

    noun, type = "region", Region


class Regions:
    """The regions that monitors may name now.

    Args:
        db: of this service.
        broker: where each region has its queue of jobs, and its probers ask for its schedule.
        secret_key: from which the regions' keys are derived.
    """

    def __init__(self, db: Database, broker: Broker, secret_key: str) -> None:
        self._db, self._broker, self._secret_key = db, broker, secret_key
        self._schedules = RegionSchedules(db, secret_key)
        self._served: set[str] = set()
        self._queued: set[str] | None = None
        self.names: list[str] = []

    def key(self, region: str) -> bytes:
        """The key that opens what is sealed for the region."""
        return region_key(self._secret_key, region)

    async def load(self) -> None:
        """Looks which regions there are, and answers the probers of new ones."""
        self.names = [row["name"] for row in await self._db.fetch(_NAMES)]
        for region in set(self.names) - self._served:
            self._served.add(region)
            await self._broker.serve(f"request.schedule.{region}", "resource-cmd", partial(self._page, region))

    async def make_queues(self) -> None:
        """Makes the queues of all regions: the broker may have lost them."""
        self._queued = set()
        await self._queue_new()

    async def run(self) -> None:
        """Follows the regions until cancelled."""
        while True:
            await self.load()
            await self._queue_new()
            with resting():
                await asyncio.sleep(EVERY)

    async def _queue_new(self) -> None:
        """Makes the queues of new regions, once there are streams."""
        queued = self._queued
        if queued is None:
            return
        for region in set(self.names) - queued:
            await make_queue(self._broker, region)
            queued.add(region)

    async def _page(self, region: str, request: bytes) -> bytes:
        return await self._schedules.page(region if region in self.names else "", self.key(region), request)


async def seed(db: Database, names: Sequence[str]) -> None:
    """Adds those of some regions that there have never been."""
    async with db.transaction() as tx:
        await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('regions', 0))")
        for name in names:
            if not await tx.fetchval("SELECT EXISTS (SELECT FROM region WHERE id = $1)", region_id(name)):
                await _store(tx).add(_region(name))


async def add(tx: Connection, name: str) -> UUID:
    """Adds a region; nothing happens when it is there. Returns its id.

    Raises:
        Invalid: it is no name of a region.
    """
    if not NAME.fullmatch(name):
        raise Invalid(FieldError("region", "must look like eu-central-1"))
    store, it = _store(tx), _region(name)
    rows = await store.edit_many([it.id])
    if not rows:
        await store.add(it)
    elif rows[0].state.removed:
        rows[0].state.removed = False
        await store.save(rows[0], "added")
    return it.id


async def remove(tx: Connection, name: str) -> int:
    """Removes a region; returns how many monitors name it, which become unknown where it was the only one.

    Raises:
        NotFound: there is no such region.
    """
    store = _store(tx)
    rows = await store.edit_many([region_id(name)])
    if not rows or rows[0].state.removed:
        raise NotFound(f"There is no region {name}")
    rows[0].state.removed = True
    await store.save(rows[0], "removed")
    await tx.execute("DELETE FROM region_heard WHERE region = $1", name)
    count: int = await tx.fetchval("SELECT count(*) FROM resource WHERE state->'regions' ? $1", name)
    return count


def _region(name: str) -> Region:
    return Region(id=region_id(name), name=name, created_at=now())


def _store(tx: Connection) -> RegionStore:
    return RegionStore(tx, OPERATOR, no_wait, now())


_NAMES = "SELECT state->>'name' AS name FROM region WHERE NOT (state->>'removed')::bool ORDER BY 1"
