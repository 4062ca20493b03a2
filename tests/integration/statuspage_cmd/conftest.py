"""A database with statuspage-cmd's tables, and a page in it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from conftest import fresh_database
from pinghome.servers import Servers
from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.store import Actor, no_wait
from statuspage_cmd.pages.store import Pages
from unit.statuspage_cmd.made import page as made

ACTOR = Actor("test")


@pytest.fixture
async def url(servers: Servers) -> str:
    """Of the database."""
    return await fresh_database(servers, "statuspage_cmd")


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    """The database."""
    async with Database(url) as database:
        yield database


@pytest.fixture
async def page(db: Database) -> StatusPage:
    """A page whose components follow something, with automatic incidents after a second."""
    it = made(auto_incidents=True, auto_incident_delay=1)
    async with db.transaction() as tx:
        await Pages(tx, ACTOR, no_wait, now()).add(it)
    return it


async def states(db: Database, noun: str) -> list[dict[str, Any]]:
    """The states of a noun, oldest first."""
    return [json.loads(row["state"]) for row in await db.fetch(f"SELECT state FROM {noun} ORDER BY id")]  # noqa: S608
