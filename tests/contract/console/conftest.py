"""The console on the platform of all contract tests, with one browser, for an organisation whose names are hostile."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from contract.client import Client
from contract.console.viewing import BASE, signed_in
from contract.target import Target, eventually, listening
from running import Platform

expect.set_options(timeout=60_000)  # a busy machine may take its time
EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7 * 7 }}"


@pytest.fixture(scope="session")
async def web(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """The console, over HTTP alone; cookies are given by hand."""
    async with httpx.AsyncClient(base_url=platform.url + BASE, timeout=30, trust_env=False) as connections:
        connections.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        yield connections


@pytest.fixture(scope="session")
async def session(web: httpx.AsyncClient, told: "Told") -> str:
    """Somebody of the hostile organisation who has signed in."""
    return await signed_in(web, told.token)


@dataclass
class Told:
    """An organisation in which everything has a hostile name.

    Attributes:
        at: the page of each of its things, by noun.
        site: what its monitors look at, which is hostile, too.
    """

    client: Client
    token: str
    name: str
    at: dict[str, str]
    site: Target


@pytest.fixture(scope="session")
async def told(platform: Platform, http: httpx.AsyncClient) -> AsyncIterator[Told]:
    """That organisation; one of its monitors is down."""
    keys = await platform.command("organisation", "create", f"Evil {EVIL}"[:100])
    owner = Client(http, keys["token"])
    async with listening(status=503, says=EVIL) as site:
        yield await _told(owner, keys, site)


async def _told(owner: Client, keys: dict[str, Any], site: Target) -> Told:
    service = keys["service_id"]

    async def made(path: str, **body: Any) -> dict[str, Any]:
        answer = await owner("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    own = {"name": EVIL, "service_id": service}
    channel = await made("resource-cmd/v1/channel", **own, kind="webhook", config={"url": site.url + "hook"})
    monitor = await made(
        "resource-cmd/v1/resource", **own, type="http", url=site.url, interval=5, regions=["eu-central-1"],
        tags=["<b>tag</b>"], channels=[channel["id"]],
        conditions=[{"type": "response-header-check", "key": "Connection", "operator": "contains", "values": [EVIL]}],
    )  # fmt: skip
    heartbeat = await made(
        "resource-cmd/v1/heartbeat", **own, interval=86400, schedule="0 3 * * 1-5", timezone="Europe/Berlin",
        grace=600, description=EVIL, tags=["<i>"],
    )  # fmt: skip
    for result in ("run", "complete", "fail"):
        await owner("GET", f"data-gateway/v1/heartbeat/{heartbeat['id']}", params={"result": result, "message": EVIL})
    server = await made("resource-cmd/v1/server-resource", **own, interval=60, description=EVIL)
    await _report(owner, server["agent_token"])
    key = await made("resource-cmd/v1/key", name=EVIL, kind="bearer", scope="read")
    integration = await made(
        f"resource-cmd/v1/resource/{monitor['id']}/integration", name=EVIL, type="statuspageIo",
        integration="r276xxt51c99", message=EVIL,
    )  # fmt: skip
    page = await made(
        "statuspage-cmd/v1/statuspage", name=EVIL, description=EVIL, subdomain=f"evil-{service[-8:]}", type="public",
        components=[{"name": EVIL, "type": "manual"}],
    )  # fmt: skip
    component = page["statuspage"]["components"][0]["id"]
    root = f"statuspage-cmd/v1/statuspage/{page['id']}"
    affected = [{"id": component, "status": "degraded"}]
    incident = await made(f"{root}/incident", title=EVIL, message=f"<b>fine</b>{EVIL}", components=affected)
    update = await made(f"{root}/incident/{incident['id']}/update", status="identified", message=f"<i>x</i>{EVIL}")
    await owner("PUT", f"{root}/incident/{incident['id']}/postmortem", json={"message": EVIL})
    await made(f"{root}/subscriptions", addresses=["ada@example.com"])
    template = await made(f"{root}/template", name=EVIL, title=EVIL, message=EVIL)
    work = {"title": EVIL, "message": EVIL, "components": [component], "scheduled_for": "2030-01-01T00:00:00Z"}
    maintenance = await made(f"{root}/maintenance", **work, duration=5)
    path = f"resource-query/v1/resource/{monitor['id']}"
    await eventually(lambda: owner.get(path), lambda it: it["state"] == "down")
    notes = f"statistic-query/v1/resource/{monitor['id']}/notifications"
    await eventually(lambda: owner.get(notes), lambda it: any(each["attempts"] for each in it["data"]))
    at = {
        "monitor": f"/monitors/{monitor['id']}",
        "heartbeat": f"/heartbeats/{heartbeat['id']}",
        "server": f"/servers/{server['id']}",
        "channel": f"/alerts/{channel['id']}",
        "page": f"/statuspages/{page['id']}",
        "incident": f"/incidents/{page['id']}/incident/{incident['id']}",
        "maintenance": f"/incidents/{page['id']}/maintenance/{maintenance['id']}",
        "update": f"/incidents/{page['id']}/incident/{incident['id']}/update/{update['id']}",
        "template": f"/incidents/{page['id']}/template/{template['id']}",
        "integration": f"/monitors/{monitor['id']}/outside/{integration['id']}",
        "key": f"/keys/{key['id']}",
        "service": f"/services/{service}",
        "new incident": f"/incidents/new?of={page['id']}",
        "new maintenance": f"/incidents/new?of={page['id']}&kind=maintenance",
    }
    return Told(owner, keys["token"], EVIL, at, site)


async def _report(owner: Client, token: str) -> None:
    """What an agent says of a server that is hostile, too."""
    at = datetime.now(UTC).isoformat()
    sample = {
        "at": at,
        "interval": 10,
        "values": {"memory-usage": {"total": 8, "used": 4, "available": 4, "cached": 0, "percent": 50}},
    }
    agent = {"version": "1", "hostname": EVIL[:60], "os": EVIL[:60], "boot_time": at}
    body = {"sent_at": at, "agent": agent, "samples": [sample]}
    sent = await owner.http.post(
        "/data-gateway/v1/server-resource/metrics", json=body, headers={"Authorization": f"Bearer {token}"}
    )
    assert sent.status_code == 200, sent.text
