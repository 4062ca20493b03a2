"""The public page while nothing else is there: its process alone, and the last state on disk."""

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from contract.client import Client
from contract.target import eventually
from running import TOKEN, Platform, free_port, up

QUICK = 0.2
"""Seconds within which a page is answered (P1); a busy machine may take ten times as long."""


@pytest.fixture(scope="module")
async def left(folder: Path) -> AsyncIterator[tuple[Platform, dict[str, str]]]:
    """A platform that has stopped, with a public page and an unlocked private one: what it left on disk."""
    async with up(folder / "alone", bootstrap_token=TOKEN) as platform:
        async with httpx.AsyncClient(base_url=platform.url, timeout=30, trust_env=False) as http:
            owner = Client(http, TOKEN)
            page = await owner.page(name="Acme", subdomain="acme")
            body = {"title": "All is slow", "components": [{"id": page["components"][0]["id"], "status": "degraded"}]}
            await owner("POST", f"statuspage-cmd/v1/statuspage/{page['id']}/incident", json=body)
            await owner.page(name="Inner", subdomain="inner", type="private", password="open")
            for path, words in (("/status/acme", "All is slow"), ("/status/inner", "password")):
                await eventually(lambda path=path: http.get(path), lambda it, words=words: words in it.text)
            entered = await http.post("/status/inner/unlock", data={"password": "open"})
            cookie = entered.headers["set-cookie"].split(";")[0]
            stored = platform.data / "statuspage-query/pages"

            async def saved() -> str:
                return " ".join(path.read_text() for path in stored.glob("*.json"))

            await eventually(saved, lambda it: "All is slow" in it and "Inner" in it)

        async with http_stream(platform.url + "/status/acme/events") as lines:
            await anext(lines)
            await platform.stop()  # with status 0, although somebody follows the page
            assert [line async for line in lines if line.startswith("event")] == ["event: hello"]
        yield platform, {"Cookie": cookie}


@asynccontextmanager
async def http_stream(url: str) -> AsyncIterator[AsyncIterator[str]]:
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http, http.stream("GET", url) as stream:
        assert stream.status_code == 200
        yield stream.aiter_lines()


@asynccontextmanager
async def alone(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """statuspage-query by itself: no PostgreSQL, no NATS, no other service."""
    keys = (platform.data / "keys.json").read_text()
    secret = re.search(r'"secret_key": "([^"]+)"', keys)
    port, nobody = free_port(), free_port()
    own = {
        "DATA": str(platform.data),
        "PORT": str(port),
        "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{nobody}/postgres",
        "NATS_URL": f"nats://127.0.0.1:{nobody}",
        "SECRET_KEY": secret[1],
    }
    environment = os.environ | {f"PINGHOME_{name}": value for name, value in own.items()}
    code = "from statuspage_query.app import main; main()"
    with (platform.data / "alone.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, env=environment, stdout=log, stderr=log
        )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as http:
        try:
            async with asyncio.timeout(60):
                while True:
                    try:
                        await http.get("/healthz")
                        break
                    except httpx.ConnectError:
                        await asyncio.sleep(0.05)
            yield http
        finally:
            process.terminate()
            assert await process.wait() == 0


async def test_page_is_answered_from_disk_with_its_age_while_nothing_else_is_there(left):
    platform, cookie = left
    current = platform.data / "statuspage-query/pages/current"
    os.utime(current, (time.time() - 600,) * 2)
    async with alone(platform) as http:
        started = time.monotonic()
        answer = await http.get("/status/acme")
        assert time.monotonic() - started < 10 * QUICK
        assert answer.status_code == 200
        assert "All is slow" in answer.text
        assert "This is the last known state" in answer.text
        for file in re.findall(r'(?:href|src)="(/status/acme/static/[^"]+)"', answer.text):
            assert (await http.get(file)).status_code == 200
        for path in ("/api/v2/summary.json", "/history", "/history.rss", "/badge.svg"):
            assert (await http.get(f"/status/acme{path}")).status_code == 200
        assert (await http.get("/status/nobodys")).status_code == 404
        assert (await http.get("/status/inner")).status_code == 401
        assert "Inner" in (await http.get("/status/inner", headers=cookie)).text
        assert (await http.get("/internal/ask", params={"domain": "x.example"})).status_code == 404
        assert (await http.get("/readyz")).status_code == 503


async def test_what_is_broken_on_disk_is_left_out(left):
    platform, _ = left
    (platform.data / "statuspage-query/pages/broken.json").write_text('{"page":')
    async with alone(platform) as http:
        assert "All is slow" in (await http.get("/status/acme")).text
