"""Servers end to end: an agent's samples by the public API, what is shown, and who is told; the stories run at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import uuid4

import pytest

from contract.answers import refused
from contract.client import Client
from contract.pinghome.test_alerts import arrived, bodies, webhook
from contract.target import eventually, listening
from mail_sink import MailSink

CPU = {"type": "cpu-total-usage", "field": "total", "operator": "greater-than", "value": 90, "minutes": 0}
BOOTED = datetime(2026, 11, 1, tzinfo=UTC)


class Host:
    """A server and its agent, which sends each second: with the grace time of these tests it is down after 7 s."""

    def __init__(self, client: Client, id_: str, token: str) -> None:
        self.client, self.id, self.token = client, id_, token

    @classmethod
    async def made(cls, client: Client, **settings: Any) -> Self:
        body = {"name": f"host {uuid4()}", "service_id": client.service_id, **settings}
        answer = await client("POST", "resource-cmd/v1/server-resource", json=body)
        assert answer.status_code == 201, answer.text
        return cls(client, answer.json()["id"], answer.json()["agent_token"])

    async def sends(self, cpu: float = 7.5, late: float = 0.0, booted: datetime = BOOTED, **by: Any) -> None:
        at = datetime.now(UTC)
        values = {"total": cpu, "user": cpu, "system": 0.0, "iowait": 0.0, "steal": 0.0}
        sample = {
            "at": f"{at - timedelta(seconds=late):%Y-%m-%dT%H:%M:%S.%fZ}",
            "interval": 1,
            "values": {"cpu-total-usage": values, "processes-unified": {"states": {"running": 3}}},
            "by": by,
        }
        agent = {"version": "9", "hostname": "web-1", "os": "Debian 12", "boot_time": booted.isoformat()}
        body = {"sent_at": at.isoformat(), "agent": agent, "samples": [sample]}
        answer = await Client(self.client.http, self.token)(
            "POST", "data-gateway/v1/server-resource/metrics", json=body
        )
        assert answer.status_code == 200, answer.text

    async def read(self) -> dict[str, Any]:
        return await self.client.get(f"resource-query/v1/server-resource/{self.id}")

    async def until(self, state: str) -> dict[str, Any]:
        return await eventually(self.read, lambda it: it["state"] == state)

    async def change(self, **settings: Any) -> None:
        answer = await self.client("PUT", f"resource-cmd/v1/server-resource/{self.id}", json=settings)
        assert answer.status_code == 200, answer.text


async def a_server_comes_up_shows_its_figures_and_is_told_when_it_stops(client: Client, mails: MailSink):
    async with listening() as receiver:
        hook, secret = await webhook(client, receiver)
        to = f"{uuid4()}@example.com"
        mail = (await client.channel(kind="email", config={"to": [to]}))["id"]
        it = await Host.made(client, name="web-1", service_id=str(uuid4()), channels=[hook, mail])
        new = await it.read()
        assert (new["state"], new["last_seen_at"], new["agent"], new["processes"], new["metrics"]) == (
            "pending", None, None, None, {},
        )  # fmt: skip

        await it.sends()
        up = await it.until("up")
        assert up["last_seen_at"].endswith("Z")
        assert up["agent"] | {"clock_skew_seconds": 0} == {
            "version": "9", "hostname": "web-1", "os": "Debian 12", "boot_time": "2026-11-01T00:00:00Z",
            "clock_skew_seconds": 0,
        }  # fmt: skip
        assert up["metrics"]["cpu-total-usage"]["total"] == 7.5
        assert up["processes"] == {"states": {"running": 3}, "cpu": [], "memory": []}
        assert (await client.get(f"resource-query/v1/service/{up['service_id']}/server-resources"))["data"] == [up]

        async def mailed() -> list[str]:
            return [each["Subject"] for each in mails.mails if each["To"] == to]

        down = await it.until("down")
        assert down["reason"].startswith("nothing was received since ")
        # A channel that has not yet told of the outage would tell of both in one notice.
        await arrived(receiver, 1)
        await eventually(mailed, lambda seen: seen == ["web-1 is down"])
        await it.sends()
        await it.until("up")
        await arrived(receiver, 2)
        assert [each["title"] for each in bodies(receiver, secret)][:2] == ["web-1 is down", "web-1 is up again"]
        await eventually(mailed, lambda seen: seen[:2] == ["web-1 is down", "web-1 is up again"])


async def a_threshold_that_breaks_is_told_by_webhook_and_mail(client: Client, mails: MailSink):
    async with listening() as receiver:
        hook, secret = await webhook(client, receiver)
        to = f"{uuid4()}@example.com"
        mail = (await client.channel(kind="email", config={"to": [to]}))["id"]
        it = await Host.made(client, name="web-2", service_id=str(uuid4()), channels=[hook, mail], thresholds=[CPU])
        await it.sends(late=600, cpu=99)
        await it.until("up")
        await it.sends(cpu=7)
        await it.sends(cpu=97.5)
        shown = await eventually(it.read, lambda each: each["thresholds"][0]["breached_since"])
        assert shown["thresholds"][0] | {"breached_since": None} == CPU | {"value": 90.0, "breached_since": None}
        await arrived(receiver, 1)
        told = bodies(receiver, secret)[0]
        assert (told["what"], told["title"]) == ("threshold-broken", "web-2: cpu-total-usage total is 97.5 %")
        assert ", above 90 % since 20" in told["text"]

        async def mailed() -> list[str]:
            return [each["Subject"] for each in mails.mails if each["To"] == to]

        await eventually(mailed, lambda seen: seen[:1] == ["web-2: cpu-total-usage total is 97.5 %"])


async def a_reboot_is_told_and_is_no_outage(client: Client, _: MailSink):
    async with listening() as receiver:
        hook, secret = await webhook(client, receiver)
        it = await Host.made(client, name="web-3", channels=[hook], reboot_alert=True)
        await it.sends()
        await it.until("up")
        await it.sends(booted=BOOTED + timedelta(days=20))
        shown = await eventually(it.read, lambda each: each["reason"])
        assert shown["reason"].startswith("rebooted at 2026-11-2")
        await arrived(receiver, 1)
        assert bodies(receiver, secret)[0]["title"] == "web-3 was rebooted"


async def a_paused_server_is_told_of_nothing(client: Client, _: MailSink):
    async with listening() as receiver:
        hook, _ = await webhook(client, receiver)
        it = await Host.made(client, channels=[hook], thresholds=[CPU])
        await it.sends()
        await it.until("up")
        await it.change(enabled=False)
        await it.sends(cpu=99)
        await asyncio.sleep(10)
        shown = await it.read()
        assert (shown["state"], shown["metrics"]["cpu-total-usage"]["total"]) == ("paused", 99)
        await it.change(enabled=True)
        assert (await it.read())["state"] == "pending"
        await it.sends()
        await it.until("up")
        assert receiver.asked == []


async def a_service_can_be_scraped(client: Client, _: MailSink):
    service = str(uuid4())
    it = await Host.made(client, name='a "server"', service_id=service)
    monitor = await client.resource(service_id=service)
    await client("PUT", f"resource-cmd/v1/resource/{monitor['id']}/status", json={"enabled": False})
    beat = await client.heartbeat(service_id=service)
    await it.sends(**{"disk-usage-unified": {"/srv": {"total": 4.0, "used": 1.0, "free": 3.0, "percent": 25.0}}})
    await it.until("up")
    answer = await client("GET", f"resource-query/v1/service/{service}/metrics.prom")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    of = f'{{id="{it.id}",name="a \\"server\\"",type="server"}}'
    lines = answer.text.splitlines()
    assert f"pinghome_server_up{of} 1.0" in lines
    assert f"pinghome_server_cpu_usage_ratio{of} 0.075" in lines
    disk = f'{{id="{it.id}",mount="/srv",name="a \\"server\\"",type="server"}}'
    assert f"pinghome_server_filesystem_used_ratio{disk} 0.25" in lines
    assert f'id="{monitor["id"]}",name="{monitor["name"]}",state="paused",type="http"}} 1.0' in answer.text
    assert f'id="{beat["id"]}",name="{beat["name"]}",state="pending",type="heartbeat"}} 1.0' in answer.text


STORIES = [
    a_server_comes_up_shows_its_figures_and_is_told_when_it_stops,
    a_threshold_that_breaks_is_told_by_webhook_and_mail,
    a_reboot_is_told_and_is_no_outage,
    a_paused_server_is_told_of_nothing,
    a_service_can_be_scraped,
]


@pytest.fixture(scope="module")
async def running(client: Client, mails: MailSink) -> AsyncIterator[dict[str, asyncio.Task[None]]]:
    """Every story, begun at once."""
    tasks = {story.__name__: asyncio.create_task(story(client, mails)) for story in STORIES}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("story", [story.__name__ for story in STORIES])
async def test_story(running: dict[str, asyncio.Task[None]], story: str):
    await running[story]


async def test_another_organisation_sees_nothing_of_a_service(client: Client, foreign: Client):
    service = str(uuid4())
    it = await Host.made(client, service_id=service)
    url = f"resource-query/v1/service/{service}/metrics.prom"
    assert refused(await foreign("GET", url), 404) == "Service not found"
    refused(await foreign("GET", f"resource-query/v1/server-resource/{it.id}"), 404)
    refused(await Client(client.http, None)("GET", url), 401)
    assert refused(await client("GET", f"resource-query/v1/service/{uuid4()}/metrics.prom"), 404) == "Service not found"
