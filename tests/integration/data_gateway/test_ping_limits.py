"""The limits of pings on a platform that has others than the defaults."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from pinghome_common.settings import LARGEST_PING_BODY
from running import Platform, up

PING, CHECKS = "p" * 22, "c" * 32


@pytest.fixture(scope="module")
async def platform(folder: Path) -> AsyncIterator[Platform]:
    settings = {"checks_limit": "2", "ping_body_limit": "0", "pings_kept": "3"}
    keys = {"bootstrap_ping_key": PING, "bootstrap_checks_key": CHECKS}
    async with up(folder / "ping-limits", **settings, **keys) as running:
        yield running
        await running.stop()


@pytest.fixture
async def http(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=platform.url, timeout=30, trust_env=False) as connections:
        yield connections


async def id_of(platform: Platform, slug: str) -> str:
    async with platform.sql("resource_cmd") as db:
        return str(await db.fetchval("SELECT id FROM heartbeat WHERE name = $1", slug))


async def test_pings_make_no_more_than_twice_as_many_checks_as_a_service_may_have(http: httpx.AsyncClient):
    asked = [http.get(f"/ping/{PING}/check-{n}?create=1") for n in range(12)]
    found = sorted(each.status_code for each in await asyncio.gather(*asked))
    assert found == [201] * 4 + [404] * 8
    assert (await http.get(f"/ping/{PING}/one-more?create=1")).text == "not found"


async def test_without_a_limit_bodies_are_kept_as_far_as_the_stream_takes_them(
    http: httpx.AsyncClient, platform: Platform
):
    await http.get(f"/ping/{PING}/check-0?create=1")
    async with platform.sql("resource_cmd") as db:
        slug = await db.fetchval("SELECT name FROM heartbeat LIMIT 1")
    check = await id_of(platform, slug)
    body = bytes(range(256)) * 4096  # 1 MiB
    answers = await asyncio.gather(*(http.post(f"/ping/{check}/log", content=body) for _ in range(5)))
    assert [each.text for each in answers] == ["OK"] * 5
    assert "Ping-Body-Limit" not in answers[0].headers
    read = {"X-Api-Key": CHECKS}
    pings = (await http.get(f"/api/v1/checks/{check}/pings/", headers=read)).json()["pings"]
    assert len(pings) == 3  # the newest
    for each in pings:
        url = each["body_url"].removeprefix(platform.url)
        assert (await http.get(url, headers=read)).content == body[:LARGEST_PING_BODY]
