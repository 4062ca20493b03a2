"""What the console's pictures show: a shop that is watched, with a quarter of a year behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from math import sin
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from playwright.async_api import Page

from contract.target import Target, listening
from running import TOKEN, Platform
from statistic_query import rollup

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONITORS = (
    ("Shop", "https://shop.northwind.example/", "shop", 84, (61, 23)),
    ("Checkout", "https://shop.northwind.example/checkout", "shop", 131, (74, 40, 12)),
    ("Search API", "https://api.northwind.example/search", "shop", 212, (38, 9)),
    ("Payments API", "https://pay.northwind.example/health", "shop", 96, (52,)),
    ("Images", "https://img.northwind.example/probe.png", "shop", 38, ()),
    ("Customer login", "https://id.northwind.example/", "shop", 118, (66, 30)),
    ("Wiki", "https://wiki.northwind.example/", "tools", 163, (47,)),
    ("Git", "https://git.northwind.example/", "tools", 74, (81, 19)),
    ("Mail gateway", "https://mail.northwind.example/", "tools", 52, (33,)),
    ("Metrics", "https://metrics.northwind.example/", "tools", 61, ()),
)
"""Name, address, service, usual response time (ms), and how many days ago it was down for a while."""
TAGS = {"shop": ["production", "customers"], "tools": ["internal"]}
HEARTBEATS = (
    ("Nightly backup", {"schedule": "30 2 * * *", "timezone": "Europe/Berlin", "grace": 3600}, "complete"),
    ("Invoices", {"schedule": "0 6 * * 1-5", "timezone": "Europe/Berlin", "grace": 1800}, "complete"),
    ("Search index", {"grace": 300}, "tick"),
    ("Price import", {"grace": 600}, "fail"),
)
SERVERS = (("web-1", 0.42), ("web-2", 0.38), ("db-1", 0.55), ("backup-1", 0.12))
SCENES = {
    "overview": "/",
    "monitors": "/monitors",
    "monitor": "Checkout",
    "down": "Payments API",
    "new": "/monitors/new",
    "many": "/monitors?q=shop",
    "heartbeats": "/heartbeats",
    "heartbeat": "Nightly backup",
    "servers": "/servers",
    "server": "db-1",
    "alerts": "/alerts",
    "channel": "On call",
    "sent": "/alerts/sent",
    "incidents": "/incidents",
    "incident": "Card payments are declined",
    "announcing": "New incident",
    "statuspages": "/statuspages",
    "statuspage": "Northwind",
    "subscribers": "Subscribers",
    "services": "/services",
    "regions": "/regions",
    "keys": "/keys",
    "key": "/keys",
    "audit": "/audit",
    "health": "/health",
    "search": "/search?q=shop",
    "start": "/start",
    "missing": "/nothing",
    "sign-in": "/sign-in",
}
"""The pages that are shown: paths, or names of what is there."""
SHOWN = (
    "overview", "monitors", "monitor", "new", "heartbeat", "servers", "server", "alerts", "incident", "statuspage",
)  # fmt: skip
"""Those of docs/pictures."""


@asynccontextmanager
async def watched(platform: Platform) -> AsyncIterator[dict[str, str]]:
    """The platform with all of that, and the paths of the scenes."""
    token = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        listening(pause=0.09) as site,
        listening(status=204) as hook,
        listening(status=503) as broken,
        httpx.AsyncClient(base_url=platform.url, headers=token, timeout=30, trust_env=False) as http,
    ):
        yield await _fill(platform, http, site, hook, broken)


async def _fill(  # as long as what there is
    platform: Platform, http: httpx.AsyncClient, site: Target, hook: Target, broken: Target
) -> dict[str, str]:
    paths = {name: path for name, path in SCENES.items() if path.startswith("/")}

    async def made(path: str, **body: Any) -> dict[str, Any]:
        answer = await http.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    first = (await http.get("/resource-query/v1/services")).json()["data"][0]["id"]
    await http.put(f"/resource-cmd/v1/service/{first}", json={"name": "Northwind shop"})
    services = {"shop": first, "tools": (await made("/resource-cmd/v1/service", name="Internal tools"))["id"]}
    channel = await made(
        "/resource-cmd/v1/channel", name="On call", kind="webhook", service_id=first, config={"url": hook.url}
    )
    for each in services.values():
        await http.put(f"/resource-cmd/v1/service/{each}", json={"channels": [channel["id"]]})
    addresses = {}
    for name, address, service, _, _ in MONITORS:
        target = broken if name == "Payments API" else site
        body = {"interval": 60 if name in ("Wiki", "Metrics") else 15, "regions": ["eu-central-1"]}
        it = await made(
            "/resource-cmd/v1/resource", name=name, type="http", url=f"{target.url}{name.lower().replace(' ', '-')}",
            service_id=services[service], tags=TAGS[service], **body,
        )  # fmt: skip
        addresses[it["id"]] = address
        paths |= {scene: f"/monitors/{it['id']}" for scene, of in SCENES.items() if of == name}
    beats = []
    for name, how, ends in HEARTBEATS:
        it = await made("/resource-cmd/v1/heartbeat", name=name, interval=86400, service_id=first, tags=["cron"], **how)
        for result in ("run", ends):
            said = "12.4 GB in 214 files" if ends == "complete" else "" if ends == "tick" else "connection reset"
            await http.get(f"/data-gateway/v1/heartbeat/{it['id']}", params={"result": result, "message": said})
        beats.append(it["id"])
        if name in SCENES.values():
            paths["heartbeat"] = f"/heartbeats/{it['id']}"
    for name, busy in SERVERS:
        bound = {"type": "cpu-total-usage", "field": "total", "operator": "greater-than", "value": 90, "minutes": 5}
        it = await made(
            "/resource-cmd/v1/server-resource", name=name, interval=60, service_id=first, thresholds=[bound],
            timezone="Europe/Berlin", tags=["linux"],
        )  # fmt: skip
        await _figures(http, it["agent_token"], name, busy)
        if name in SCENES.values():
            paths["server"] = f"/servers/{it['id']}"
    await _wait(http, len(MONITORS), len(SERVERS))
    now = datetime.now(UTC)
    async with platform.sql("statistic_query") as there:
        await _past(there, now, list(addresses), beats)
    async with platform.sql("resource_query") as there:
        for id_, address in addresses.items():
            await there.execute(
                "UPDATE resource SET state = jsonb_set(state, '{url}', to_jsonb($2::text)) WHERE id = $1",
                UUID(id_), address,
            )  # fmt: skip
        await there.execute(
            "UPDATE resource SET state = jsonb_set(state, '{change,at}', to_jsonb($1::text))"
            " WHERE state->'change'->>'status' = 'up'",
            (now - 9 * DAY).isoformat(),
        )
    pages = (await http.get("/statuspage-query/v1/statuspages")).json()["data"]
    page = next(it["id"] for it in pages if it["subdomain"] == "incident")
    followed = [
        {"name": name, "type": "resource", "resource_id": id_}
        for id_, (name, *_) in zip(addresses, MONITORS, strict=True)
    ]
    own = await made(
        "/statuspage-cmd/v1/statuspage", name="Northwind shop", description="", subdomain="shop", type="public",
        components=followed[:2], groups=[{"name": "API", "components": followed[2:6]}],
    )  # fmt: skip
    told = (await http.get(f"/statuspage-query/v1/statuspage/{page}/incidents")).json()["data"]
    incident = next(it["id"] for it in told if it["title"] == SCENES["incident"])
    await made(f"/statuspage-cmd/v1/statuspage/{page}/subscriptions", addresses=["ada@northwind.example"])
    await asyncio.sleep(20)  # each has been probed again: the hour under way is no gap
    return paths | {
        "channel": f"/alerts/{channel['id']}",
        "statuspage": f"/statuspages/{own['id']}",
        "subscribers": f"/statuspages/{page}/subscribers",
        "incident": f"/incidents/{page}/incident/{incident}",
        "announcing": f"/incidents/new?of={page}",
    }


async def _wait(http: httpx.AsyncClient, monitors: int, servers: int) -> None:
    """Until everything has been heard of once."""
    async with asyncio.timeout(180):
        while True:
            counts = (await http.get("/resource-query/v1/overview")).json()["counts"]
            known = counts["resource"].get("up", 0) + counts["resource"].get("down", 0)
            if known == monitors and counts["server-resource"].get("up", 0) == servers:
                return
            await asyncio.sleep(0.5)


async def _figures(http: httpx.AsyncClient, token: str, name: str, busy: float) -> None:
    """A day of a server, a sample a minute."""
    random, now = Random(name), datetime.now(UTC).replace(microsecond=0)  # a picture
    memory, disk = 32 << 30, 480 << 30
    samples = []
    for minute in range(24 * 60, -1, -2):
        at = now - timedelta(minutes=minute)
        load = busy * (1 + 0.55 * sin((at.hour * 60 + at.minute - 400) / 229)) + random.uniform(-0.05, 0.09)
        cpu = min(max(100 * load, 2), 97)
        used = memory * (0.35 + 0.3 * busy + 0.04 * sin(minute / 160))
        full = disk * (0.4 + busy / 3 + (1440 - minute) / 60_000)
        values = {
            "cpu-total-usage": {"total": cpu, "user": cpu * 0.7, "system": cpu * 0.24, "iowait": cpu * 0.05},
            "memory-usage": {"total": memory, "used": used, "available": memory - used, "cached": memory * 0.2,
                             "percent": 100 * used / memory},
            "swap-usage": {"total": 4 << 30, "used": 1 << 27, "percent": 3.1},
            "disk-usage-unified": {"total": disk, "used": full, "free": disk - full, "percent": 100 * full / disk},
            "disk-io-unified": {"read_bytes": 3e6 * load, "write_bytes": 8e6 * load, "reads": 90 * load,
                                "writes": 210 * load},
            "system-load-unified": {"load1": 8 * load, "load5": 7.4 * load, "load15": 7 * load},
            "network-usage-unified": {"received_bytes": 9e6 * load, "sent_bytes": 3e7 * load, "received_errors": 0,
                                      "sent_errors": 0},
        }  # fmt: skip
        samples.append({"at": at.isoformat(), "interval": 120, "values": values})
    agent = {"version": "0.1.0", "hostname": f"{name}.northwind.example", "os": "Debian 12, Linux 6.1",
             "boot_time": (now - 41 * DAY).isoformat()}  # fmt: skip
    for begin in range(0, len(samples), 120):
        batch = {"sent_at": datetime.now(UTC).isoformat(), "agent": agent, "samples": samples[begin : begin + 120]}
        answer = await http.post(
            "/data-gateway/v1/server-resource/metrics", json=batch, headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 200, answer.text


async def _past(there: asyncpg.Connection, now: datetime, monitors: list[str], beats: list[str]) -> None:
    """Response times, outages and pings of a hundred days, as statistic-query has them."""
    await there.execute("UPDATE monitor SET created_at = created_at - interval '100 days'")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for (name, _, _, usual, outages), id_ in zip(MONITORS, monitors, strict=True):
        random = Random(name)  # a picture
        changes = [(now - 100 * DAY, "up")]
        for place, ago in enumerate(sorted(outages, reverse=True)):
            begun = midnight - ago * DAY + timedelta(hours=4 + 5 * place, minutes=13)
            changes += [(begun, "down"), (begun + timedelta(minutes=17 + 31 * place), "up")]
        rows, before = [], "pending"
        for version, (at, status) in enumerate(changes, start=-len(changes)):
            reason = "answered 502 Bad Gateway" if status == "down" else ""
            code, region = (502, "eu-central-1") if status == "down" else (None, None)
            rows.append((UUID(id_), version, at, status, before, reason, code, region))
            before = status
        await there.executemany("INSERT INTO state_change VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", rows)
        for ago in range(99, -1, -1):
            day = midnight - ago * DAY
            counted = []
            for hour in range(24 if ago else now.hour):
                rush = 1 + 0.35 * sin((hour - 7) / 3.8) + random.uniform(-0.08, 0.14)
                slow = usual * rush * (2.3 if random.random() < 0.012 else 1)
                counted.append((hour, (240, 0, 240, 240 * slow, slow * 0.55, slow * 2.1)))
            await there.execute(
                "INSERT INTO result_day VALUES ($1, $2, $3)"
                " ON CONFLICT (resource, day) DO UPDATE SET hours = excluded.hours",
                UUID(id_), day.date(), rollup.plus(rollup.EMPTY, counted),
            )  # fmt: skip
    for (_, _, ends), id_ in zip(HEARTBEATS, beats, strict=True):
        for ago in range(1, 31):
            failed = ago in (6, 17) or (ends == "fail" and ago == 1)
            counts = (0, 1, 0, 1) if failed else (0, 1, 1, 0)
            at = midnight - ago * DAY + 2 * HOUR
            await there.execute("INSERT INTO ping_hour VALUES ($1, $2, $3, $4, $5, $6)", UUID(id_), at, *counts)


_DECODED = 'Promise.all([...document.images].map((it) => { it.loading = "eager"; return it.decode(); }))'


async def enter(page: Page, url: str) -> None:
    """Signs in."""
    await page.goto(f"{url}/console/sign-in")
    await page.fill("#token", TOKEN)
    await page.click("button.wide")
    await page.wait_for_selector("#menu", state="attached")


async def show(page: Page, url: str, name: str, path: str) -> None:
    """Opens a scene, with a dry run beside the form of a new monitor."""
    await page.goto(f"{url}/console{path}")
    if name == "new":
        await page.fill("#name", "Order API")
        await page.fill("#url", f"{url}/resource-query/healthz")
        await page.select_option("[name='conditions.type']", "response-status-check")
        await page.fill("[name='conditions.values']", "200")
        await page.click("button[value=try]")
        await page.wait_for_selector("#trial article")
        await page.fill("#url", "https://api.northwind.example/orders")
        await page.evaluate("scrollTo(0, 0)")
    elif name == "many":
        await page.evaluate("for (const it of document.querySelectorAll('[name=id]')) it.click()")
        await page.click("button[value=delete]")
        await page.wait_for_selector("#typed")
    elif name == "key":
        await page.fill("#name", "Terraform")
        await page.click("main form .buttons button")
        await page.wait_for_selector("[data-copy]")
    elif name == "sign-in":
        await page.context.clear_cookies()
        await page.reload()
    await page.evaluate("document.activeElement.blur()")
    await page.evaluate(_DECODED)
