"""N3: resource-cmd is killed -9 while thresholds break and servers fall silent; every change is told, and once."""

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from alert_sink import make_servers, sink
from kills import kill_at_random
from run import Run
from told import judge_told
from under_test import GRACE, Platform
from verdict import Verdict
from wire import LostError, NotSentError, Wire

APART = 0.6, 1.8
"""Seconds."""
LOAD = {"type": "system-load-unified", "field": "load1", "operator": "greater-than", "value": 4, "minutes": 0}
WHATS = ("threshold-broken", "down")


async def play(run: Run, verdict: Verdict) -> None:
    """1,000 changes and 30 kills in the long form."""
    platform = run.platform
    count, kills, seconds = (500, 15, 20.0) if run.long else (30, 3, 4.0)
    async with sink(platform) as it:
        it.pause = 0.3  # so that kills find messages under way
        servers = await make_servers(platform, it, f"n3-{run.seed}", count, thresholds=[LOAD], interval=10)
        run.say(f"{count} servers, each with a channel of its own")
        sending = asyncio.create_task(_send(platform, servers, seconds))
        broken, _ = await kill_at_random(
            platform, ["resource-cmd"], APART, run.rng("broken"), lambda dead: dead >= kills and sending.done(), run.say
        )
        begun = await sending + 2 + GRACE - seconds  # when the first of them is down
        await asyncio.sleep(max(0.0, begun - time.monotonic()))
        silent, last = await kill_at_random(
            platform, ["resource-cmd"], APART, run.rng("silent"),
            lambda dead: dead >= kills and time.monotonic() > begun + seconds, run.say,
        )  # fmt: skip
        killed = broken.total() + silent.total()
        verdict.told("kills", killed)
        await judge_told(run, verdict, it, servers, WHATS, killed, last)
        said = [what for each in it.received for _, what, _ in each.said]
        verdict.none("told that never was", set(said) - set(WHATS))
        async with platform.sql("resource_cmd") as db:
            rows = await db.fetch("SELECT * FROM server_resource WHERE id = ANY($1::uuid[])", list(servers))
        # Created, up, broken, down: a change that was made twice would have an event of its own.
        others = [row["id"] for row in rows if (row["status"], row["version"]) != ("down", 4)]
        verdict.none("servers with other changes", others)


async def _send(platform: Platform, servers: Mapping[UUID, str], seconds: float) -> float:
    """Each sends one sample that breaks its threshold, in so many seconds in all; when the last one did (monotonic)."""
    wire = Wire(platform.ports["data-gateway"])
    for token in servers.values():
        while True:
            at = datetime.now(UTC).isoformat()
            sample = {"at": at, "interval": 1, "values": {"system-load-unified": {"load1": 9}}}
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            body = json.dumps({"sent_at": at, "samples": [sample]}).encode()
            try:
                if (await wire.ask("POST", "/v1/server-resource/metrics", headers, body)).status == 200:
                    break
            except (LostError, NotSentError):
                pass
            await asyncio.sleep(0.1)
        await asyncio.sleep(seconds / len(servers))
    wire.close()
    return time.monotonic()
