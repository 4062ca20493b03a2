"""The audit log in a real database: each event once, in the partition of its month, for as long as it is kept."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from conftest import fresh_database
from pinghome.servers import Servers
from pinghome_common import audit
from pinghome_common.audit import Audit, Expiry, Wanted
from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.errors import Unavailable
from pinghome_common.events import Event, decode, encode
from pinghome_common.items import Item

OURS, KEY = uuid4(), uuid4()


@pytest.fixture
async def db(servers: Servers) -> AsyncIterator[Database]:
    async with Database(await fresh_database(servers, "resource_query")) as opened:
        yield opened


def happened(
    seq: int, subject: UUID, version: int, at: datetime | None = None, actor: str = str(KEY), what: str = "updated",
    noun: str = "service", **data: Any
) -> Item:  # fmt: skip
    event = Event(type=f"{noun}.{what}", time=at or now(), subject=subject, organisation=OURS, version=version,
                  actor=actor, data=data)  # fmt: skip
    return Item(seq, 0, "", 0, decode(encode(event)))


async def store(db: Database, *items: Item, days: int = 400) -> None:
    async with db.transaction() as tx:
        await Audit(days).store(tx, items)


async def entries(db: Database, **wanted: Any) -> list[Any]:
    return await audit.read(db, OURS, Wanted(**wanted), 500)


async def test_each_event_once_and_where_the_broker_has_it_now(db: Database):
    it = uuid4()
    events = [happened(n, it, n, name=f"name {n}") for n in (1, 2, 3)]
    await store(db, *events)
    await store(db, *events)  # which the stream tells again
    await store(db, happened(13, it, 3, events[2].value.time, name="name 3"), happened(14, it, 4, name="name 3", new=1))
    found = await entries(db)
    assert [(row["seq"], row["name"], row["fields"]) for row in found] == [
        (14, "name 3", []), (13, "name 3", ["name"]), (2, "name 2", ["name"]), (1, "name 1", [])
    ]  # fmt: skip
    assert [row["seq"] for row in await entries(db, before=13)] == [2, 1]


async def test_no_value_is_kept(db: Database):
    await store(db, happened(1, uuid4(), 1, url="https://user:canary@example.com", headers={"X": "canary"}))
    for table in ("audit", "audited", "actor"):
        for row in await db.fetch(f"SELECT t::text AS text FROM {table} t"):  # noqa: S608
            assert "canary" not in row["text"]


async def test_who_it_was(db: Database):
    session, link = uuid4(), uuid4()
    own = {"organisation": OURS, "kind": "bearer", "scope": "write", "hash": b"", "created_at": now()}
    later = {"expires_at": now() + timedelta(days=7)}
    actors = {"": None, "operator": "command line", "deadlines": "worker", str(KEY): "key", str(session): "key"}
    await store(
        db,
        happened(1, KEY, 1, noun="key", what="created", actor="operator", id=KEY, name="robot", **own),
        happened(2, session, 1, noun="key", what="created", id=session, name="robot", parent=KEY, **later, **own),
        happened(3, link, 1, noun="key", what="created", id=link, name="console link", **later, **own),
        happened(4, KEY, 2, noun="key", what="deleted", id=KEY, name="robot", **own),
        *(happened(10 + n, uuid4(), 1, actor=actor) for n, actor in enumerate(actors)),
    )  # fmt: skip
    rows = {row["actor"]: row for row in await entries(db, by="anybody", noun="service")}
    assert {actor: row["kind"] for actor, row in rows.items()} == actors
    assert (rows[str(session)]["session"], rows[str(session)]["root"], rows[str(session)]["by_name"]) == (
        True, KEY, "robot"
    )  # fmt: skip
    seen = {by: sorted(row["seq"] for row in await entries(db, by=by, noun="service")) for by in
            (None, "worker", "key", "session", "command line", KEY, uuid4())}  # fmt: skip
    assert [*seen.values()] == [[10, 11, 13, 14], [12], [13], [14], [11], [13, 14], []]
    assert {row["noun"] for row in await entries(db)} == {"service", "key", "session"}


async def test_months_are_made_and_dropped_as_a_whole(db: Database):
    days = (1, 40, 390, 401, 1000)
    await store(db, *(happened(n, uuid4(), 1, now() - timedelta(days=n)) for n in days))
    await store(db, happened(5000, uuid4(), 1, now() + timedelta(days=2)))  # of a clock that is wrong
    assert sorted(row["seq"] for row in await entries(db)) == [1, 40, 390]
    async with db.connection() as connection:
        assert await Expiry(db, 400).round(connection) is False
        assert sorted(row["seq"] for row in await entries(db)) == [1, 40, 390]
        await Expiry(db, 200).round(connection)
        assert sorted(row["seq"] for row in await entries(db)) == [1, 40]
    await store(db, happened(2, uuid4(), 1, now() - timedelta(days=250)))
    assert sorted(row["seq"] for row in await entries(db)) == [1, 2, 40]


async def test_an_event_that_cannot_be_applied_leaves_nothing(db: Database):
    async def broken() -> None:
        async with db.transaction() as tx:
            await Audit(400).store(tx, [happened(1, uuid4(), 1)])
            raise ConnectionError

    with pytest.raises(Unavailable):
        await broken()
    assert await entries(db) == []
    await store(db, happened(1, uuid4(), 1))
    assert len(await entries(db)) == 1
