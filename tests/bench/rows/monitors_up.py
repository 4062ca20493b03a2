"""What 500 and 2,000 monitors every 20 s cost on the platform as `make up` starts it: CPU over a minute, and memory."""

import asyncio
import json
from uuid import uuid4

from figures import at_most
from load import ask
from platforms import REGION, TOKEN, creating, up
from processes import cpu_seconds, pss
from target import nginx

NEEDS = ("nginx",)
FIGURES = {"core of 500": at_most(0.05), "MB of 500": at_most(260, 219)}
COUNTS, INTERVAL = (500, 2000), 20
WARM, SECONDS = 45, 60


async def measure(rounds):
    for _ in range(min(rounds, 2)):
        async with nginx() as target, up(probe_allow_cidrs="127.0.0.0/8", regions=REGION) as platform:
            found = {}
            await asyncio.sleep(WARM)
            found["core idle"] = await cores(platform)
            found["MB idle"] = sum(pss(platform.pid).values())
            made = 0
            for count in COUNTS:
                body = {"name": "bench {n}", "type": "http", "url": target.urls["http"] + "{n}", "interval": INTERVAL}
                body |= {"service_id": str(uuid4()), "regions": [REGION]}
                wish = creating(TOKEN) | {"path": "/resource-cmd/v1/resource", "body": json.dumps(body)}
                await ask(platform.port, **wish, seconds=120, most=count - made, in_flight=10)
                made = count
                await asyncio.sleep(WARM)
                found[f"core of {count}"] = await cores(platform)
                found[f"MB of {count}"] = sum(pss(platform.pid).values())
            yield found


async def cores(platform):
    """The share of a core that all processes take."""
    before = cpu_seconds(platform.pid)
    await asyncio.sleep(SECONDS)
    return (cpu_seconds(platform.pid) - before) / SECONDS
