"""The list of 1,000 checks and a status page on the platform as `make up` starts it, against a bare no-op."""

import httpx
from load import ask, wrk
from platforms import KEY, TOKEN, up
from processes import HERE, cpu_seconds, python

from pinghome.state_file import free_port

NEEDS = ("wrk",)
FIGURES = {}
CHECKS = 1000
SECONDS = 4


async def measure(rounds):
    noop = free_port()
    async with python(HERE / "ceilings/noop.py", str(noop), port=noop), up() as platform:
        await ask(platform.port, **platform.check(), seconds=60, most=CHECKS)
        page = {"name": "Bench", "subdomain": "bench", "type": "public", "description": ""}
        url = f"http://127.0.0.1:{platform.port}/statuspage-cmd/v1/statuspage"
        async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
            made = await http.post(url, json=page, headers={"Authorization": f"Bearer {TOKEN}"})
        made.raise_for_status()
        listed = {"method": "GET", "path": "/api/v1/checks/", "headers": {"X-Api-Key": KEY}}
        await wrk(platform.port, ["/status/bench"], seconds=1)  # both sides warm
        for _ in range(rounds):
            bare = await wrk(noop, ["/status/bench"], seconds=2)
            began = cpu_seconds(platform.pid)
            lists, _ = await ask(platform.port, **listed, seconds=SECONDS)
            between = cpu_seconds(platform.pid)
            pages = await wrk(platform.port, ["/status/bench"], SECONDS)
            ended = cpu_seconds(platform.pid)
            yield {
                "lists/s": lists.rate,
                "p99 ms of a list": lists.p99,
                "ms CPU of a list": (between - began) / (lists.rate * SECONDS) * 1e3,
                "pages / no-op": pages.rate / bare.rate,
                "pages/s": pages.rate,
                "p99 ms of a page": pages.p99,
                "us CPU of a page": (ended - between) / (pages.rate * SECONDS) * 1e6,
            }
