"""Pings of 1,000 heartbeats on the platform as `make up` starts it: taken and shown, against a bare no-op."""

from figures import at_least, at_most
from load import ask, wrk
from markers import NEWEST, markers
from platforms import up
from processes import HERE, python

from pinghome.state_file import free_port

NEEDS = ("wrk",)
FIGURES = {
    "pings / no-op": at_least(0.22),
    "p99 ms": at_most(25),
    "shown p99 ms": at_most(1000),
    "us CPU": at_most(185, 120),
}
HEARTBEATS = 1000
SECONDS = 8


async def measure(rounds):
    noop = free_port()
    async with python(HERE / "ceilings/noop.py", str(noop), port=noop), up() as platform:
        _, made = await ask(platform.port, **platform.heartbeat(), seconds=60, most=HEARTBEATS + 1)
        marker, *paths = (f"/ping/{one['id']}" for one in made)
        await wrk(platform.port, paths, seconds=2)  # every heartbeat comes up
        for _ in range(rounds):
            bare = await wrk(noop, paths, seconds=3)
            before = platform.cpu()
            async with markers(platform, marker) as sent:
                load = await wrk(platform.port, paths, SECONDS)
            shown = {f"shown p99 ms {name}": sent.p99(name) for name in NEWEST}
            count = load.rate * SECONDS
            each = {f"us {name}": (used - before.get(name, 0)) / count * 1e6 for name, used in platform.cpu().items()}
            yield {
                "pings / no-op": load.rate / bare.rate,
                "p99 ms": load.p99,
                "shown p99 ms": max(shown.values()),
                "us CPU": sum(each.values()),
                "pings/s": load.rate,
                "no-op/s": bare.rate,
                **shown,
                **each,
            }
