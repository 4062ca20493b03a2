"""Pings of Healthchecks' dialect accepted, each form of them against a bare no-op, at 64 connections."""

from itertools import cycle
from uuid import uuid4

import httpx
from figures import at_least
from load import wrk
from platforms import in_processes
from processes import HERE, python

from pinghome.state_file import free_port

NEEDS = ("wrk",)
FORMS = ("uuid", "start, fail, log, exit status", "slug", "run id")
FIGURES = {f"{form} / no-op": at_least(0.40, 0.60) for form in FORMS}
KEY = "p" * 22
TURNS = 4
"""Each form and the no-op take turns of a second: a shared machine changes its speed within seconds."""
SLUGS = 100
BODY = "x" * 1000


async def measure(rounds):
    noop = free_port()
    async with (
        python(HERE / "ceilings/noop.py", str(noop), port=noop),
        in_processes(bootstrap_ping_key=KEY) as platform,
    ):
        ids = await platform.heartbeats()
        gateway = platform.ports["data-gateway"]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway}", trust_env=False) as client:
            for slug in range(SLUGS):
                (await client.get(f"/ping/{KEY}/bench-{slug}?create=1")).raise_for_status()
        await platform.keep_only("data-gateway")
        words = cycle(("start", "fail", "log", "7"))
        asked = {
            "uuid": [f"/ping/{one}" for one in ids],
            "start, fail, log, exit status": [f"/ping/{one}/{word}" for one, word in zip(ids, words, strict=False)],
            "slug": [f"/ping/{KEY}/bench-{slug}" for slug in range(SLUGS)],
            "run id": [f"/ping/{one}?rid={uuid4()}" for one in ids],
            "POST of 1 kB": [f"/ping/{one} {BODY}" for one in ids],
            "heartbeat": [f"/v1/heartbeat/{one}" for one in ids],
        }
        await wrk(gateway, asked["uuid"], seconds=1)  # warm
        for _ in range(rounds):
            yield {f"{form} / no-op": await _ratio(noop, gateway, paths) for form, paths in asked.items()}


async def _ratio(noop, gateway, paths):
    bare, ours = 0.0, 0.0
    for _ in range(TURNS):
        bare += (await wrk(noop, paths[:1], 1)).rate
        ours += (await wrk(gateway, paths, 1)).rate
    return ours / bare
