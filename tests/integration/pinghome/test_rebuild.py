"""`pinghome rebuild SERVICE`: the read models from the event log, while everything serves and changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.client import Client
from contract.pinghome.following import following
from contract.target import eventually
from running import TOKEN, Platform, command, up

pytestmark = pytest.mark.timeout(600)

SERVICES = ("resource-query", "statistic-query", "statuspage-query")


@pytest.fixture(scope="module")
async def platform(folder: Path) -> AsyncIterator[Platform]:
    async with up(folder / "rebuilt", bootstrap_token=TOKEN, period_unit_seconds="1") as running:
        yield running
        await running.stop()


@pytest.fixture(scope="module")
async def client(platform: Platform) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(base_url=platform.url, timeout=30, trust_env=False) as http:
        yield Client(http, TOKEN)


@pytest.fixture(scope="module")
async def world(client: Client) -> dict[str, Any]:
    """A monitor, a heartbeat with flips, a server, a page that follows and tells of them; some of it was changed."""
    monitor, beat = await client.resource(), await client.heartbeat(interval=86400)
    await client.server()
    for result in ("complete", "fail", "complete"):
        assert (await client("GET", f"data-gateway/v1/heartbeat/{beat['id']}?result={result}")).status_code == 200
    components = [{"name": "beat", "type": "heartbeat", "resource_id": beat["id"]}]
    page = await client.page(components=components)
    for noun in ("incident", "maintenance", "template"):
        await client.tells(page["id"], noun)
    for enabled in (False, True):
        answer = await client("PUT", f"resource-cmd/v1/resource/{monitor['id']}/status", json={"enabled": enabled})
        assert answer.status_code == 200, answer.text
    gone = await client.page()
    assert (await client("DELETE", f"statuspage-cmd/v1/statuspage/{gone['id']}")).status_code == 200
    return {"resource": monitor["id"], "heartbeat": beat["id"], "page": page["id"]}


@asynccontextmanager
async def load(client: Client, world: dict[str, Any]) -> AsyncIterator[None]:
    """Check-ins and commands of all kinds, one after the other; at the end all are answered."""
    over = asyncio.Event()

    async def go_on() -> None:
        for number in count():
            if over.is_set():
                return
            made = await client.heartbeat(interval=86400)
            for result in ("complete", "fail"):
                await client("GET", f"data-gateway/v1/heartbeat/{made['id']}?result={result}&message={number}")
            await client("PUT", f"resource-cmd/v1/heartbeat/{made['id']}/status", json={"enabled": False})
            if number % 2:
                await client("DELETE", f"resource-cmd/v1/heartbeat/{made['id']}")
            if number < 50:
                await client.tells(world["page"], "incident")
            await asyncio.sleep(0.1)

    task = asyncio.create_task(go_on())
    try:
        yield
        assert not task.done(), task
    finally:
        over.set()
        await task


async def rebuild(platform: Platform, service: str) -> str:
    status, said, complaint = await command("rebuild", service, environment=platform.environment)
    assert status == 0, complaint
    return said


async def answers(client: Client, world: dict[str, Any]) -> list[Any]:
    """What is asked of the things that are damaged, fields of the moment apart."""
    paths = (
        f"statistic-query/v1/resource/{world['resource']}/state-changed-logs",
        f"statuspage-query/v1/statuspage/{world['page']}/incidents",
        f"resource-query/v1/heartbeat/{world['heartbeat']}",
    )
    return [(await client("GET", path)).json() for path in paths]


async def test_under_load_a_sound_read_model_is_equal_and_nothing_is_changed(platform, client, world):
    async with load(client, world):
        for service in SERVICES:
            await asyncio.sleep(0.5)
            said = await rebuild(platform, service)
            assert "equal" in said, said
            assert "cannot be applied" not in said


DAMAGE = {
    "resource-query": [
        "UPDATE heartbeat SET state = jsonb_set(state, '{name}', '\"damaged\"') WHERE id = $1",
        "DELETE FROM runtime_state WHERE heartbeat = $1",
        "INSERT INTO service SELECT gen_random_uuid(), organisation, 1, state FROM heartbeat WHERE id = $1",
    ],
    "statistic-query": [
        "DELETE FROM state_change WHERE resource <> $1",
        "UPDATE flip SET up = NOT up WHERE heartbeat = $1",
        "UPDATE ping_hour SET fail = 70 WHERE heartbeat = $1",
        "UPDATE latency_day SET checks = 70000 WHERE series = (SELECT min(id) FROM series WHERE resource <> $1)",
        "UPDATE result_day SET hours = overlay(hours PLACING hours FROM 37) WHERE resource <> $1",
    ],
    "statuspage-query": [
        "DELETE FROM incident WHERE id = (SELECT id FROM incident ORDER BY id LIMIT 1) OR id = $1",
        "UPDATE followed_change SET status = 'down' WHERE followed = $1",
    ],
}
"""Statements with the heartbeat."""


async def damage(platform: Platform, world: dict[str, Any], service: str) -> None:
    async with platform.sql(service.replace("-", "_")) as db:
        for statement in DAMAGE[service]:
            assert (await db.execute(statement, world["heartbeat"])).split()[-1] != "0", statement


@asynccontextmanager
async def followed(client: Client, service: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Sees that who follows the changes begins anew, at once and when he comes back; where there is such a feed."""
    if service == "statistic-query":
        yield partial(asyncio.sleep, 0)
        return
    async with following(client, service) as stream, asyncio.timeout(60):
        await stream.hello()

        async def begins_anew() -> None:
            before = stream.last
            assert await stream.next() == ("reset", {})
            async with following(client, service, before) as again:
                assert await again.next() == ("reset", {})

        yield begins_anew


@pytest.mark.parametrize("service", SERVICES)
async def test_rows_that_were_damaged_by_hand_are_mended_and_named(platform, client, world, service):
    before = await answers(client, world)
    await damage(platform, world, service)
    assert await answers(client, world) != before
    async with followed(client, service) as begins_anew:
        said = await rebuild(platform, service)
        await begins_anew()
    assert "mended" in said, said
    for word in {
        "resource-query": ["heartbeat: 1 rows changed", "runtime_state: 1 rows added", "service: 1 rows deleted"],
        "statistic-query": [
            "state_change: ",
            "rows added",
            "flip: ",
            "ping_hour: 1 rows changed",
            "result_day: 1 rows changed",
            "latency_day: 1 rows changed",
        ],
        "statuspage-query": ["incident: 1 rows added", "followed_change: "],
    }[service]:
        assert word in said, said
    assert await eventually(lambda: answers(client, world), lambda it: it == before)
    assert "equal" in await rebuild(platform, service)


async def test_a_rebuild_that_is_killed_in_its_last_moment_has_changed_nothing(platform, client, world):
    await damage(platform, world, "resource-query")
    damaged = await answers(client, world)
    code = (
        "import os; from pinghome_common import rebuild\n"
        "async def killed(self, connection, schema, *, hashes=[]):\n"
        "    hashes.append(await original(self, connection, schema))\n"
        "    if len(hashes) == 3: os.kill(os.getpid(), 9)  # all is written and not committed\n"
        "    return hashes[-1]\n"
        "original, rebuild.Rebuild._hash = rebuild.Rebuild._hash, killed\n"
        "from pinghome.cli import app; app()\n"
    )
    status, *_ = await command("rebuild", "resource-query", environment=platform.environment, code=code)
    assert status == -9
    assert await answers(client, world) == damaged
    made = await client.heartbeat()
    assert (await client.get(f"resource-query/v1/heartbeat/{made['id']}"))["id"] == made["id"]  # it is projected on
    assert "mended" in await rebuild(platform, "resource-query")
