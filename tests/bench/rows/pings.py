"""Pings of Healthchecks' dialect accepted, each form of them against a bare no-op, at 64 connections."""

from itertools import cycle
from uuid import uuid4

import httpx
from figures import at_least
from load import wrk
from platforms import in_processes
from processes import HERE, free_port, python

NEEDS = ("wrk",)
FIGURES = {"slowest GET / no-op": at_least(0.40, 0.60)}
KEY = "p" * 22
SECONDS = 3
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
        forms = {
            "uuid": [f"/ping/{one}" for one in ids],
            "start, fail, log, exit status": [
                f"/ping/{one}/{what}" for one, what in zip(ids, cycle(("start", "fail", "log", "7")), strict=False)
            ],
            "slug": [f"/ping/{KEY}/bench-{slug}" for slug in range(SLUGS)],
            "run id": [f"/ping/{one}?rid={uuid4()}" for one in ids],
        }
        bodies = [f"/ping/{one} {BODY}" for one in ids]
        await wrk(gateway, forms["uuid"], seconds=1)  # warm
        for _ in range(rounds):
            bare = await wrk(noop, forms["uuid"], SECONDS)
            rates = {form: (await wrk(gateway, paths, SECONDS)).rate / bare.rate for form, paths in forms.items()}
            posted = await wrk(gateway, bodies, SECONDS)
            heartbeat = await wrk(gateway, [f"/v1/heartbeat/{one}" for one in ids], SECONDS)
            yield {
                "slowest GET / no-op": min(rates.values()),
                "no-op/s": bare.rate,
                "heartbeat / no-op": heartbeat.rate / bare.rate,
                **{f"{form} / no-op": rate for form, rate in rates.items()},
                "POST of 1 kB / no-op": posted.rate / bare.rate,
            }
