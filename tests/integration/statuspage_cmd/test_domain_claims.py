"""Domains of pages: one organisation's, for a month after it has gone nobody else's, and so many a day (S20)."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from integration.statuspage_cmd.conftest import ACTOR, states
from pinghome_common.db import Database
from pinghome_common.errors import Conflict, Invalid
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.store import Actor, no_wait
from statuspage_cmd.pages.domain_claims import note_verified
from statuspage_cmd.pages.store import Pages
from unit.statuspage_cmd.made import page as made

START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SHOP = "status.shop.example"
OURS, THEIRS = uuid4(), uuid4()


async def add(db: Database, organisation: UUID, domain: str, at: datetime, most: int = 10) -> StatusPage:
    it = made(organisation=organisation, domain=domain, subdomain=f"p{uuid4().hex}")
    async with db.transaction() as tx:
        pages = Pages(tx, Actor("test", organisation), no_wait, at)
        await pages.claim(it, most)
        await pages.add(it)
    return it


async def change(db: Database, it: StatusPage, domain: str, at: datetime) -> None:
    async with db.transaction() as tx:
        pages = Pages(tx, ACTOR, no_wait, at)
        row = await pages.edit(it.id)
        row.state = replace(row.state, domain=domain)
        await pages.claim(row.state, 10)
        await pages.save(row)


async def delete(db: Database, it: StatusPage) -> None:
    async with db.transaction() as tx:
        pages = Pages(tx, ACTOR, no_wait, START)
        await pages.remove(await pages.edit(it.id))


async def test_released_domain_is_nobody_elses_for_30_days(db: Database):
    it = await add(db, OURS, SHOP, START)
    await change(db, it, "other.shop.example", START + DAY)
    for days in (0, 1, 29.9):
        with pytest.raises(Conflict):
            await add(db, THEIRS, SHOP, START + DAY + days * DAY)
    await add(db, THEIRS, SHOP, START + 31.1 * DAY)
    with pytest.raises(Conflict):
        await change(db, it, SHOP, START + 32 * DAY)


async def test_domain_of_a_deleted_page_is_nobody_elses_but_its_own_organisations(db: Database):
    await delete(db, await add(db, OURS, SHOP, START))
    with pytest.raises(Conflict):
        await add(db, THEIRS, SHOP, START + DAY)
    await add(db, OURS, SHOP, START + DAY)
    with pytest.raises(Conflict):
        await add(db, OURS, SHOP, START + DAY)  # another page has it


async def test_what_the_dns_does_not_prove_for_a_week_and_a_month_may_be_anothers(db: Database):
    it = await add(db, OURS, SHOP, START)

    async def looks(day: float, *verified: str) -> None:
        async with db.transaction() as tx:
            await note_verified(tx, verified, START + day * DAY)

    await looks(6)
    assert await db.fetchval("SELECT released_at FROM domain_claim") is None
    await looks(8)
    with pytest.raises(Conflict):
        await add(db, THEIRS, SHOP, START + 37 * DAY)
    await looks(9, SHOP)
    with pytest.raises(Conflict):
        await add(db, THEIRS, SHOP, START + 60 * DAY)
    await looks(60)
    await looks(61)
    await add(db, THEIRS, SHOP, START + 91 * DAY)
    domains = {each["id"]: each["domain"] for each in await states(db, "statuspage")}
    assert domains.pop(str(it.id)) == ""
    assert list(domains.values()) == [SHOP]
    assert await db.fetchval("SELECT max(version) FROM events WHERE aggregate = $1", it.id) == 2


async def test_so_many_new_domains_a_day_and_no_more_at_the_same_time(db: Database):
    asked = [add(db, OURS, f"{n}.example", START + n * DAY / 24, most=3) for n in range(5)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(isinstance(each, Invalid) for each in found) == [False] * 3 + [True] * 2
    at = await db.fetchval("SELECT min(claimed_at) FROM domain_claim")
    with pytest.raises(Invalid) as refused:
        await add(db, OURS, "more.example", START + 5 * DAY / 24, most=3)
    assert refused.value.errors[0].message.endswith(f"from {at + DAY:%Y-%m-%d %H:%M:%S} UTC on")
    await add(db, THEIRS, "more.example", START)
    await add(db, OURS, "next.example", at + DAY, most=3)


async def test_the_same_domain_again_is_no_new_one(db: Database):
    it = await add(db, OURS, SHOP, START, most=1)
    for _ in range(3):
        await change(db, it, "", START)
        await change(db, it, SHOP, START)


async def test_two_organisations_claim_at_the_same_time_and_one_gets_it(db: Database):
    asked = [add(db, organisation, SHOP, START) for organisation in (OURS, THEIRS, uuid4(), uuid4())]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(isinstance(each, Conflict) for each in found) == [False, True, True, True]
