"""Sessions: what a token or a one-time link is exchanged for (contract K, our extension)."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from contract.answers import TIME, refused
from contract.client import Client
from pinghome.console import make_link
from pinghome_common.clock import now
from pinghome_common.settings import Settings
from running import Platform

EVERYWHERE = (
    "resource-query/v1/services",
    "statistic-query/v1/heartbeat/{}/events",
    "statuspage-query/v1/statuspages",
)
CODE = "sign-in?code="


async def key(platform: Platform, *words: str) -> dict[str, Any]:
    return await platform.command("keys", "create", "First organisation", *words)


async def opened(it: Client, **body: Any) -> Client:
    answer = await it("POST", "resource-cmd/v1/session", json=body)
    assert answer.status_code == 201, answer.text
    assert set(answer.json()) == {"token", "expires_at"}
    return replace(it, token=answer.json()["token"])


async def link(platform: Platform, *words: str) -> str:
    """The code of a new link."""
    command = await asyncio.create_subprocess_exec(
        ".venv/bin/pinghome", "console", "link", *words, stdout=asyncio.subprocess.PIPE, env=platform.environment
    )
    said = (await command.communicate())[0].decode().strip()
    assert urlsplit(said)._replace(query="").geturl() == f"{platform.url}/console/sign-in"
    return said.partition(CODE)[2]


async def codes(it: Client) -> set[int]:
    """How every service answers."""
    heartbeat = "6766163a-568d-47b4-a1fa-91a0957e06d4"
    asked = [it("GET", url.format(heartbeat)) for url in EVERYWHERE]
    asked += [
        it("PUT", f"{url}/{heartbeat}", json={}) for url in ("resource-cmd/v1/service", "statuspage-cmd/v1/statuspage")
    ]
    return {answer.status_code for answer in await asyncio.gather(*asked)}


async def refused_everywhere_within_five_seconds(*sessions: Client) -> None:
    since = time.monotonic()
    while any([await codes(it) != {401} for it in sessions]):
        assert time.monotonic() - since < 5
        await asyncio.sleep(0.05)


@pytest.fixture
async def parent(platform: Platform, http: httpx.AsyncClient) -> Client:
    """A key of its own, which may write."""
    return Client(http, (await key(platform))["key"])


async def test_a_session_does_everywhere_at_once_what_its_token_does_and_ends_alone(
    platform: Platform, client: Client, parent: Client
):
    answer = await parent("POST", "resource-cmd/v1/session")
    assert answer.status_code == 201, answer.text
    assert TIME.fullmatch(until := answer.json()["expires_at"])
    assert abs(datetime.fromisoformat(until) - now() - timedelta(days=7)) < timedelta(minutes=10)
    it = replace(client, token=answer.json()["token"])
    assert await codes(it) == {200, 404}
    assert (await it.get("resource-query/v1/services")) == await parent.get("resource-query/v1/services")
    made = await it.heartbeat()
    assert (await it("DELETE", f"resource-cmd/v1/heartbeat/{made['id']}")).status_code == 200
    listed = await platform.command("keys", "list", "First organisation")
    assert not any(it.token in str(each) for each in listed)

    ended = await it("DELETE", "resource-cmd/v1/session")
    assert (ended.status_code, ended.json()) == (200, {"message": "Session ended"})
    refused(await it("DELETE", "resource-cmd/v1/session"), 401)
    await refused_everywhere_within_five_seconds(it)
    assert await codes(parent) == {200, 404}


async def test_a_session_of_a_read_only_token_is_read_only(platform: Platform, http: httpx.AsyncClient):
    reader = Client(http, (await key(platform, "--scope", "read"))["key"])
    it = await opened(reader)
    assert await codes(it) == {200, 403, 404}
    assert await codes(again := await opened(it)) == {200, 403, 404}
    assert (await again("DELETE", "resource-cmd/v1/session")).status_code == 200
    assert (await it("DELETE", "resource-cmd/v1/session")).status_code == 200
    refused(await reader("DELETE", "resource-cmd/v1/session"), 409)


async def test_sessions_end_with_the_key_that_they_go_with(platform: Platform, http: httpx.AsyncClient):
    made = await key(platform)
    first = await opened(Client(http, made["key"]))
    second = await opened(first)
    assert (await first("DELETE", "resource-cmd/v1/session")).status_code == 200
    assert await codes(second) == {200, 404}  # it goes with the key, not with the session
    third = await opened(second)
    await platform.command("keys", "revoke", made["id"])
    await refused_everywhere_within_five_seconds(second, third)
    refused(await second("POST", "resource-cmd/v1/session"), 401)


async def test_a_session_of_a_session_ends_no_later(parent: Client):
    first = (await parent("POST", "resource-cmd/v1/session")).json()
    await asyncio.sleep(0.01)
    second = (await replace(parent, token=first["token"])("POST", "resource-cmd/v1/session")).json()
    assert second["expires_at"] == first["expires_at"]


async def test_a_link_opens_one_session_which_may_write(platform: Platform, client: Client):
    code, nobody = await link(platform), replace(client, token=None)
    answers = await asyncio.gather(*(nobody("POST", "resource-cmd/v1/session", json={"code": code}) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201, *[401] * 7]
    it = replace(client, token=next(answer.json()["token"] for answer in answers if answer.is_success))
    assert await codes(it) == {200, 404}
    assert "used already" in refused(await nobody("POST", "resource-cmd/v1/session", json={"code": code}), 401)
    child = await opened(it)
    assert (await it("DELETE", "resource-cmd/v1/session")).status_code == 200
    await refused_everywhere_within_five_seconds(it, child)


async def test_a_link_is_of_the_organisation_that_is_named_and_ends_after_ten_minutes(
    platform: Platform, client: Client, foreign: Client, stranger: dict[str, Any]
):
    nobody = replace(client, token=None)
    it = await opened(nobody, code=await link(platform, stranger["id"]))
    channel = await it.channel()
    assert (await foreign.get(f"resource-query/v1/channel/{channel['id']}"))["id"] == channel["id"]
    refused(await client("GET", f"resource-query/v1/channel/{channel['id']}"), 404)
    code = await link(platform)
    assert len(code) == 22
    async with platform.sql("resource_cmd") as db:
        rows = await db.fetch("SELECT * FROM sign_in_code")
        assert code not in str(rows)
        assert max(row["expires_at"] for row in rows) - now() < timedelta(minutes=10)
        await db.execute("UPDATE sign_in_code SET expires_at = $1", now())
    refused(await nobody("POST", "resource-cmd/v1/session", json={"code": code}), 401)


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        ({"url": "https://pinghome.test/"}, "https://pinghome.test"),
        ({"host": "::1", "port": 81}, "http://[::1]:81"),
        ({"host": "0.0.0.0", "port": 82}, "http://localhost:82"),  # noqa: S104
    ],
)
async def test_a_link_leads_to_where_the_platform_is_found(
    platform: Platform, client: Client, settings: dict[str, Any], base: str
):
    database = json.loads((platform.data / "run.json").read_text())["database_url"]
    made = await make_link(Settings(database_url=database, **settings))
    assert made.startswith(f"{base}/console/sign-in?code=")
    it = await opened(replace(client, token=None), code=made.partition(CODE)[2])
    assert (await it.get("resource-query/v1/caller"))["key"]["name"] == "console link"


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        (b"", 401, []), (b"{}", 401, []), (b"null", 401, []), (b'{"code": ""}', 401, []),
        (b'{"code": "nobodys"}', 401, []),
        (b'{"code": "\\ud800"}', 400, []), (b'{"code": "a\\u0000"}', 422, ["code"]), (b'{"code": 5}', 422, ["code"]),
        (b'{"code": null}', 422, ["code"]), (b'{"code": "%b"}' % (b"x" * 101), 422, ["code"]), (b"[]", 422, ["body"]),
        (b"{", 400, []), (b'"x"', 422, ["body"]),
    ],
)  # fmt: skip
async def test_what_opens_no_session(client: Client, body: bytes, status: int, fields: list[str]):
    refused(await replace(client, token=None)("POST", "resource-cmd/v1/session", content=body), status, *fields)


async def test_a_token_goes_without_a_code_and_a_wrong_one_is_not_passed_over(
    platform: Platform, client: Client, foreign: Client, stranger: dict[str, Any]
):
    code = await link(platform)
    refused(await foreign("POST", "resource-cmd/v1/session", json={"code": code}), 422, "code")
    wrong = replace(client, token="nobodys")
    refused(await wrong("POST", "resource-cmd/v1/session", json={"code": code}), 401)
    for kind in ("checks_key", "ping_key"):
        refused(await replace(client, token=stranger[kind])("POST", "resource-cmd/v1/session"), 401)
    assert await codes(await opened(replace(client, token=None), code=code)) == {200, 404}
