"""A heartbeat created through the API and seen by the query side, against a bare FastAPI and asyncpg insert."""

from figures import at_least, at_most
from load import ask
from platforms import in_processes
from processes import HERE, python

from pinghome.state_file import free_port

FIGURES = {
    "rate / bare": at_least(0.25, 0.35),
    "p99 ms": at_most(80),
    "one at a time, ms above bare": at_most(7),
}
THING = {
    "method": "POST",
    "path": "/thing",
    "body": '{"name": "bench {n}", "interval": 60, "methods": ["GET", "POST"], "note": "' + "x" * 900 + '"}',
    "headers": {"Content-Type": "application/json"},
}


async def measure(rounds):
    port = free_port()
    async with in_processes() as platform:
        database = await platform.servers.create_database("bench")
        await platform.keep_only("resource-cmd", "resource-query", "statistic-query")
        async with python(HERE / "ceilings/bare_insert.py", str(port), database, port=port):
            await ask(port, **THING, seconds=1)  # both sides warm
            await platform.heartbeats()
            for _ in range(rounds):
                bare, _ = await ask(port, **THING)
                ours, _ = await ask(platform.ports["resource-cmd"], **platform.heartbeat())
                bare_alone, _ = await ask(port, **THING, in_flight=1, seconds=1)
                alone, _ = await ask(platform.ports["resource-cmd"], **platform.heartbeat(), in_flight=1, seconds=1)
                yield {
                    "rate / bare": ours.rate / bare.rate,
                    "p99 ms": ours.p99,
                    "one at a time, ms above bare": alone.p50 - bare_alone.p50,
                    "bare/s": bare.rate,
                    "creates/s": ours.rate,
                    "bare p99 ms": bare.p99,
                    "bare alone p50 ms": bare_alone.p50,
                    "alone p50 ms": alone.p50,
                }
