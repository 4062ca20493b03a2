"""Two processes of statuspage-query on one database: either shows what changes, whichever projects it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.client import Client
from contract.target import eventually
from running import TOKEN, Platform, free_port, up
from zone import zone


@asynccontextmanager
async def beside(platform: Platform, data: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A second process of it, with a folder of its own."""
    servers = json.loads((platform.data / "run.json").read_text())
    port = free_port()
    own = {
        "DATA": str(data),
        "PORT": str(port),
        "DATABASE_URL": servers["database_url"],
        "NATS_URL": servers["nats_url"],
        "SECRET_KEY": json.loads((platform.data / "keys.json").read_text())["secret_key"],
    }
    environment = platform.environment | {f"PINGHOME_{name}": value for name, value in own.items()}
    code = "from statuspage_query.app import main; main()"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=environment)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as http:
        try:
            async with asyncio.timeout(60):
                while not await _ready(http):
                    await asyncio.sleep(0.05)
            yield http
        finally:
            process.terminate()
            assert await process.wait() == 0


async def _ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).status_code == 200
    except httpx.ConnectError:
        return False


@pytest.fixture(scope="module")
async def both(folder: Path) -> AsyncIterator[tuple[Platform, Client, list[httpx.AsyncClient], Any]]:
    """A platform, its owner, both processes that show its pages, and the DNS."""
    async with zone() as names:
        settings = {"bootstrap_token": TOKEN, "dns_resolver": f"127.0.0.1:{names.port}", "url": "https://pinghome.test"}
        async with up(folder / "replicas", **settings) as platform:
            async with (
                httpx.AsyncClient(base_url=platform.url, timeout=30, trust_env=False) as first,
                beside(platform, folder / "replica") as second,
            ):
                yield platform, Client(first, TOKEN), [first, second], names
            await platform.stop()


async def shown(processes: list[httpx.AsyncClient], path: str, words: str, **headers: str) -> None:
    """Waits until each of them says so."""
    for http in processes:

        async def seen(http: httpx.AsyncClient = http) -> bool:
            answer = await http.get(path, headers=headers)
            return answer.status_code == 200 and words in answer.text

        await eventually(seen, bool)


async def test_both_show_what_a_page_tells_and_what_it_follows(both):
    _, owner, processes, _ = both
    job = await owner.heartbeat()
    follows = {"name": "Backup", "type": "heartbeat", "resource_id": job["id"]}
    page = await owner.page(name="Acme", subdomain="acme", components=[follows])
    await shown(processes, "/status/acme", "Acme")
    it = await owner.tells(page["id"], "incident", title="All is slow")
    await shown(processes, "/status/acme", "All is slow")
    await owner.tells(page["id"], f"incident/{it['id']}/update", message="It was the bank.", status="resolved")
    await shown(processes, "/status/acme", "It was the bank.")
    for kind, status in (("complete", "operational"), ("fail", "major_outage")):
        url = job["url"].removeprefix("https://pinghome.test")
        assert (await owner.http.get(url, params={"result": kind})).status_code == 200
        await shown(processes, "/status/acme/api/v2/components.json", f'"status":"{status}"')
    await owner("PUT", f"statuspage-cmd/v1/statuspage/{page['id']}/status", json={"enabled": False})
    for http in processes:
        await eventually(lambda http=http: http.get("/status/acme"), lambda it: it.status_code == 404)


async def test_both_know_a_domain_once_it_is_verified(both):
    _, owner, processes, names = both
    await owner.page(name="Example", subdomain="example", domain="status.example.org")
    names.records["status.example.org", "CNAME"] = "pinghome.test."
    assert (await owner.get("statuspage-query/v1/domain/status.example.org/cname"))["configured"]
    await shown(processes, "/", "Example", Host="status.example.org")


async def test_what_changes_while_they_cannot_hear_is_shown_when_they_can_again(both):
    platform, owner, processes, _ = both
    page = await owner.page(name="Deaf", subdomain="deaf")
    await shown(processes, "/status/deaf", "Deaf")
    for number in range(3):
        async with platform.sql("statuspage_query") as db:
            await db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = 'statuspage_query' AND pid <> pg_backend_pid()"
            )
        title = f"Outage {number}"
        await owner.tells(page["id"], "incident", title=title)
        await shown(processes, "/status/deaf", title)
