"""A million points of 25 custom metrics, from requests to rows, against a bare COPY of the same points."""

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
from figures import at_least, at_most
from platforms import in_processes

from pinghome_common.dialects.pingpong import identified

FIGURES = {
    "points / COPY": at_least(0.35),
    "replaced / COPY": at_least(0.20),
    "gateway MiB": at_most(300),
    "projection MiB": at_most(400),
}
TOKEN = "a" * 40
METRICS, REQUESTS, EACH = 25, 100, 400
POINTS = METRICS * REQUESTS * EACH
AT_ONCE = 4
HEADERS = {"Authorization": f"Token {TOKEN}"}


async def measure(rounds):
    async with in_processes(bootstrap_status_token=TOKEN) as platform, httpx.AsyncClient(timeout=60) as http:
        ids = [await made(http, platform.ports["statuspage-cmd"]) for _ in range(METRICS)]
        await platform.keep_only("data-gateway", "statuspage-query")
        url = f"http://127.0.0.1:{platform.ports['data-gateway']}/rest/v1/custom-metrics/data"
        async with platform.database("statuspage_query") as database:
            for number in range(rounds + 1):
                first = int(time.time()) // 60 - REQUESTS * EACH - 60
                await database.execute("TRUNCATE point_day")
                fresh = await stored(http, url, database, ids, first, 1)
                again = await stored(http, url, database, ids, first, 2)
                bare = await copied(database, ids, first)
                if number:  # the first one warms
                    yield {
                        "points / COPY": bare / fresh,
                        "replaced / COPY": bare / again,
                        "gateway MiB": peak(platform, "data-gateway"),
                        "projection MiB": peak(platform, "statuspage-query"),
                        "points/s": POINTS / fresh,
                        "replaced/s": POINTS / again,
                        "COPY rows/s": POINTS / bare,
                    }


async def made(http, port):
    """The id of a new metric of the first page."""
    answer = await http.post(f"http://127.0.0.1:{port}/rest/v1/custom-metrics", headers=HEADERS, json={"name": "bench"})
    return answer.raise_for_status().json()["id"]


async def stored(http, url, database, ids, first, value):
    """The seconds from the first request until all points have this value."""
    bodies = [body(ids, first + number * EACH, value) for number in range(REQUESTS)]
    started = time.perf_counter()

    async def send():
        while bodies:
            (await http.post(url, headers=HEADERS, content=bodies.pop())).raise_for_status()

    await asyncio.gather(*(send() for _ in range(AT_ONCE)))
    while await database.fetchval(SUM) != POINTS * value:
        await asyncio.sleep(0.02)
    return time.perf_counter() - started


def body(ids, first, value):
    points = [{"timestamp": 60 * (first + place), "value": value} for place in range(EACH)]
    return json.dumps({"data": dict.fromkeys(ids, points)}).encode()


async def copied(database, ids, first):
    """The seconds of COPY alone for the same points, as many at a time as a request has."""
    await database.execute("DROP TABLE IF EXISTS bare; CREATE TABLE bare (" + COLUMNS + ")")
    await database.execute("SET synchronous_commit = off")  # as the projection has it
    metrics = [identified(each) for each in ids]
    begin = 60 * first
    times = [datetime.fromtimestamp(begin + 60 * place, UTC) for place in range(REQUESTS * EACH)]
    parts = [times[place : place + EACH] for place in range(0, len(times), EACH)]
    rows = [[(metric, at, 1.0) for metric in metrics for at in part] for part in parts]
    started = time.perf_counter()
    for part in rows:
        await database.copy_records_to_table("bare", records=part)
    return time.perf_counter() - started


def peak(platform, service):
    """The most memory that a service's process has had, in MiB."""
    status = Path(f"/proc/{platform.supervisor.pids[service]}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


SUM = "SELECT sum((SELECT sum(each) FROM unnest(sums) each)) FROM point_day"
COLUMNS = "metric uuid NOT NULL, at timestamptz NOT NULL, value float8 NOT NULL, PRIMARY KEY (metric, at)"
