"""Our limits on clients (`serve.py`, `http1.py`) cost next to nothing: one no-op behind plain uvicorn and behind us."""

from statistics import mean

from figures import at_least
from load import wrk
from processes import HERE, cpu_seconds, python

from pinghome.state_file import free_port

NEEDS = ("wrk",)
FIGURES = {"rate / plain uvicorn": at_least(0.95, 1.0)}


async def measure(rounds):
    plain, ours = free_port(), free_port()
    async with (
        python(HERE / "ceilings/noop.py", str(plain), port=plain) as plain_process,
        python(HERE / "ceilings/served.py", port=ours, env={"PINGHOME_PORT": str(ours)}) as our_process,
    ):
        for _ in range(rounds):
            slices = [(await one(plain, plain_process), await one(ours, our_process)) for _ in range(3)]
            sides = zip(*slices, strict=True)
            (rate, cost), (our_rate, our_cost) = (map(mean, zip(*side, strict=True)) for side in sides)
            yield {
                "rate / plain uvicorn": our_rate / rate,
                "CPU / plain uvicorn": our_cost / cost,
                "plain uvicorn, µs": cost,
                "ours, µs": our_cost,
            }


async def one(port, process):
    """Requests per second, and µs of CPU for each, in one second."""
    before = cpu_seconds(process.pid)
    load = await wrk(port, ["/v1/heartbeat/3f0e8b1c-0000-7000-8000-000000000000"], seconds=1)
    return load.rate, (cpu_seconds(process.pid) - before) / load.rate * 1e6
