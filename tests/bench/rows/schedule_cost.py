"""What 500 monitors every 20 s cost: CPU of all our services, NATS and PostgreSQL over a minute."""

import asyncio
from ipaddress import ip_network

from figures import at_most
from load import ask
from platforms import in_processes
from target import nginx

NEEDS = ("nginx",)
FIGURES = {"core": at_most(0.06)}
MONITORS, INTERVAL = 500, 20
WARM, SECONDS = 30, 60


async def measure(rounds):
    async with nginx() as target, in_processes(probe_allow_cidrs=[ip_network("127.0.0.0/8")]) as platform:
        await asyncio.sleep(WARM / 2)
        idle = await cores(platform, SECONDS / 2)
        wish = platform.resource(target.urls["http"], INTERVAL)
        await ask(platform.ports["resource-cmd"], **wish, seconds=60, most=MONITORS, in_flight=10)
        await asyncio.sleep(WARM)
        for _ in range(min(rounds, 2)):
            used = await cores(platform, SECONDS)
            each = {f"core {name}": share for name, share in used.items()}
            yield {"core": sum(used.values()), "core without monitors": sum(idle.values())} | each


async def cores(platform, seconds):
    """The share of a core that each process takes."""
    before = platform.cpu()
    await asyncio.sleep(seconds)
    return {name: (used - before[name]) / seconds for name, used in platform.cpu().items()}
