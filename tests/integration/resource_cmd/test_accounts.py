"""Sessions of a key, those that have ended, and organisations that an older version has made."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.directory import Caller
from pinghome_common.errors import Unauthorized
from pinghome_common.events.key import Kind, Scope
from pinghome_common.events.organisation import Organisation
from pinghome_common.settings import Settings
from resource_cmd.accounts import key, organisation, session
from resource_cmd.retention import Retention


@pytest.fixture
async def db(commands: str) -> AsyncIterator[Database]:
    async with Database(commands) as db:
        yield db


async def made(db: Database) -> tuple[UUID, Caller]:
    """An organisation with a key."""
    async with db.transaction() as tx:
        it, _ = await organisation.create(tx, "ACME", organisation.Tokens.generated())
        made = await key.issue(key.of_all(tx), it, Kind.bearer, Scope.read, "token", "laptop")
    return it, Caller(made.id, made.name, it, Scope.read)


async def sessions(db: Database) -> list[UUID]:
    return [row["id"] for row in await db.fetch("SELECT id FROM key WHERE expires_at IS NOT NULL ORDER BY id")]


async def events(db: Database, noun: str) -> list[str]:
    rows = await db.fetch("SELECT body FROM events WHERE address LIKE 'events.' || $1 || '.%' ORDER BY id", noun)
    return [msgspec.json.decode(row["body"])["type"].partition(".")[2] for row in rows]


async def test_a_key_has_a_hundred_sessions_of_which_the_oldest_goes(db: Database):
    _, caller = await made(db)
    async with db.transaction() as tx:
        opened = [(await session.of_key(tx, caller, "")).id for _ in range(session.MOST + 2)]
    assert await sessions(db) == opened[2:]
    assert (await events(db, "key"))[-4:] == ["deleted", "created", "deleted", "created"]


async def test_sessions_are_removed_with_their_key_and_none_is_opened_afterwards(db: Database):
    _, caller = await made(db)
    async with db.transaction() as tx:
        first = await session.of_key(tx, caller, "")
        held = Caller(first.id, "", caller.organisation, Scope.read, parent=caller.key, expires_at=first.expires_at)
        await session.of_key(tx, held, "")
    async with db.transaction() as tx:
        keys = key.of_all(tx)
        await keys.revoke(await keys.edit(caller.key))
    assert await sessions(db) == []
    for who in (caller, held):
        with pytest.raises(Unauthorized):
            async with db.transaction() as tx:
                await session.of_key(tx, who, "")


async def test_sessions_and_codes_that_have_ended_are_removed_and_told(db: Database, monkeypatch: pytest.MonkeyPatch):
    it, caller = await made(db)
    async with db.transaction() as tx:
        kept = await session.of_key(tx, caller, "")
        opened = await session.of_code(tx, await session.make_code(tx, it), "")
        held = Caller(opened.id, "", it, Scope.write, expires_at=now() - timedelta(seconds=1))
        for _ in range(3):  # their parent is one that ends with them
            await session.of_key(tx, held, "")
        await tx.execute("UPDATE key SET expires_at = now() WHERE id = $1", opened.id)
        await session.make_code(tx, it)
        await tx.execute("UPDATE sign_in_code SET expires_at = now()")
    monkeypatch.setattr(session, "BATCH", 2)
    worker, rounds = Retention(db), 0
    async with db.connection() as connection:
        while await worker.round(connection):
            rounds += 1
    assert rounds == 2
    assert await sessions(db) == [kept.id]
    assert await db.fetchval("SELECT count(*) FROM sign_in_code") == 0
    assert (await events(db, "key"))[-4:] == ["deleted"] * 4


async def test_organisations_of_an_older_version_are_announced_once_in_their_order(db: Database):
    ids = [uuid4(), uuid4()]
    async with db.connection() as connection:
        for number, id_ in enumerate(ids):
            row = id_, f"{number}", now() + timedelta(seconds=number)
            await connection.execute("INSERT INTO organisation (id, name, created_at) VALUES ($1, $2, $3)", *row)
    for _ in range(2):
        await organisation.bootstrap(db, Settings(bootstrap_token=""))
    async with db.transaction() as tx:
        ids.append((await organisation.create(tx, "2", organisation.Tokens.generated()))[0])
    rows = await db.fetch("SELECT body FROM events WHERE address LIKE 'events.organisation.%' ORDER BY id")
    told = [msgspec.convert(msgspec.json.decode(row["body"])["data"], Organisation, strict=False) for row in rows]
    assert [(it.id, it.organisation, it.name, it.operator) for it in told] == [
        (id_, id_, f"{number}", number == 0) for number, id_ in enumerate(ids)
    ]
