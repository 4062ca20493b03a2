"""Claims to domains: verified, kept through a week of trouble, released, begun anew with another domain."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
import pytest

from conftest import fresh_database
from materials import page
from pinghome_common.db import Database
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.settings import Settings
from statuspage_query import claims
from statuspage_query.claims import Claims
from statuspage_query.domains import Domains
from zone import zone

DAY = timedelta(days=1)


class Days:
    """A database with one page that has a domain, and a clock that is set."""

    def __init__(self, connection: asyncpg.Connection, claims_: Claims, names, changed: list[UUID], patch) -> None:
        self.connection, self.claims, self.names, self.changed, self._patch = connection, claims_, names, changed, patch
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    async def put(self, it: StatusPage) -> None:
        state = msgspec.json.encode(it).decode()
        await self.connection.execute(
            "INSERT INTO statuspage VALUES ($1, $2, 1, $3) ON CONFLICT (id) DO UPDATE SET state = $3",
            it.id, it.organisation, state,
        )  # fmt: skip

    async def after(self, time: timedelta) -> tuple[bool, bool]:
        """Looks after some time; whether the domain is verified then, and whether that was told."""
        self.now += time
        self._patch.setattr(claims, "now", lambda: self.now)
        self.changed.clear()
        await self.claims.round(self.connection)
        verified = await self.connection.fetchval("SELECT verified_at IS NOT NULL FROM claim")
        return bool(verified), bool(self.changed)


@pytest.fixture
async def days(servers, monkeypatch):
    url = await fresh_database(servers, "statuspage_query")
    async with zone() as names, Database(url) as db, db.connection() as connection:
        settings = Settings(status_domain="status.test", dns_resolver=f"127.0.0.1:{names.port}")
        changed: list[UUID] = []

        async def tell(_: asyncpg.Connection, pages: Iterable[UUID]) -> None:
            changed.extend(pages)

        made = Claims(db, Domains(settings.dns_resolver), settings, tell)
        yield Days(connection, made, names, changed, monkeypatch)


async def test_claim_is_verified_kept_through_trouble_and_released_after_a_week(days: Days):
    it = page(domain="status.example.org", updated_at=days.now)
    await days.put(it)
    assert await days.after(timedelta()) == (False, False)
    days.names.records["status.example.org", "CNAME"] = "acme.status.test."
    assert await days.after(timedelta(seconds=30)) == (False, False)  # it was just looked at
    assert await days.after(timedelta(seconds=31)) == (True, True)
    days.names.records.clear()
    assert await days.after(0.5 * DAY) == (True, False)  # looked at daily
    assert await days.after(1.1 * DAY) == (True, False)  # broken from here on
    days.names.records["status.example.org", "CNAME"] = "acme.status.test."
    assert await days.after(6 * DAY) == (True, False)
    days.names.records.clear()
    assert await days.after(1.1 * DAY) == (True, False)
    assert await days.after(6.9 * DAY) == (True, False)
    assert await days.after(0.2 * DAY) == (False, True)


async def test_another_domain_is_another_claim(days: Days):
    it = page(domain="status.example.org", updated_at=days.now)
    await days.put(it)
    days.names.records["_pinghome.status.example.org", "TXT"] = '"t"'
    assert await days.after(timedelta()) == (True, True)

    it.domain = "other.example.org"
    await days.put(it)

    assert await days.after(timedelta(seconds=1)) == (False, False)
    assert await days.connection.fetchval("SELECT domain FROM claim") == "other.example.org"
