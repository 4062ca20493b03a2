"""A prober that loses its link goes on, also after kill -9; what it saw is in the history and was never the present."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from integration.prober.link import Link, ProberProcess, Target
from pinghome import platform_keys, services
from pinghome.servers import Servers
from pinghome_common.db import Database
from pinghome_common.secret import derive
from pinghome_common.settings import Settings
from running import prepare

REGION = "eu-central-1"
SERVICES = ("statuspage-cmd", "statuspage-query", "resource-cmd", "resource-query", "statistic-query", "data-gateway")
INTERVAL = 5
FRESH = 2 * INTERVAL + 10
NAMES = [f"shop-{number}" for number in range(4)]


@dataclass
class World:
    """The platform but for its prober, which is a process behind a link."""

    apps: dict[str, FastAPI]
    servers: Servers
    headers: dict[str, str]
    prober: ProberProcess
    link: Link
    target: Target

    async def ask(self, service: str, method: str, path: str, **more: Any) -> Any:
        """The document that a service answers."""
        transport = httpx.ASGITransport(self.apps[service])
        async with httpx.AsyncClient(transport=transport, base_url="http://pinghome", headers=self.headers) as client:
            answer = await client.request(method, path, **more)
            assert answer.is_success, answer.text
            return answer.json()

    async def ready(self) -> bool:
        """True when all services are."""
        found = [[await check() for check in self.apps[name].state.checks.values()] for name in SERVICES]
        return not any(problem for problems in found for problem in problems)

    async def monitor(self, name: str) -> str:
        """A new monitor of the target."""
        body = {"name": name, "type": "http", "url": f"http://127.0.0.1:{self.target.port}/{name}"}
        body |= {"interval": INTERVAL, "regions": [REGION], "service_id": str(uuid4())}
        return (await self.ask("resource-cmd", "POST", "/v1/resource", json=body))["id"]

    async def states(self, ids: list[str]) -> set[str]:
        """The states that the monitors have now."""
        return {(await self.ask("resource-query", "GET", f"/v1/resource/{id_}"))["state"] for id_ in ids}

    async def history(self, id_: str) -> list[tuple[float, str]]:
        """Slots (UNIX seconds) and verdicts of a monitor's results."""
        found = await self.ask("statistic-query", "GET", f"/v1/resource/{id_}/results", params={"limit": 500})
        return [(datetime.fromisoformat(row["slot"]).timestamp(), row["verdict"]) for row in found["data"]]

    async def statuses(self) -> set[str]:
        """All statuses that any monitor has ever had."""
        async with Database(await self.servers.create_database("resource_cmd"), size=1) as db:
            rows = await db.fetch(
                "SELECT DISTINCT convert_from(body, 'utf8')::jsonb->'data'->'change'->>'status' AS status FROM events"
                " WHERE address LIKE 'events.resource.%'"
            )
        return {row["status"] for row in rows}


@asynccontextmanager
async def running(data: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        settings = Settings(data=data, regions=[REGION], database_url="", nats_url="", probe_allow_cidrs="127.0.0.0/8")
        await prepare(data)
        servers = await stack.enter_async_context(Servers(settings))
        settings, _ = platform_keys.complete(settings)
        apps = services.in_this_process(settings, servers)
        for name in SERVICES:
            await stack.enter_async_context(apps[name].router.lifespan_context(apps[name]))
        url = servers.nats_url(f"prober-{REGION}")
        base, _, port = url.rpartition(":")
        link = await stack.enter_async_context(Link(int(port)))
        target = await stack.enter_async_context(Target())
        folder = data / "elsewhere"
        folder.mkdir()
        key = derive(settings.secret_key, f"region:{REGION}").hex()
        own = {"region": REGION, "region_key": key, "nats_url": f"{base}:{link.port}"}
        prober = ProberProcess(folder, own)
        prober.start()
        stack.callback(prober.kill)
        headers = {"Authorization": f"Bearer {settings.bootstrap_token}"}
        world = World(apps, servers, headers, prober, link, target)
        await until(world.ready)
        yield world


async def until(what: Callable[[], Any], *, within: float = 300.0) -> None:
    async with asyncio.timeout(within):
        while not (await found if asyncio.iscoroutine(found := what()) else found):
            await asyncio.sleep(0.2)


@pytest.mark.timeout(600)
async def test_what_a_prober_sees_without_its_link_is_history_and_not_the_present(folder):
    async with running(folder / f"link-{uuid4().hex[:8]}") as world:
        target, prober = world.target, world.prober
        ids = {name: await world.monitor(name) for name in NAMES}

        async def all_are(state: str) -> bool:
            return await world.states(list(ids.values())) == {state}

        def all_came(at: float, times: int) -> bool:
            return len(target.hits) == len(NAMES) and all(count >= times for count in target.since(at).values())

        await until(lambda: all_are("up"))
        await until(lambda: all((prober.data / f"prober-{REGION}" / "0" / "schedule").exists() for _ in "x"))
        await asyncio.sleep(2)  # the schedule with all of them is on disk
        world.link.cut()
        cut = time.time()
        target.failing |= {NAMES[0], NAMES[1]}
        await until(lambda: "prober_works_alone" in prober.log)
        alone = time.time()
        await until(lambda: all_came(alone + 1, 2))
        await until(lambda: all_are("unknown"))
        unknown = time.time()
        prober.kill()
        killed = time.time()
        target.failing.clear()
        prober.start()
        await until(lambda: all_came(killed, 2))
        await asyncio.sleep(FRESH + 2 * INTERVAL)  # what is younger when the link is back is still the present
        world.link.mend()
        mended = time.time()
        await until(lambda: all_are("up"))
        print(f"alone after {alone - cut:.1f} s, unknown after {unknown - cut:.1f} s, cut for {mended - cut:.1f} s")

        async def complete() -> bool:
            lost = []
            for name, id_ in ids.items():
                slots = [slot for slot, _ in await world.history(id_)]
                # A retry comes at once; of the last half second before the kill nothing was on disk.
                hits = [at for at in target.hits[name] if cut + 1 < at < mended and not killed - 2 < at <= killed]
                lost += [(name, at - cut) for at in hits if not any(at - INTERVAL <= slot <= at for slot in slots)]
            print(lost)
            return not lost

        await until(complete, within=60)
        failed = [(await world.history(ids[name]), name) for name in NAMES]
        for rows, name in failed:
            classes = {kind for at, kind in rows if alone < at < killed - 2}
            assert classes == ({"fail"} if name in NAMES[:2] else {"up"}), (name, rows)
        assert await world.statuses() <= {"pending", "up", "unknown"}
