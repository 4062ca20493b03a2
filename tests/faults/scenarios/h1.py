"""H1: hostile sites and hostile tenants beside honest ones; bad data costs only its own item."""

import asyncio
import re
import time
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from alert_sink import Sink, make_alerted, report, sink
from commands import Client, make_all, unmake_all
from hostile_sites import SITES, hostile_sites
from run import Run
from scenarios.m0 import INTERVAL, Outage, Trial
from under_test import REGION, Platform
from verdict import Verdict
from wire import LostError, NotSentError, Wire

from pinghome_common.db import Database
from resource_cmd.accounts.organisation import Tokens, create

OUTAGE = Outage(grace=0, away=3.0 * INTERVAL, alerted=True)
WILD = "\u202e\U0001f469\u200d\U0001f467<script>'\"%s\\{}\x7f\u2028" * 40
KNOWN = 30.0
"""Seconds until every service knows a new key."""


async def play(run: Run, verdict: Verdict) -> None:
    """50 sites, 5 tenants, 200 honest monitors for 5 minutes in the long form; 24, 2, 40 for 40 s in the short one."""
    platform = run.platform
    sites, tenants, honest, seconds = (50, 5, 100, 300.0) if run.long else (len(SITES), 2, 20, 40.0)
    trials = [Trial(OUTAGE) for _ in range(honest)]
    async with hostile_sites() as port, sink(platform) as told:
        await asyncio.gather(*(trial.listen() for trial in trials))
        jobs = await make_alerted(platform, told, f"h1-{run.seed}", honest)
        await _watch(platform, told, trials)
        hostile = await make_all(platform, "/v1/resource", (_hostile(port, number) for number in range(sites)))
        since = time.time()
        accepted: Counter[str] = Counter()
        pause = 0.2 if run.long else 5.0
        attack = [asyncio.create_task(_tenant(platform, number, accepted, pause)) for number in range(tenants)]
        readiness = asyncio.create_task(_readiness(platform))
        run.say(f"{sites} hostile sites, {tenants} hostile tenants, {2 * honest} honest monitors")
        try:
            await _up(platform, trials)
            gone = trials[: honest // 2]
            rng, spread = run.rng("outages"), seconds - 30
            await asyncio.gather(
                *(trial.away(rng.uniform(0, max(spread, 5))) for trial in gone),
                _fail_and_recover(platform, jobs, seconds),
            )
            left = await told.until([trial.resource for trial in gone], ("down", "up"), run.seconds(60))
            left |= await told.until(jobs, ("down", "up"), run.seconds(60))
            quiet = await _ended(attack, readiness)
            verdict.none("honest outages and recoveries not told", left)
            verdict.none(
                "wrong states of honest monitors", await _wrong(platform, trials, {it.resource for it in gone})
            )
            verdict.none("results of honest monitors lost", await _lost(platform, trials, since))
            verdict.none("honest monitors told of without reason", _needless(told, trials[honest // 2 :]))
        finally:
            await _ended(attack, readiness)
            for trial in trials:
                trial.close()
        verdict.none("times that a service was not ready", quiet)
        verdict.none("workers that failed", await _restarts(platform))
        verdict.at_least("checks that hostile tenants made", accepted["checks"], tenants)
        verdict.at_least("pings of theirs that were accepted", accepted["pings"], tenants)
        verdict.told("dead letters", await _letters(platform))
    await unmake_all(platform, "/v1/resource", hostile + [trial.resource for trial in trials])


async def _watch(platform: Platform, told: Sink, trials: list[Trial]) -> None:
    client, service = Client(platform), str(uuid4())
    config = {"url": f"http://127.0.0.1:{told.port}/honest"}
    for trial in trials:  # a channel of its own each, so that none of it waits for another's
        channel = {"service_id": service, "name": f"h1 {trial.port}", "kind": "webhook", "config": config}
        to = (await client.until_done("POST", "/v1/channel", channel))["id"]
        told.channels.append(to)
        body = {
            "service_id": service, "name": f"H1 {trial.port}", "type": "http", "regions": [REGION],
            "url": f"http://127.0.0.1:{trial.port}/", "interval": INTERVAL, "channels": [to],
        }  # fmt: skip
        trial.resource = UUID((await client.until_done("POST", "/v1/resource", body))["id"])
    client.close()


def _hostile(port: int, number: int) -> dict[str, Any]:
    return {
        "name": f"hostile {number} {WILD}"[:255], "type": "http", "regions": [REGION], "interval": INTERVAL,
        "url": f"http://127.0.0.1:{port}/{number}", "conditions": SITES[number % len(SITES)][1],
        "headers": {"X-Secret": "secret of a tenant"},
    }  # fmt: skip


async def _tenant(platform: Platform, number: int, accepted: Counter[str], pause: float) -> None:
    """The largest legal texts, the oddest numbers and times, and pings that say wild things, until cancelled."""
    tokens = Tokens.generated()
    async with Database(platform.settings.database("resource_cmd"), size=1) as db, db.transaction() as tx:
        await create(tx, f"hostile {number}", tokens)
    client = Client(platform)
    client._headers |= {"X-Api-Key": tokens.checks, "Authorization": f"Bearer {tokens.bearer}"}
    gateway = Wire(platform.ports["data-gateway"])
    checks = [
        {"name": WILD[:100], "desc": "x" * 100_000, "tags": WILD[:500]},
        {"name": "emoji", "desc": "\U0001f469" * 50_000, "schedule": "* * * * *", "tz": "Asia/Kathmandu", "grace": 60},
        {"name": "nul \x00 \ud800", "desc": "\x00" * 1000},
        {"name": "calendar", "schedule": "*-*-* *:*:00/7", "tz": "Antarctica/Troll", "grace": 31536000},
        {"name": "long", "timeout": 31536000, "grace": 31536000, "methods": "POST", "subject": WILD[:200]},
    ]
    while True:
        for body in checks:
            with suppress(NotSentError, LostError):
                made = await client.ask("POST", "/api/v1/checks/", body)
                if made.status != 201:
                    continue
                path = "/ping/" + made.document["ping_url"].rpartition("/")[2]
                for way in ("/start", f"/start?rid={uuid4()}", "", "/fail", "/log", "/255", f"?rid={uuid4()}"):
                    said = WILD.encode() + b"\x00\xff" * 999
                    answer = await gateway.ask("POST", path + way, {"User-Agent": "\xff" * 300}, said)
                    accepted["pings"] += answer.status == 200
                accepted["checks"] += 1
                await client.ask("POST", f"/api/v1/checks/{path[6:]}/pause", {})
                await client.ask("DELETE", f"/api/v1/checks/{path[6:]}")
        with suppress(NotSentError, LostError):
            body = {"service_id": str(uuid4()), "name": f"{uuid4()} {WILD}"[:255], "interval": 31_536_000}
            made = await client.ask("POST", "/v1/heartbeat", body)
            if made.status == 201:
                await gateway.ask("GET", f"/v1/heartbeat/{made.document['id']}?result=fail&message={quote(WILD[:900])}")
        await asyncio.sleep(pause)


async def _ended(attack: list[asyncio.Task[None]], readiness: asyncio.Task[list[str]]) -> list[str]:
    """Ends the attack; the times at which a service was not ready."""
    for task in (*attack, readiness):
        task.cancel()
    await asyncio.gather(*attack, return_exceptions=True)
    red = (await asyncio.gather(readiness, return_exceptions=True))[0]
    return red if isinstance(red, list) else [repr(red)]


async def _up(platform: Platform, trials: list[Trial]) -> None:
    ids = [trial.resource for trial in trials]
    async with asyncio.timeout(60), platform.sql("resource_cmd") as db:
        while await db.fetchval("SELECT count(*) FROM resource WHERE id = ANY($1) AND status <> 'up'", ids):
            await asyncio.sleep(0.2)


async def _fail_and_recover(platform: Platform, jobs: dict[UUID, str], seconds: float) -> None:
    await report(platform, jobs, "fail", seconds / 2)
    await report(platform, jobs, "complete", seconds / 2)


async def _wrong(platform: Platform, trials: list[Trial], gone: set[UUID]) -> list[str]:
    """Those whose changes of state are not exactly those of their targets."""
    wrong = []
    async with platform.sql("resource_cmd") as db:
        for trial in trials:
            rows = await db.fetch(
                "SELECT convert_from(body, 'utf8')::jsonb->'data'->'change'->>'status' AS status FROM events"
                " WHERE aggregate = $1 ORDER BY version",
                trial.resource,
            )
            seen = [row["status"] for row in rows]
            expected = ["pending", "up", *(("down", "up") if trial.resource in gone else ())]
            if [status for n, status in enumerate(seen) if not n or seen[n - 1] != status] != expected:
                wrong.append(f"{trial.port}: {seen}")
    return wrong


async def _lost(platform: Platform, trials: list[Trial], since: float) -> list[str]:
    """Slots between the first and the last one of each monitor for which there is no result."""
    lost = []
    async with platform.sql("statistic_query") as db:
        for trial in trials:
            slots = await db.fetch(
                "SELECT slot FROM result JOIN series s ON s.id = series WHERE s.resource = $1"
                " AND slot > to_timestamp($2) ORDER BY slot",
                trial.resource, since,
            )  # fmt: skip
            times = [row["slot"].timestamp() for row in slots]
            lost += [f"{trial.port} after {a}" for a, b in pairwise(times) if b - a > INTERVAL]
            if not times or times[-1] < time.time() - 3 * INTERVAL:
                lost.append(f"{trial.port}: the last ones")
    return lost


def _needless(told: Sink, well: list[Trial]) -> list[UUID]:
    heard = {about for about, _ in told.said()}
    return [trial.resource for trial in well if trial.resource in heard]


async def _readiness(platform: Platform) -> list[str]:
    """When a service said that it is not ready, until cancelled."""
    red = []
    try:
        while True:
            for name, port in platform.ports.items():
                wire = Wire(port)
                with suppress(NotSentError, LostError):
                    answer = await wire.ask("GET", "/readyz")
                    if answer.status != 200:
                        red.append(f"{name}: {answer.body.decode()[:200]}")
                wire.close()
            await asyncio.sleep(1)
    except asyncio.CancelledError:
        return red


async def _restarts(platform: Platform) -> list[str]:
    found = []
    for port in platform.ports.values():
        wire = Wire(port)
        text = (await wire.ask("GET", "/metrics")).body.decode()
        found += re.findall(r'^pinghome_worker_restarts_total\{worker="([^"]+)"\} [1-9]', text, re.MULTILINE)
        wire.close()
    return found


async def _letters(platform: Platform) -> dict[str, int]:
    counts = {}
    for name in ("resource_cmd", "resource_query", "statistic_query"):
        async with platform.sql(name) as db:
            counts[name] = await db.fetchval("SELECT count(*) FROM dead_letter")
    return counts
