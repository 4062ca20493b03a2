"""A heartbeat accepted: the gateway and NATS with fsync, against a bare no-op, at 64 connections."""

from figures import at_least, at_most
from load import wrk
from platforms import in_processes
from processes import HERE, python

from pinghome.state_file import free_port

NEEDS = ("wrk",)
FIGURES = {"rate / no-op": at_least(0.40, 0.60), "p99 / no-op": at_most(2.5)}


async def measure(rounds):
    noop = free_port()
    async with python(HERE / "ceilings/noop.py", str(noop), port=noop), in_processes() as platform:
        paths = [f"/v1/heartbeat/{one}" for one in await platform.heartbeats()]
        await platform.keep_only("data-gateway")
        await wrk(platform.ports["data-gateway"], paths, seconds=1)  # warm
        for _ in range(rounds):
            bare = await wrk(noop, paths)
            ours = await wrk(platform.ports["data-gateway"], paths)
            yield {
                "rate / no-op": ours.rate / bare.rate,
                "p99 / no-op": ours.p99 / bare.p99,
                "no-op/s": bare.rate,
                "heartbeats/s": ours.rate,
                "no-op p99 ms": bare.p99,
                "heartbeat p99 ms": ours.p99,
            }
