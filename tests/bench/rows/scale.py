"""What a heartbeat and a probe cost with 1, 2 and 4 replicas of the gateway and of the prober, all parts together."""

import asyncio
import sys
from ipaddress import ip_network

from figures import at_most
from load import ask, wrk
from platforms import REGION, in_processes
from rows.schedule import INTERVAL, watched
from target import nginx

NEEDS = ("wrk", "nginx")
REPLICAS = (1, 2, 4)
FIGURES = {
    "CPU of a heartbeat, 2 / 1": at_most(1.5),
    "CPU of a heartbeat, 4 / 1": at_most(1.5),
    "CPU of a probe, 2 / 1": at_most(1.5),
    "CPU of a probe, 4 / 1": at_most(1.5),
    "missed slots": at_most(0),
}
RATE = 1000
"""Heartbeats a second at which their cost is measured: far from what one gateway takes."""
SECONDS, CONNECTIONS = 10, 64
IDLE = 0.2
"""Cores that the platform takes at most when it has nothing to do."""
MONITORS, SLOTS = 10_000, 2
GATEWAY, PROBER = "data-gateway", f"prober-{REGION}"


async def measure(rounds):  # noqa: ARG001  # one round takes ten minutes
    async with nginx() as target, in_processes(probe_allow_cidrs=[ip_network("127.0.0.0/8")]) as platform:
        values = await heartbeats(platform)
        await platform.supervisor.stop(*(f"{GATEWAY}-{number}" for number in range(2, REPLICAS[-1] + 1)))
        wish, monitors = platform.resource(target.urls["http"], INTERVAL), 0
        while monitors < MONITORS:
            _, created = await ask(platform.ports["resource-cmd"], **wish, seconds=600, most=2500)
            monitors += len(created)
        yield values | await probes(platform, monitors)


async def heartbeats(platform):
    """Their cost at a steady rate, and the highest rate, by the number of gateways."""
    paths = [f"/v1/heartbeat/{one}" for one in await platform.heartbeats()]
    ports, costs, values = [platform.ports[GATEWAY]], {}, {}
    for count in REPLICAS:
        ports += [await platform.replica(GATEWAY, number) for number in range(len(ports) + 1, count + 1)]
        await sent(ports, paths, 0, seconds=2)  # warm
        await settled(platform)
        before = platform.cpu()
        rate, p99 = await sent(ports, paths, RATE)
        await settled(platform)
        used = {name: seconds - before[name] for name, seconds in platform.cpu().items()}
        costs[count] = sum(used.values()) / (rate * SECONDS) * 1e6
        values |= {f"µs in {name}": used[name] / (rate * SECONDS) * 1e6 for name in used if count == 1}
        highest, _ = await sent(ports, paths, 0)
        gateways = sum(seconds for name, seconds in used.items() if name.startswith(GATEWAY))
        values |= {
            f"µs of a heartbeat, {count}": costs[count],
            f"µs in gateways, {count}": gateways / (rate * SECONDS) * 1e6,
            f"p99 ms at {RATE}/s, {count}": p99,
            f"heartbeats/s, {count}": highest,
        }
        print(f"  scale: {values}", file=sys.stderr)
    return values | {f"CPU of a heartbeat, {count} / 1": costs[count] / costs[1] for count in REPLICAS[1:]}


async def settled(platform):
    """Returns when what was sent is projected, and nothing is left to do."""
    used = IDLE
    while used >= IDLE:
        before = sum(platform.cpu().values())
        await asyncio.sleep(2)
        used = (sum(platform.cpu().values()) - before) / 2


async def sent(ports, paths, rate, seconds=SECONDS):
    """The rate that some gateways took together, and the highest p99 of them."""
    each = CONNECTIONS // len(ports)
    loads = await asyncio.gather(*(wrk(port, paths, seconds, each, rate / len(ports)) for port in ports))
    return sum(load.rate for load in loads), max(load.p99 for load in loads)


async def probes(platform, monitors):
    """What the monitors cost, and how many of their slots were missed, by the number of probers."""
    costs, missed, values = {}, 0, {}
    for count in REPLICAS:
        for number in range(max(2, count // 2 + 1), count + 1):
            await platform.replica(PROBER, number)
        found = await watched(platform, monitors, SLOTS)
        costs[count] = found["core"] / (monitors / INTERVAL) * 1e6
        missed += found["missed slots"] + found["not judged"]
        parts = [name for name in found if name.startswith("core ")] if count == 1 else []
        values |= {f"µs of a probe in {name[5:]}": found[name] / (monitors / INTERVAL) * 1e6 for name in parts}
        values |= {
            f"µs of a probe, {count}": costs[count],
            f"core with {monitors} monitors, {count}": found["core"],
            f"slot p99 ms, {count}": found["slot p99 ms"],
        }
        print(f"  scale: {values}", file=sys.stderr)
    ratios = {f"CPU of a probe, {count} / 1": costs[count] / costs[1] for count in REPLICAS[1:]}
    return values | ratios | {"missed slots": missed}
