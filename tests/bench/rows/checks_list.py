"""The list of 1,000 checks in Healthchecks' dialect, against a bare asyncpg and orjson dump of the same documents."""

import json
from http import HTTPStatus

import asyncpg
import ceilings.bare_list as bare
import httpx
from figures import at_least, at_most
from load import ask, wrk
from platforms import in_processes
from processes import HERE, cpu_seconds, python

from pinghome.state_file import free_port

NEEDS = ("wrk",)
FIGURES = {
    "CPU / bare": at_most(1.6, 1.1),
    "CPU with PostgreSQL / bare": at_most(1.6, 1.1),
    "CPU / 304": at_least(10),
    "rate of 304 / fresh": at_least(10),
}
CHECKS = 1000
ASKED = 100
KEY = "b" * 32
SECONDS = 2
"""Of a load."""


async def measure(rounds):
    port = free_port()
    headers = {"X-Api-Key": KEY}
    async with in_processes(bootstrap_checks_key=KEY) as platform:
        await platform.keep_only("resource-cmd", "resource-query", "data-gateway")
        body = '{"name": "bench {n}", "tags": "prod www", "desc": "every night", "timeout": 3600, "grace": 600}'
        _, made = await ask(
            platform.ports["resource-cmd"], "POST", "/api/v1/checks/", body, headers, seconds=120, most=CHECKS
        )
        await wrk(platform.ports["data-gateway"], [f"/v1/heartbeat/{check['uuid']}" for check in made])
        database = await platform.servers.create_database("bench")
        ours = platform.ports["resource-query"], "/api/v1/checks/", platform.supervisor.pids["resource-query"]
        _, (listed,) = await ask(ours[0], "GET", ours[1], headers=headers, in_flight=1, most=1)
        await fill(database, listed["checks"])
        await platform.keep_only("resource-query")
        async with python(HERE / "ceilings/bare_list.py", str(port), database, port=port) as process:
            theirs = port, "/", process.pid
            _, (dumped,) = await ask(port, "GET", "/", in_flight=1, most=1)
            if len(dumped["checks"]) < CHECKS or dumped != listed:
                raise RuntimeError("the two do not answer the same")
            for number in range(rounds + 1):
                (bare_own, bare_all), (own, whole) = await cost(platform, *theirs), await cost(platform, *ours)
                # By wrk, as a client in Python would take as long for a 304 as we do.
                fresh = await wrk(ours[0], [ours[1]], SECONDS, 8, headers=headers)
                same, unchanged = await not_modified(platform, ours[0], ours[1])
                if number:  # the first one warms
                    yield {
                        "CPU / bare": own / bare_own,
                        "CPU with PostgreSQL / bare": whole / bare_all,
                        "CPU / 304": whole / unchanged,
                        "rate of 304 / fresh": same.rate / fresh.rate,
                        "ms of 304 with PostgreSQL": unchanged,
                        "304/s": same.rate,
                        "fresh/s": fresh.rate,
                        "ms": own,
                        "bare ms": bare_own,
                        "ms with PostgreSQL": whole,
                        "bare ms with PostgreSQL": bare_all,
                    }


async def cost(platform, port, path, pid):
    """CPU milliseconds of an answer: of the process alone, and with those of PostgreSQL."""
    postgres = platform.servers.supervisor.pids["postgres"]
    before = cpu_seconds(pid), cpu_seconds(postgres)
    _, answers = await ask(port, "GET", path, headers={"X-Api-Key": KEY}, in_flight=1, seconds=60, most=ASKED)
    own, server = (
        (cpu_seconds(each) - was) / len(answers) * 1000 for each, was in zip((pid, postgres), before, strict=True)
    )
    return own, own + server


async def not_modified(platform, port, path):
    """The load of answers to who has the list, and CPU milliseconds of one, with PostgreSQL's."""
    headers = {"X-Api-Key": KEY}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        headers["If-None-Match"] = (await client.get(path, headers=headers)).headers["etag"]
        if (await client.get(path, headers=headers)).status_code != HTTPStatus.NOT_MODIFIED:
            raise RuntimeError("who has the list is sent it again")
    pids = [platform.supervisor.pids["resource-query"], platform.servers.supervisor.pids["postgres"]]
    before = sum(map(cpu_seconds, pids))
    load = await wrk(port, [path], SECONDS, 8, headers=headers)
    return load, (sum(map(cpu_seconds, pids)) - before) / (load.rate * SECONDS) * 1000


async def fill(database, checks):
    """Give the ceiling the same documents."""
    connection = await asyncpg.connect(database)
    await connection.execute(bare.TABLE)
    rows = f"SELECT {bare.COLUMNS} FROM jsonb_populate_recordset(NULL::listed, $1)"  # noqa: S608  # our own names
    await connection.execute(f"INSERT INTO listed ({bare.COLUMNS}) {rows}", json.dumps(checks))
    await connection.close()
