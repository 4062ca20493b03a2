"""Tokens of status pages: the first page is there from the start, and a token goes with its page (contract I)."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from contract.client import Client
from contract.target import eventually
from pinghome_common.events.key import first_page
from pinghome_common.secret import token_hash
from running import Platform


async def test_the_first_organisation_alone_has_a_first_page(platform: Platform, client: Client):
    organisation = (await platform.command("keys", "list"))[0]
    async with platform.sql("resource_cmd") as db:
        first = await db.fetchval("SELECT id FROM organisation WHERE name = $1", organisation["organisation"])
    page = await client.get(f"statuspage-query/v1/statuspage/{first_page(first)}")
    assert (page["subdomain"], page["type"]) == ("main", "public")
    assert (page["enabled"], page["subscription_enabled"]) == (True, True)
    assert page["robots_meta_contents"] == ["noindex"]
    other = replace(client, token=(await platform.command("organisation", "create", "Without pages"))["token"])
    listed = await eventually(lambda: other("GET", "statuspage-query/v1/statuspages"), lambda it: it.is_success)
    assert listed.json()["data"] == []


async def test_a_token_names_its_page_and_is_revoked_with_it(platform: Platform, client: Client):
    page = (await client.page(subdomain="status-tokens"))["id"]

    async def made() -> dict[str, str]:
        words = ("--kind", "status", "--page", "status-tokens")
        return await platform.command("keys", "create", "First organisation", *words)

    async def projected() -> bool:
        async with platform.sql("resource_cmd") as db:
            return await db.fetchval("SELECT EXISTS (SELECT FROM page WHERE id = $1)", UUID(page))

    await eventually(projected, bool)
    keys = await asyncio.gather(made(), made())
    for key in keys:
        assert (len(key["key"]), key["key"].isalnum(), key["page_id"]) == (40, True, page)
    listed = await platform.command("keys", "list", "First organisation")
    assert [key["page"] for key in listed if key["id"] in {key["id"] for key in keys}] == [page, page]
    assert (await client("DELETE", f"statuspage-cmd/v1/statuspage/{page}")).status_code == 200

    async def left() -> list[str]:
        async with platform.sql("resource_cmd") as db:
            rows = await db.fetch("SELECT id FROM key WHERE state->>'page' = $1", page)
            revoked = [
                await db.fetchval("SELECT true FROM revoked WHERE hash = $1", token_hash(key["key"])) for key in keys
            ]
        assert rows or all(revoked)
        return rows

    await eventually(left, lambda rows: not rows)


@pytest.mark.parametrize("words", [(), ("--page", "nobodys"), ("--page", "main")])
async def test_a_token_needs_a_page_of_its_organisation(
    platform: Platform, stranger: dict[str, str], words: tuple[str]
):
    with pytest.raises(AssertionError, match="no status page"):
        await platform.command("keys", "create", stranger["id"], "--kind", "status", *words)
