"""A ledger on a real database, channels with real receivers, and notifiers that work for it."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from contract.target import eventually
from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.events.channel import Channel
from pinghome_common.events.integration import Integration
from pinghome_common.events.notification import Notification
from pinghome_common.events.resource import Resource
from pinghome_common.events.service import Service
from pinghome_common.guard import Guard
from pinghome_common.secret import derive
from pinghome_common.store import Actor, no_wait
from pinghome_delivery.channel_queue import ChannelQueue
from pinghome_delivery.dispatcher import Dispatcher
from pinghome_delivery.message import Kind, Transports
from pinghome_delivery.outbox import Notice
from pinghome_delivery.providers import sealed
from pinghome_delivery.rate_limiter import RateLimiter
from pinghome_delivery.web import Web
from pinghome_delivery.webhook import Webhook
from resource_cmd.accounts.store import Services
from resource_cmd.delivery.audience import MonitorAudience, announce
from resource_cmd.delivery.store import Channels, Integrations
from resource_cmd.monitors import resource
from resource_cmd.monitors.store import Resources

KEY = derive("a secret key of the tests", "channel")
OPERATOR = Actor("test")
START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECRET = "whsec_of-the-tests"


class World:
    """One organisation with one service, whose channels are all of those made here."""

    def __init__(self, db: Database, transports: Transports) -> None:
        self.db, self.transports = db, transports
        self.service = Service(id=uuid4(), organisation=uuid4(), name="all", created_at=START, updated_at=START)

    async def begin(self) -> None:
        async with self.db.transaction() as tx:
            await Services(tx, OPERATOR, no_wait, START).add(self.service)

    def audience(self, db: Database) -> MonitorAudience:
        return MonitorAudience(db, self.transports, KEY)

    def queue(self, tx: Connection, channel: UUID, at: datetime) -> ChannelQueue:
        return ChannelQueue(tx, channel, at, self.audience(self.db))

    async def channel(self, config: Kind, kind: str = "webhook") -> UUID:
        it = Channel(
            id=uuid4(), organisation=self.service.organisation, service_id=self.service.id, name="On call", kind=kind,
            sealed=sealed(KEY, config), created_at=START, updated_at=START,
        )  # fmt: skip
        async with self.db.transaction() as tx:
            await Channels(tx, OPERATOR, no_wait, START).add(it)
            row = await Services(tx, OPERATOR, no_wait, START).edit(self.service.id)
            row.state.channels.append(it.id)
            await Services(tx, OPERATOR, no_wait, START).save(row)
        return it.id

    async def webhook(self, url: str) -> UUID:
        return await self.channel(Webhook(url=url, secret=SECRET))

    async def integration(self, of: Resource, type_: str, config: Kind, **settings: Any) -> UUID:
        it = Integration(
            id=uuid4(), organisation=of.organisation, resource=of.id, key="nh29bqqsj2fv", type=type_, integration="x",
            target=b"x", name="Incident name", sealed=sealed(KEY, config), created_at=START, updated_at=START,
            **settings,
        )  # fmt: skip
        async with self.db.transaction() as tx:
            await Integrations(tx, OPERATOR, no_wait, START).add(it)
        return it.id

    async def resource(self, name: str = "Shop", **settings: Any) -> Resource:
        settings = {"name": name, "type": "http", "service_id": self.service.id, "regions": ["a"], **settings}
        it = resource.create(uuid4(), self.service.organisation, settings, START)
        async with self.db.transaction() as tx:
            await Resources(tx, OPERATOR, no_wait, START).add(it)
        return it

    async def becomes(self, it: Resource, status: str, at: datetime, *, checked: bool = True) -> None:
        """As after the judge's word; with a result of that time."""
        async with self.db.transaction() as tx:
            row = await Resources(tx, OPERATOR, no_wait, at).edit(it.id)
            change = replace(row.state.change, status=status, at=at, previous=row.state.change.status)
            row.state.change = msgspec.convert(msgspec.to_builtins(change), type(change))
            await Resources(tx, OPERATOR, no_wait, at).save(row, "status-changed")
            if checked:
                await self.checked(tx, it, at)

    async def checked(self, tx: Any, it: Resource, at: datetime) -> None:
        micros = int(at.timestamp() * 1_000_000)
        await tx.execute(
            "INSERT INTO region_observation VALUES ($1, 'a', $2, $2, true, $2, NULL, '') ON CONFLICT (resource, region)"
            " DO UPDATE SET slot = $2, checked_at = $2",
            it.id, micros,
        )  # fmt: skip

    async def tell(self, it: Resource, *whats: str, at: datetime | None = None, version: int = 2) -> None:
        """Announces changes in one transaction, a second apart."""
        begin = at or now()
        notices = [
            Notice(
                organisation=it.organisation, noun="resource", about=it.id, version=version + nth, what=what,
                at=begin + timedelta(seconds=nth), title=f"{it.name} is {what}", text=f"{it.name} is {what} now.",
            )
            for nth, what in enumerate(whats)
        ]  # fmt: skip
        async with self.db.transaction() as tx:
            await announce(tx, notices)

    async def ledger(self) -> list[Notification]:
        async with self.db.connection() as connection:
            rows = await connection.fetch("SELECT state FROM notification ORDER BY place")
        return [msgspec.json.decode(row["state"], type=Notification) for row in rows]

    async def states(self) -> list[str]:
        return [str(it.state) for it in await self.ledger()]

    async def until(self, *states: str, within: float = 20) -> list[Notification]:
        await eventually(self.states, lambda seen: seen == list(states), within)
        return await self.ledger()

    @asynccontextmanager
    async def working(self, count: int = 1) -> AsyncIterator[list[Dispatcher]]:
        """Some notifiers at work, each with connections of its own."""
        workers, tasks, databases = [], [], []
        for _ in range(count):
            db = await Database(self.db.url).__aenter__()
            databases.append(db)
            workers.append(Dispatcher(db, self.transports, self.audience(db), lambda: None))
            tasks.append(asyncio.create_task(workers[-1].run()))
        try:
            yield workers
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for db in databases:
                await db.__aexit__()


@pytest.fixture(scope="session")
async def web() -> AsyncIterator[Web]:
    """Loopback may be called; to read the certificates of all authorities takes longer than most tests."""
    made = Web(Guard([ipaddress.ip_network("127.0.0.0/8")]))
    yield made
    await made.close()


@pytest.fixture
def transports(web: Web) -> Transports:
    guard = Guard([ipaddress.ip_network("127.0.0.0/8")])
    return Transports(guard=guard, web=web, mail=None, pace=RateLimiter(), statuspage_url="", statuspage_token="")


@pytest.fixture
async def world(commands: str, transports: Transports) -> AsyncIterator[World]:
    async with Database(commands) as db:
        it = World(db, transports)
        await it.begin()
        yield it
