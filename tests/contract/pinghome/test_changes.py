"""The feed of changes: contract K, our extension."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from contract.answers import refused
from contract.client import Client
from contract.pinghome.following import Following, following
from running import Platform

QUERIES = ("resource-query", "statuspage-query")


@pytest.fixture(scope="module")
async def own(platform: Platform, http: httpx.AsyncClient) -> Client:
    """An organisation that nobody else uses."""
    return Client(http, (await platform.command("organisation", "create", "Followed"))["token"])


async def heard(stream: Following, count: int) -> list[dict[str, Any]]:
    """The next changes."""
    found = []
    async with asyncio.timeout(60):
        for _ in range(count):
            name, said = await stream.next()
            assert name == "message"
            assert set(said) == {"noun", "id", "version", "state", "deleted"}
            found.append(said)
    return found


async def test_creation_change_state_and_deletion_are_told_and_can_be_read(own: Client):
    async with following(own) as stream:
        await stream.hello()
        it = await own.heartbeat(interval=86400)
        assert (await own("GET", f"data-gateway/v1/heartbeat/{it['id']}?result=complete")).is_success
        up = [{"noun": "heartbeat", "id": it["id"], "version": n, "state": state, "deleted": False}
              for n, state in ((1, "pending"), (2, "up"))]  # fmt: skip
        assert await heard(stream, 2) == up
        shown = await own.get(f"resource-query/v1/heartbeat/{it['id']}")
        assert shown["state"] == "up"
        assert (await own("PUT", f"resource-cmd/v1/heartbeat/{it['id']}", json={"name": "x"})).is_success
        assert (await own("DELETE", f"resource-cmd/v1/heartbeat/{it['id']}")).is_success
        changed, gone = await heard(stream, 2)
        assert (changed["version"], changed["state"], gone["version"], gone["state"]) == (3, "up", 4, None)
        assert gone["deleted"]
        nouns = {
            "service": own.service,
            "resource": own.resource,
            "server-resource": own.server,
            "channel": own.channel,
        }
        for noun, make in nouns.items():
            made = await make()
            assert [(each["noun"], each["id"]) for each in await heard(stream, 1)] == [(noun, made["id"])]


async def test_pages_and_what_they_tell_of(own: Client):
    async with following(own, "statuspage-query") as stream:
        await stream.hello()
        page = await own.page()
        incident = await own.tells(page["id"], "incident")
        await own.tells(page["id"], f"incident/{incident['id']}/update")
        seen = []
        while ("incident-update", "identified") not in seen:
            seen += [(each["noun"], each["state"]) for each in await heard(stream, 1)]
    assert seen[:2] == [("statuspage", None), ("incident", "investigating")]


@pytest.mark.parametrize("service", QUERIES)
async def test_who_comes_back_hears_what_was_missed_once_and_in_order(own: Client, service: str):
    async def change(number: int) -> str:
        if service == "resource-query":
            return (await own.service(name=f"missed {number}"))["id"]
        return (await own.page(name=f"missed {number}"))["id"]

    async with following(own, service) as stream:
        await stream.hello()
        begin = stream.last
        first = await change(0)
        assert [each["id"] for each in await heard(stream, 1)] == [first]
        last = stream.last
    missed = [await change(number) for number in range(1, 6)]
    async with following(own, service, last) as stream:
        assert [each["id"] for each in await heard(stream, 5)] == missed
        end = stream.last
        more = await change(6)
        assert [each["id"] for each in await heard(stream, 1)] == [more]
    async with following(own, service, begin) as stream:
        assert [each["id"] for each in await heard(stream, 7)] == [first, *missed, more]
    assert int(begin) < int(last) < int(end)


@pytest.mark.parametrize("last", ["0", "1", "x", "-5", "9" * 18, "9" * 400, "1e5", "%00"])
@pytest.mark.parametrize("service", QUERIES)
async def test_position_that_is_unknown_begins_anew(own: Client, service: str, last: str):
    async with following(own, service, last) as stream, asyncio.timeout(30):
        assert await stream.next() == ("reset", {})
        assert stream.last.isdigit()
        if service == "resource-query":
            made = await own.service()
            assert [each["id"] for each in await heard(stream, 1)] == [made["id"]]


async def test_nobody_hears_of_other_organisations(own: Client, foreign: Client):
    async with following(own) as mine, following(foreign) as theirs:
        await mine.hello(), await theirs.hello()
        a, b = await foreign.service(), await own.service()
        assert [each["id"] for each in await heard(mine, 1)] == [b["id"]]
        assert [each["id"] for each in await heard(theirs, 1)] == [a["id"]]


@pytest.mark.parametrize("service", QUERIES)
async def test_revoked_key_ends_the_stream_within_five_seconds(platform: Platform, own: Client, service: str):
    key = await platform.command("keys", "create", "Followed", "--scope", "read")
    reader = replace(own, token=key["key"])
    async with asyncio.timeout(30):
        while (await reader("GET", "resource-query/v1/services")).status_code != 200:
            await asyncio.sleep(0.05)
    async with following(reader, service) as stream:
        await stream.hello()
        await platform.command("keys", "revoke", key["id"])
        async with asyncio.timeout(50):  # ten times what is promised, as the machine may be busy
            assert await stream.next() == ("end", {})
    refused(await reader("GET", f"{service}/v1/changes"), 401)


@pytest.mark.parametrize("service", QUERIES)
async def test_streams_of_one_token_are_few_and_head_is_no_stream(own: Client, client: Client, service: str):
    head = await own("HEAD", f"{service}/v1/changes")
    assert (head.status_code, head.headers["content-type"], head.content) == (200, "text/event-stream", b"")
    open_ = [following(own, service) for _ in range(10)]
    for each in open_:
        await each.__aenter__()
    refused(await own("GET", f"{service}/v1/changes"), 503)
    async with following(client, service) as other:
        await other.hello()
    for each in open_:
        await each.__aexit__(None, None, None)
