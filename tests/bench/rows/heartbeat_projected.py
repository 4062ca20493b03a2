"""The rate of heartbeats with which all three projections keep up as the gateway takes them, against a bare no-op."""

from figures import at_least, at_most
from load import wrk
from markers import NEWEST, markers
from platforms import in_processes
from processes import HERE, python

from pinghome.state_file import free_port

NEEDS = ("wrk",)
FIGURES = {"rate / no-op": at_least(0.15, 0.30), "lag p99 ms": at_most(1000)}
HEARTBEATS = 2000
SECONDS = 8
TRIES = 3
STEP = 1.2


async def measure(rounds):
    noop = free_port()
    async with python(HERE / "ceilings/noop.py", str(noop), port=noop), in_processes() as platform:
        await platform.keep_only("data-gateway", "resource-cmd", "resource-query", "statistic-query")
        marker, *paths = (f"/v1/heartbeat/{one}" for one in await platform.heartbeats(HEARTBEATS + 1))
        await tried(platform, marker, paths, 1000)  # warm: every heartbeat comes up
        ratio = FIGURES["rate / no-op"].goal
        for _ in range(rounds):
            bare = await wrk(noop, paths, seconds=3)
            held = await highest(platform, marker, paths, ratio * bare.rate)
            ratio = held["heartbeats/s"] / bare.rate
            yield {"rate / no-op": ratio, "no-op/s": bare.rate} | held
            ratio *= STEP


async def highest(platform, marker, paths, rate):
    """The highest rate that was held, tried from `rate` downwards; the lowest one if none was."""
    for _ in range(TRIES):
        found = await tried(platform, marker, paths, rate)
        if found["lag p99 ms"] <= FIGURES["lag p99 ms"].must:
            break
        rate = found["heartbeats/s"] / STEP
    return found


async def tried(platform, marker, paths, rate):
    """What came of `rate` heartbeats a second: how many were taken, how late they were seen, what they cost."""
    before = platform.cpu()
    async with markers(platform, marker) as sent:
        load = await wrk(platform.ports["data-gateway"], paths, SECONDS, rate=rate)
    lags = {f"lag p99 ms {name}": sent.p99(name) for name in NEWEST}
    count = load.rate * SECONDS
    costs = {f"µs {name}": (used - before[name]) / count * 1e6 for name, used in platform.cpu().items()}
    return {"lag p99 ms": max(lags.values()), "heartbeats/s": load.rate, "answer p99 ms": load.p99} | lags | costs
