"""Creates in both dialects on the platform as `make up` starts it, against a bare FastAPI and asyncpg insert."""

from contextlib import AsyncExitStack

from figures import at_least, at_most
from load import ask
from platforms import Up, up
from processes import HERE, cpu_seconds, python
from rows.create import THING

from pinghome.state_file import free_port

FIGURES = {
    "checks / bare": at_least(0.23),
    "p99 ms of checks": at_most(60),
    "CPU of a check / of a heartbeat": at_most(1.4),
}


async def measure(rounds):
    port = free_port()
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(up(checks_limit="1000000"))
        bare_insert = [HERE / "ceilings/bare_insert.py", str(port), await platform.database_url("bench")]
        await stack.enter_async_context(python(*bare_insert, port=port))
        await ask(port, **THING, seconds=1)  # both sides warm
        await asked(platform, platform.heartbeat(), seconds=1)
        await asked(platform, platform.check(), seconds=1)
        for _ in range(rounds):
            bare, _ = await ask(port, **THING)
            heartbeats, heartbeat = await asked(platform, platform.heartbeat())
            checks, check = await asked(platform, platform.check())
            yield {
                "checks / bare": checks.rate / bare.rate,
                "p99 ms of checks": checks.p99,
                "CPU of a check / of a heartbeat": check / heartbeat,
                "checks/s": checks.rate,
                "us CPU of a check": check,
                "heartbeats/s": heartbeats.rate,
                "us CPU of a heartbeat": heartbeat,
                "p99 ms of heartbeats": heartbeats.p99,
                "bare/s": bare.rate,
            }


async def asked(platform: Up, what, seconds=4):
    """The load, and microseconds of CPU of all processes for each."""
    before = cpu_seconds(platform.pid)
    load, _ = await ask(platform.port, **what, seconds=seconds)
    return load, (cpu_seconds(platform.pid) - before) / (load.rate * seconds) * 1e6
