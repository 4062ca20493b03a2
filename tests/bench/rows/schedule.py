"""Monitors probed every 30 s, end to end: every slot probed in time, judged and stored."""

import asyncio
import sys
import time
from ipaddress import ip_network

from figures import at_least, at_most
from load import ask
from percentile import percentile
from platforms import in_processes
from slots import Slots, head
from target import nginx

NEEDS = ("nginx",)
FIGURES = {
    "missed slots": at_most(0),
    "slot p99 ms": at_most(250, 100),
    "not judged": at_most(0),
    "monitors held": at_least(10_000, 20_000),
}
INTERVAL = 30
WARM, SLOTS, SETTLE = 35, 4, 5
"""Seconds after the last monitor was created, slots of each monitor, and seconds after the last one."""


async def measure(rounds):  # noqa: ARG001  # one round takes minutes, and each has tens of thousands of slots
    async with nginx() as target, in_processes(probe_allow_cidrs=[ip_network("127.0.0.0/8")]) as platform:
        wish = platform.resource(target.urls["http"], INTERVAL)
        values, held, monitors = {}, 0, 0
        for wanted in (10_000, 20_000):
            while monitors < wanted:
                _, created = await ask(platform.ports["resource-cmd"], **wish, seconds=600, most=2500)
                monitors += len(created)
                print(f"  schedule: {monitors} monitors created", file=sys.stderr)
            found = await watched(platform, monitors)
            values |= found if wanted == 10_000 else {f"{wanted}: {name}": value for name, value in found.items()}
            if found["missed slots"] or found["not judged"] or found["slot p99 ms"] > FIGURES["slot p99 ms"].must:
                break
            held = wanted
        yield values | {"monitors held": held}


async def watched(platform, monitors, count=SLOTS):
    """What became of so many slots of each monitor."""
    await asyncio.sleep(WARM)
    begin = int(time.time()) + 1
    slots = Slots(monitors, INTERVAL, begin, begin + count * INTERVAL)
    after, before = await head(platform), platform.cpu()
    await asyncio.sleep(slots.end - time.time())
    used = {name: seconds - before[name] for name, seconds in platform.cpu().items()}
    await asyncio.sleep(SETTLE)
    unjudged, missed = await slots.unjudged(platform), await slots.missed(platform)
    late = await slots.late(platform, after)
    return {
        "missed slots": missed,
        "slot p99 ms": percentile(late, 99),
        "not judged": unjudged,
        "slot p50 ms": percentile(late, 50),
        "slot max ms": max(late),
        "core": sum(used.values()) / (count * INTERVAL),
        **{f"core {name}": seconds / (count * INTERVAL) for name, seconds in used.items()},
    }
