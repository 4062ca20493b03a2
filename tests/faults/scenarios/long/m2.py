"""M2: the network of one of three regions dies; no monitor changes for that, and the operator is told once."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from commands import make_all
from enclosure import Enclosure
from run import Run
from scenarios.m0 import answer
from under_test import Platform
from verdict import Verdict

from pinghome import services

REGIONS = ("eu-central-1", "us-east-1", "ap-south-1")
DEAD = REGIONS[2]
MONITORS, INTERVAL = 500, 10


async def play(run: Run, verdict: Verdict) -> None:
    """500 monitors, each seen from three regions; one region's network is dead for a minute."""
    async with Platform(REGIONS) as platform, Enclosure() as enclosure:
        target = await asyncio.start_server(answer, "127.0.0.1", 0)
        anchor = await asyncio.start_server(answer, "127.0.0.1", 0)
        port, anchors = (server.sockets[0].getsockname()[1] for server in (target, anchor))
        broker = urlsplit(platform.servers.nats_url("admin")).port
        for each in (port, anchors, broker):
            await enclosure.forward(each)
        await platform.hold_down(f"prober-{DEAD}")
        async with _prober(platform, enclosure, anchors):
            bodies = (_monitor(number, port) for number in range(MONITORS))
            ids = await make_all(platform, "/v1/resource", bodies)
            await _until(platform, ids, up=True)
            run.say(f"{MONITORS} monitors are up in three regions; the network of {DEAD} dies")
            versions = await _versions(platform, ids)
            enclosure.cut(port)
            enclosure.cut(anchors)
            await _until(platform, ids, up=False)
            await asyncio.sleep(3 * INTERVAL)
            run.say(f"the network of {DEAD} is back")
            await enclosure.forward(port)
            await enclosure.forward(anchors)
            await _until(platform, ids, up=True)
        changed = [id_ for id_, version in (await _versions(platform, ids)).items() if version != versions[id_]]
        verdict.none(f"of {MONITORS} monitors that changed", changed)
        told = (platform.data / "log" / f"enclosed-{DEAD}.log").read_text().count('"region_suspect"')
        verdict.true("times that the operator was told", told, passed=told == 1, wanted="1")
        target.close()
        anchor.close()
        platform.kept = verdict.failed


@asynccontextmanager
async def _prober(platform: Platform, enclosure: Enclosure, anchors: int) -> AsyncIterator[None]:
    """A prober whose only ways out are the forwarded ports."""
    factory, own = services.settings_of_all(platform.settings, platform.servers)[f"prober-{DEAD}"]
    module, function = factory.split(":")
    own = own.but(probe_anchors=[f"127.0.0.1:{anchors}"], port=8000)
    code = f"from pinghome_common.serve import run; from {module} import {function}; run({function})"
    with (platform.data / "log" / f"enclosed-{DEAD}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *enclosure.inside(sys.executable, "-c", code),
            env={**os.environ, **services.environment(own)}, cwd=platform.data, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            await process.wait()


def _monitor(number: int, port: int) -> dict[str, Any]:
    return {
        "name": f"M2 {number}",
        "type": "http",
        "url": f"http://127.0.0.1:{port}/{number}",
        "regions": list(REGIONS),
        "interval": INTERVAL,
    }


async def _until(platform: Platform, ids: list[UUID], *, up: bool) -> None:
    """Returns when the region that dies says of all monitors that they are up, or of none.

    Raises:
        TimeoutError: it does not within a minute.
    """
    wanted = len(ids) if up else 0
    async with asyncio.timeout(60), platform.sql("resource_cmd") as db:
        while wanted != await db.fetchval(
            "SELECT count(*) FROM region_observation WHERE resource = ANY($1) AND region = $2 AND up", ids, DEAD
        ):
            await asyncio.sleep(0.5)


async def _versions(platform: Platform, ids: list[UUID]) -> dict[UUID, int]:
    """Each monitor's version: every change of its status makes a new one."""
    async with platform.sql("resource_cmd") as db:
        return dict(await db.fetch("SELECT id, version FROM resource WHERE id = ANY($1)", ids))
