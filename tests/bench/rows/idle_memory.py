"""What the whole platform takes in memory when nobody asks anything: proportional set size, servers included."""

import asyncio

from figures import at_most
from platforms import up
from processes import cpu_seconds, pss

FIGURES = {"MB": at_most(450, 250)}
SETTLED = 20  # seconds after the start


async def measure(rounds):
    for _ in range(min(rounds, 3)):
        async with up() as platform:
            await asyncio.sleep(SETTLED / 2)
            before = cpu_seconds(platform.pid)
            await asyncio.sleep(SETTLED / 2)
            used = (cpu_seconds(platform.pid) - before) / (SETTLED / 2)
            taken = pss(platform.pid)
            yield {"MB": sum(taken.values()), **{f"MB {name}": size for name, size in taken.items()}, "core": used}
