"""What stores refuse: another organisation's service, and states that are too large."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.errors import Conflict, Invalid, NotFound
from pinghome_common.event_log import LARGEST_STATE
from pinghome_common.events.heartbeat import Heartbeat
from pinghome_common.store import Actor, Row, no_wait
from resource_cmd.accounts.store import Services
from resource_cmd.heartbeats import heartbeat
from resource_cmd.heartbeats.store import Heartbeats


@pytest.fixture
async def db(commands: str) -> AsyncIterator[Database]:
    async with Database(commands) as db:
        yield db


def made(organisation: UUID, service: UUID, **settings: object) -> Heartbeat:
    settings = {"name": "job", "period": 60, "methods": ["GET"], "service_id": service, **settings}
    return heartbeat.create(uuid4(), organisation, settings, now(), enabled=True)


async def add(db: Database, organisation: UUID, service: UUID, **settings: object) -> Heartbeat:
    """As a command that has no transaction around it."""
    return (
        await Heartbeats(db, Actor("key", organisation), no_wait, now()).add(made(organisation, service, **settings))
    ).state


async def test_the_first_to_use_a_service_has_it(db):
    one, other, service = uuid4(), uuid4(), uuid4()
    await add(db, one, service)
    await add(db, one, service)
    with pytest.raises(NotFound, match="Service not found"):
        await add(db, other, service)
    it = await add(db, other, uuid4())
    async with db.transaction() as tx:
        store = Heartbeats(tx, Actor("key", other), no_wait, now())
        row = await store.edit(it.id)
        row.state.service_id = service
        with pytest.raises(NotFound, match="Service not found"):
            await store.save(row)


async def test_each_service_knows_how_many_heartbeats_it_has(db):
    organisation, one, other = uuid4(), uuid4(), uuid4()
    added = await asyncio.gather(*(add(db, organisation, one) for _ in range(20)))
    await add(db, organisation, other)
    async with db.transaction() as tx:
        store = Heartbeats(tx, Actor("key", organisation), no_wait, now())
        row = await store.edit(added[0].id)
        row.state.service_id = other
        await store.save(row)
        await store.remove_many([it.id for it in added[1:5]])
    async with db.connection() as connection:
        rows = await connection.fetch("SELECT service, sum(n) AS n FROM heartbeat_count GROUP BY service")
        counted = await connection.fetch("SELECT service, count(*) AS n FROM heartbeat GROUP BY service")
    assert {row["service"]: row["n"] for row in rows} == {row["service"]: row["n"] for row in counted}
    assert {row["service"]: row["n"] for row in rows} == {one: 15, other: 2}


async def test_who_makes_a_service_has_it(db):
    from resource_cmd.accounts.organisation import Tokens, create

    async with db.transaction() as tx:
        organisation, service = await create(tx, "one", Tokens.generated())
    await add(db, organisation, service)
    with pytest.raises(NotFound):
        await add(db, uuid4(), service)
    async with db.transaction() as tx:
        store = Services(tx, Actor("key", organisation), no_wait, now())
        await store.remove(await store.edit(service))
    with pytest.raises(NotFound):  # what is in it stays, and so does whose it is
        await add(db, uuid4(), service)


async def test_of_many_who_use_a_service_first_at_the_same_time_one_gets_it(db):
    for _ in range(10):
        service, organisations = uuid4(), [uuid4() for _ in range(6)]
        found = await asyncio.gather(*(add(db, each, service) for each in organisations), return_exceptions=True)
        winners = [each for each in found if isinstance(each, Heartbeat)]
        assert len(winners) == 1
        assert all(isinstance(each, NotFound) for each in found if each not in winners)


async def test_rows_added_at_the_same_time_share_a_statement_and_each_has_its_own_answer(db):
    one, other, mine = uuid4(), uuid4(), uuid4()
    there = await add(db, one, mine, name="there")

    async def try_to_add(name: str, organisation: UUID = one) -> Row[Heartbeat]:
        it = made(organisation, mine, name=name)
        return await Heartbeats(db, Actor("key", organisation), no_wait, now()).add(it, unique=True)

    found = await asyncio.gather(
        *(try_to_add(f"job {n}") for n in range(30)),
        *(try_to_add("there"), try_to_add("job", other), try_to_add("NUL \0")),
        return_exceptions=True,
    )  # fmt: skip
    *rows, taken, not_mine, bad = found
    assert {row.state.name for row in rows} == {f"job {n}" for n in range(30)}
    assert isinstance(taken, Conflict)
    assert str(there.id) in str(taken)
    assert isinstance(not_mine, NotFound)
    assert isinstance(bad, Exception)
    logged = await db.fetch("SELECT e.xmin::text, h.name FROM heartbeat h JOIN events e ON e.aggregate = h.id")
    assert len(logged) == 31
    assert len({row["xmin"] for row in logged}) < 31


async def test_a_command_makes_no_state_that_is_too_large(db):
    organisation = uuid4()
    with pytest.raises(Invalid, match="too large"):
        await add(db, organisation, uuid4(), desc="x" * LARGEST_STATE)
    it = await add(db, organisation, uuid4())
    async with db.transaction() as tx:
        store = Heartbeats(tx, Actor("key", organisation), no_wait, now())
        row = await store.edit(it.id)
        row.state.desc = "x" * LARGEST_STATE
        with pytest.raises(Invalid, match="too large"):
            await store.save(row)


async def test_a_state_that_was_made_too_large_can_be_judged_paused_and_deleted(db):
    """An earlier version has let it in."""
    organisation = uuid4()
    it = await add(db, organisation, uuid4())
    large = "x" * (LARGEST_STATE + 100)
    async with db.connection() as connection:
        await connection.execute("UPDATE heartbeat SET state = jsonb_set(state, '{desc}', to_jsonb($1::text))", large)
    for actor in (Actor("judge"), Actor("key", organisation)):
        async with db.transaction() as tx:
            store = Heartbeats(tx, actor, no_wait, now())
            row = await store.edit(it.id)
            enabled = row.state.vitals.status == "paused"
            row.state = heartbeat.enable(row.state, row.version + 1, now(), enabled=enabled)
            await store.save(row)
    async with db.transaction() as tx:
        store = Heartbeats(tx, Actor("key", organisation), no_wait, now())
        await store.remove(await store.edit(it.id))
