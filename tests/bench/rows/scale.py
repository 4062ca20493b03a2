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
"""Heartbeats a second of which few arrive together, so that a batch has few of them, and each more replica fewer."""
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
    """Their cost and rate, as fast as it goes and at a steady rate far from that, by the number of gateways."""
    paths = [f"/v1/heartbeat/{one}" for one in await platform.heartbeats()]
    ports, costs, values = [platform.ports[GATEWAY]], {}, {}
    for count in REPLICAS:
        ports += [await platform.replica(GATEWAY, number) for number in range(len(ports) + 1, count + 1)]
        await sent(ports, paths, 0, seconds=2)  # warm
        for kind, rate in (("", 0), (f" at {RATE}/s", RATE)):
            await settled(platform)
            before = platform.cpu()
            taken, p99 = await sent(ports, paths, rate)
            await settled(platform)
            each = {name: (used - before[name]) / (taken * SECONDS) * 1e6 for name, used in platform.cpu().items()}
            costs[kind, count] = sum(each.values())
            values |= {f"µs of a heartbeat in {name}{kind}": it for name, it in each.items() if count == 1}
            values |= {
                f"µs of a heartbeat{kind}, {count}": costs[kind, count],
                f"µs of it in gateways{kind}, {count}": sum(
                    it for name, it in each.items() if name.startswith(GATEWAY)
                ),
                f"heartbeats/s{kind}, {count}": taken,
                f"p99 ms{kind}, {count}": p99,
            }
        print(f"  scale: {values}", file=sys.stderr)
    return values | {
        f"CPU of a heartbeat{kind}, {count} / 1": cost / costs[kind, 1]
        for (kind, count), cost in costs.items()
        if count > 1
    }


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
