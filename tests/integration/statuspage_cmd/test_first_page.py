"""The first organisation's first page is made once, whenever its token is heard of."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from integration.statuspage_cmd.conftest import ACTOR, states
from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.directory import Directory
from pinghome_common.errors import Unavailable
from pinghome_common.events import Event, encode
from pinghome_common.events.key import Key, Kind, Scope, first_page
from pinghome_common.secret import token_hash
from pinghome_common.store import no_wait
from statuspage_cmd.pages.first import FirstPage
from statuspage_cmd.pages.store import Pages
from unit.statuspage_cmd.made import page as made

FIRST = uuid4()


class Heard(Directory):
    """A directory that has read all that is in the stream."""

    def __init__(self, path: Path) -> None:
        super().__init__(None, path)  # type: ignore[arg-type]  # it asks no broker here

    async def caught_up(self) -> None:
        if not self.ready:
            raise Unavailable("")

    def hear(self, page: UUID, organisation: UUID = FIRST) -> None:
        key = Key(
            id=uuid4(), organisation=organisation, name="", kind=Kind.status, scope=Scope.write,
            hash=token_hash(str(page)), page=page, created_at=now(),
        )  # fmt: skip
        event = Event(
            type="key.created", time=now(), subject=key.id, organisation=organisation, version=1, actor="", data=key
        )
        self.apply(encode(event))
        self.ready = True


async def pages(db: Database) -> list[dict[str, Any]]:
    return await states(db, "statuspage")


async def test_its_token_makes_the_first_page(db: Database, tmp_path: Path):
    directory, published = Heard(tmp_path / "known"), list[None]()
    worker = FirstPage(db, directory, lambda: published.append(None))
    assert await worker.problem() is None
    directory.hear(first_page(FIRST))
    assert "not made yet" in str(await worker.problem())
    async with db.connection() as connection:
        for _ in range(2):
            await worker.round(connection)
    assert await worker.problem() is None
    [page] = await pages(db)
    wanted = {
        "id": str(first_page(FIRST)), "organisation": str(FIRST), "name": "Main", "subdomain": "main", "type": "public",
        "enabled": True, "robots_meta_contents": ["noindex"], "subscription_enabled": True, "components": [],
    }  # fmt: skip
    assert {name: page[name] for name in wanted} == wanted
    assert len(published) == 1
    caller = directory.caller(Kind.status, str(first_page(FIRST)))
    assert caller
    assert (caller.organisation, caller.page) == (FIRST, first_page(FIRST))


async def test_a_first_page_that_was_deleted_is_not_made_again(db: Database, tmp_path: Path):
    directory = Heard(tmp_path / "known")
    directory.hear(first_page(FIRST))
    async with db.connection() as connection:
        await FirstPage(db, directory, lambda: None).round(connection)
        async with connection.transaction():
            await Pages(connection, ACTOR, no_wait, now()).remove_many([first_page(FIRST)])
        again = FirstPage(db, directory, lambda: None)
        await again.round(connection)
    assert await again.problem() is None
    assert await pages(db) == []


async def test_tokens_of_other_pages_make_none(db: Database, tmp_path: Path):
    directory = Heard(tmp_path / "known")
    directory.hear(uuid4())
    directory.hear(first_page(FIRST), uuid4())
    worker = FirstPage(db, directory, lambda: None)
    async with db.connection() as connection:
        await worker.round(connection)
    assert (await worker.problem(), await pages(db)) == (None, [])


async def test_where_its_subdomain_is_taken_it_gets_the_next_one(db: Database, tmp_path: Path):
    directory = Heard(tmp_path / "known")
    async with db.transaction() as tx:
        for subdomain in ("main", "main-2"):
            await Pages(tx, ACTOR, no_wait, now()).add(made(subdomain=subdomain))
    directory.hear(first_page(FIRST))
    async with db.connection() as connection:
        await FirstPage(db, directory, lambda: None).round(connection)
    found = await db.fetchval("SELECT state FROM statuspage WHERE id = $1", first_page(FIRST))
    assert json.loads(found)["subdomain"] == "main-3"
