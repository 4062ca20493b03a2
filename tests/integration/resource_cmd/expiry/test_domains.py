"""The worker of domains on a real database, with a real RDAP server: who is asked, how often, and who learns it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from itertools import pairwise
from uuid import uuid4

import msgspec
import pytest

from contract.target import eventually
from pinghome_common import clock
from pinghome_common.db import Database
from pinghome_common.events.resource import Resource
from pinghome_common.guard import Guard
from pinghome_common.store import Actor, no_wait
from registries import registry
from resource_cmd.expiry import domains
from resource_cmd.expiry.domains import Domains
from resource_cmd.monitors import resource
from resource_cmd.monitors.store import Resources

HERE = Guard([ip_network("127.0.0.1/32")], lookup=lambda _: ["127.0.0.1"])
TEST = Actor("test")


class World:
    """Monitors in a database and the worker that looks after their domains."""

    def __init__(self, db: Database, bootstrap: str) -> None:
        self.db, self.bootstrap = db, bootstrap

    async def add(self, *urls: str) -> list[Resource]:
        made = []
        async with self.db.transaction() as tx:
            for url in urls:
                settings = {"name": url, "type": "http", "url": url, "service_id": uuid4(), "regions": ["a"]}
                made.append(resource.create(uuid4(), uuid4(), settings, clock.now()))
                await Resources(tx, TEST, no_wait, clock.now()).add(made[-1])
        return made

    async def read(self, it: Resource) -> Resource:
        async with self.db.connection() as connection:
            state = await connection.fetchval("SELECT state FROM resource WHERE id = $1", it.id)
        return msgspec.json.decode(state, type=Resource)

    async def known(self, *monitors: Resource) -> list[Resource]:
        """The monitors once all of them know their domain."""

        async def look() -> list[Resource]:
            return [await self.read(it) for it in monitors]

        return await eventually(look, lambda seen: all(it.domain for it in seen))

    async def events(self, it: Resource, what: str) -> int:
        async with self.db.connection() as connection:
            return await connection.fetchval(
                "SELECT count(*) FROM events WHERE aggregate = $1"
                " AND convert_from(body, 'utf8')::jsonb->>'type' = $2",
                it.id, what,
            )  # fmt: skip

    @asynccontextmanager
    async def running(self, guard: Guard = HERE) -> AsyncIterator[None]:
        worker = asyncio.create_task(Domains(self.db, guard, self.bootstrap, lambda: None).run())
        try:
            yield
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)


@pytest.fixture
async def at():
    async with registry() as made:
        yield made


@pytest.fixture
async def world(commands: str, at, tmp_path, monkeypatch) -> AsyncIterator[World]:
    monkeypatch.setattr(domains, "LOOK", 0.2)
    monkeypatch.setattr(Domains, "every", 0.2)
    async with Database(commands) as db:
        yield World(db, at.bootstrap(tmp_path, "com", "org"))


async def test_every_monitor_of_a_domain_learns_what_one_question_told(world, at):
    one, other, third = await world.add("http://a.example.com/", "https://example.com:8443/", "http://example.org/")
    await world.add("http://127.0.0.1/", "http://localhost/", "http://db.internal/")
    async with world.running():
        for it in await world.known(one, other, third):
            assert it.domain.expires_at == datetime(2030, 3, 9, 12, 10, 5, tzinfo=UTC)
            assert it.domain.registrar == "GoDaddy.com, LLC"
        (late,) = await world.add("http://late.example.com/")
        await world.known(late)

    assert sorted(name for name, _ in at.asked) == ["example.com", "example.org"]
    assert [await world.events(it, "resource.domain-changed") for it in (one, other, third, late)] == [1, 1, 1, 1]


async def test_an_answer_is_good_for_a_day_across_restarts(world, at):
    (it,) = await world.add("http://example.com/")
    async with world.running():
        await world.known(it)
    async with world.running():
        await asyncio.sleep(1)
        assert len(at.asked) == 1
        async with world.db.connection() as connection:
            due = await connection.fetchval("SELECT due FROM domain WHERE name = 'example.com'")
            assert timedelta(hours=23) < due - clock.now() <= timedelta(days=1)
            await connection.execute("UPDATE domain SET due = now()")
        before = (await world.read(it)).domain.checked_at
        at.expires["example.com"] = "2031-03-09T12:10:05Z"
        renewed = await eventually(lambda: world.read(it), lambda seen: seen.domain.checked_at > before)

    assert renewed.domain.expires_at.year == 2031
    assert await world.events(it, "resource.domain-changed") == 2


async def test_another_host_forgets_the_old_domain_and_learns_the_new(world):
    (it,) = await world.add("http://example.com/")
    async with world.running():
        await world.known(it)
        async with world.db.transaction() as tx:
            store = Resources(tx, TEST, no_wait, clock.now())
            row = await store.edit(it.id)
            row.state = resource.edit(row.state, {"url": "http://example.org/"}, clock.now())
            await store.save(row)
        seen = await eventually(lambda: world.read(it), lambda seen: seen.domain.name == "example.org")

    assert seen.url == "http://example.org/"


async def test_a_registry_is_asked_one_at_a_time_with_pauses(world, at, monkeypatch):
    monkeypatch.setattr(domains, "LOOK", 0.5)
    monkeypatch.setattr(Domains, "every", 0.5)
    monitors = await world.add(*(f"http://{number}.example{number}.com/" for number in range(4)))
    async with world.running():
        await world.known(*monitors)

    times = [when for _, when in at.asked]
    assert len(times) == 4
    assert all(later - earlier >= 0.5 for earlier, later in pairwise(times))


async def test_a_registry_that_hangs_stops_no_other(world, at):
    at.pause = 60
    hanging, other = await world.add("http://example.com/", "http://example.coop/")
    async with world.running(), asyncio.timeout(20):
        # Only WHOIS, on another port than 43 here, could tell of .coop: it is refused at once and tried again later.
        while True:
            async with world.db.connection() as connection:
                tries = dict(await connection.fetch("SELECT name, tries FROM domain"))
            if tries.get("example.coop"):
                break
            await asyncio.sleep(0.1)

    assert tries == {"example.com": 0, "example.coop": 1}
    assert (await world.read(hanging)).domain is (await world.read(other)).domain is None


async def test_a_registry_that_has_had_enough_is_left_alone_for_longer_and_longer(world, at):
    at.status = 429
    first, second = await world.add("http://example.com/", "http://another.com/")
    async with world.running():
        await eventually(lambda: _now(len(at.asked)), lambda asked: asked == 1)
        await asyncio.sleep(2)  # ten looks

    assert len(at.asked) == 1  # nor is the other one asked for, for it is the same registry
    assert (await world.read(first)).domain is (await world.read(second)).domain is None


async def test_without_a_way_out_it_tries_later_and_says_so_once(world, capfd):
    refused = Guard(lookup=lambda _: ["127.0.0.1"])
    monitors = await world.add(*(f"http://example{number}.com/" for number in range(3)))
    async with world.running(refused):

        async def tried() -> int:
            async with world.db.connection() as connection:
                return await connection.fetchval("SELECT count(*) FROM domain WHERE tries > 0 AND due > now()")

        await eventually(tried, lambda count: count == 3)

    said = capfd.readouterr()
    assert (said.out + said.err).count("domain_not_looked_up") == 1
    assert [(await world.read(it)).domain for it in monitors] == [None] * 3


async def _now(value: int) -> int:
    return value
