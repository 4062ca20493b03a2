"""Reminders on a real database: each due day makes one notice, in one transaction, whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from pinghome_common import clock
from pinghome_common.db import Database
from pinghome_common.errors import Unavailable
from pinghome_common.events.certificate import Certificate
from pinghome_common.events.channel import Channel
from pinghome_common.events.domain import Domain
from pinghome_common.store import Actor, no_wait
from resource_cmd.delivery.store import Channels
from resource_cmd.expiry import reminder_worker as worker
from resource_cmd.expiry.reminder_worker import ReminderWorker, remind
from resource_cmd.monitors import resource
from resource_cmd.monitors.store import Resources

AT = datetime(2026, 11, 21, tzinfo=UTC)
EXPIRES = AT + timedelta(days=100)
TEST = Actor("test")
DAY = timedelta(days=1)


def certificate(valid_to: datetime = EXPIRES, host: str = "www.example.com") -> Certificate:
    return Certificate(
        host=host, subject="CN=x", issuer="CN=R11", serial_number="1", valid_from=AT, valid_to=valid_to, sha256="00",
        verified=True, checked_at=AT,
    )  # fmt: skip


class World:
    """One monitor with a channel; its certificate and its domain expire in 100 days."""

    def __init__(self, db: Database) -> None:
        self.db, self.id = db, uuid4()

    async def add(self, **settings) -> None:
        organisation = uuid4()
        channel = Channel(
            id=uuid4(),
            organisation=organisation,
            service_id=uuid4(),
            name="ops",
            kind="webhook",
            created_at=AT,
            updated_at=AT,
        )
        own = {"name": "shop", "type": "http", "url": "https://www.example.com/", "service_id": uuid4(),
               "regions": ["a"], "channels": [channel.id], "certificate": certificate(),
               "domain": Domain(name="example.com", expires_at=EXPIRES, checked_at=AT)}  # fmt: skip
        it = resource.create(self.id, organisation, {**own, **settings}, AT)
        async with self.db.transaction() as tx:
            await Channels(tx, TEST, no_wait, AT).add(channel)
            await Resources(tx, TEST, no_wait, AT).add(it)

    async def change(self, **settings) -> None:
        async with self.db.transaction() as tx:
            store = Resources(tx, TEST, no_wait, AT)
            row = await store.edit(self.id)
            row.state = replace(row.state, **settings)
            await store.save(row)

    async def look(self, *, before: float) -> int:
        """Reminds, some days before the expiry."""
        async with self.db.connection() as connection:
            return await remind(connection, EXPIRES - before * DAY)

    async def told(self) -> list[str]:
        """The notices, oldest first."""
        async with self.db.connection() as connection:
            rows = await connection.fetch(
                "SELECT state->>'what' AS what, state->>'title' AS title FROM notification ORDER BY place"
            )
        return [f"{row['what']}: {row['title']}" for row in rows]


@pytest.fixture
async def world(commands: str) -> AsyncIterator[World]:
    async with Database(commands) as db:
        yield World(db)


async def test_each_day_is_told_once(world):
    await world.add(ssl_reminder=[1, 7], tld_reminder=[3])
    for before in (30, 7.5, 6.9, 6.8, 3.5, 2.9, 0.9, 0.8, -1, -2):
        await world.look(before=before)

    assert await world.told() == [
        "ssl-reminder: shop: The certificate of www.example.com expires in 6 days",
        "tld-reminder: shop: The domain example.com expires in 2 days",
        "ssl-reminder: shop: The certificate of www.example.com expires in hours",
    ]


async def test_who_starts_late_tells_the_nearest_day_alone(world):
    await world.add(ssl_reminder=[1, 3, 7, 14, 30])
    assert await world.look(before=2) == 1
    assert await world.look(before=1.9) == 0
    assert len(await world.told()) == 1
    assert await world.look(before=0.5) == 1


async def test_a_renewed_certificate_starts_anew(world):
    await world.add(ssl_reminder=[7])
    assert await world.look(before=6) == 1
    await world.change(certificate=certificate(EXPIRES + 90 * DAY))
    assert await world.look(before=5) == 0
    assert await world.look(before=-84) == 1
    assert len(await world.told()) == 2


async def test_days_that_are_added_later_are_told_when_they_are_nearer(world):
    await world.add(ssl_reminder=[7])
    assert await world.look(before=6) == 1
    await world.change(ssl_reminder=[5, 7, 30])
    assert await world.look(before=5.5) == 0
    assert await world.look(before=4.5) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"enabled": False},
        {"url": "http://www.example.com/"},
        {"url": "https://other.example.org/"},
        {"certificate": None},
        {"ssl_reminder": []},
    ],
)
async def test_nothing_is_told_of_what_is_not_looked_at(world, settings):
    await world.add(ssl_reminder=[7])
    await world.change(**settings)

    assert await world.look(before=1) == 0


async def test_unknown_expiry_of_a_domain_tells_nothing(world):
    await world.add(tld_reminder=[7], domain=Domain(name="example.com", checked_at=AT))

    assert await world.look(before=1) == 0


async def test_two_that_look_at_once_tell_once(world):
    await world.add(ssl_reminder=[7], tld_reminder=[7])

    assert sum(await asyncio.gather(*(world.look(before=1) for _ in range(5)))) == 2
    assert len(await world.told()) == 2


async def test_what_fails_before_its_commit_is_told_by_the_next_look(world, monkeypatch):
    await world.add(ssl_reminder=[7])
    monkeypatch.setattr(worker, "announce", _fails)
    with pytest.raises(Unavailable):
        await world.look(before=1)
    monkeypatch.undo()

    assert await world.told() == []
    assert await world.look(before=1) == 1
    assert len(await world.told()) == 1


async def _fails(*_: object) -> None:
    raise ConnectionError("killed")


async def test_worker_looks_by_the_clock_and_begins_again_where_it_was(world, monkeypatch):
    monkeypatch.setattr(ReminderWorker, "every", 0.05)
    monkeypatch.setattr(clock, "now", lambda: EXPIRES - 6 * DAY)
    await world.add(ssl_reminder=[3, 7])
    for expected in (1, 1, 2):
        if expected == 2:
            monkeypatch.setattr(clock, "now", lambda: EXPIRES - 2 * DAY)
        running = asyncio.create_task(ReminderWorker(world.db, lambda: None).run())
        try:
            async with asyncio.timeout(20):
                while len(await world.told()) != expected:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.3)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert len(await world.told()) == expected


async def test_many_that_expire_are_asked_for_together_and_left_alone_until_the_next_day(commands):
    async with Database(commands) as db:
        for _ in range(30):
            await World(db).add(ssl_reminder=[1, 7], tld_reminder=[3, 30])
        asked = []

        class Counting:
            def __init__(self, connection):
                self._connection = connection

            def __getattr__(self, name):
                return getattr(self._connection, name)

            async def fetch(self, *args):
                asked.append(args[0])
                return await self._connection.fetch(*args)

        async with db.connection() as connection:
            counting, seen = Counting(connection), []
            for days in (31, 30, 29, 7, 6, 3, 2, 1, 0, -9):
                at = EXPIRES - days * DAY
                seen.append(await remind(counting, at))
                assert await remind(counting, at) == 0  # it looks once more at those that it has saved
                asked.clear()
                assert await remind(counting, at) == 0
                assert len(asked) == 1
    assert seen == [0, 30, 0, 30, 0, 30, 0, 30, 0, 0]


async def test_monitor_of_which_nothing_can_be_said_keeps_no_other_from_it(commands, monkeypatch):
    async with Database(commands) as db:
        fine, broken = World(db), World(db)
        for each in (fine, broken):
            await each.add(ssl_reminder=[7])
        say = worker.announce

        async def announce(tx, notices):
            if broken.id in {notice.about for notice in notices}:
                raise ValueError("bad data")
            await say(tx, notices)

        monkeypatch.setattr(worker, "announce", announce)
        async with db.connection() as connection:
            for _ in range(2):
                await remind(connection, EXPIRES - 7 * DAY)
            reminded = await connection.fetch("SELECT resource FROM reminded")
            letters = await connection.fetch("SELECT worker, key, attempts FROM dead_letter")
    assert [row["resource"] for row in reminded] == [fine.id]
    assert [(row["worker"], row["key"], row["attempts"]) for row in letters] == [("reminders", str(broken.id), 1)]
