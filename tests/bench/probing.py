"""Our prober's own `probe`, so many times in a process of its own; tells the µs of CPU that each took."""

import asyncio
import gc
import sys
import time
from ipaddress import ip_network

import uvloop

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Guard
from prober.probes.http import probe
from prober.probes.probe_types import ProbeSpec

IN_FLIGHT = 8
WARM = 100


async def probes(url: str, count: int, guard: Guard) -> None:
    """Probe `count` times, `IN_FLIGHT` at a time, as the prober's worker does; RuntimeError when the target is down."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            seen = await probe(ProbeSpec(url=f"{url}{number % 500}"), guard, 10)
            if seen.verdict is not Verdict.up:
                raise RuntimeError(seen.error)

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))


async def main() -> None:
    """Do what the arguments ask: a URL and a number."""
    url, count = sys.argv[1], int(sys.argv[2])
    guard = Guard([ip_network("127.0.0.0/8")])
    await probes(url, WARM, guard)
    gc.collect()
    gc.freeze()  # as every service does after its start (house.md §3)
    before = time.process_time()
    await probes(url, count, guard)
    print((time.process_time() - before) / count * 1e6)


uvloop.run(main())
