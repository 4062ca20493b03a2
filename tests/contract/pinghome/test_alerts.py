"""From a site that goes down to whoever is told, end to end; the stories run all at once."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from contract.answers import refused
from contract.client import Client
from contract.pinghome.job import job
from contract.pinghome.watched import watched
from contract.target import Target, eventually, listening
from mail_sink import MailSink
from statuspage import Statuspage


async def webhook(client: Client, receiver: Target) -> tuple[str, str]:
    """Id and secret of a channel that calls it."""
    made = await client.channel(config={"url": receiver.url})
    return made["id"], made["config"]["secret"]


def bodies(receiver: Target, secret: str) -> list[dict[str, Any]]:
    """What arrived; each with a right signature."""
    for asked in receiver.asked:
        stamp, _, signature = asked.headers["x-pinghome-signature"].removeprefix("t=").partition(",v1=")
        expected = hmac.new(secret.encode(), f"{stamp}.{asked.body}".encode(), hashlib.sha256).hexdigest()
        assert hmac.compare_digest(signature, expected)
    return [json.loads(asked.body) for asked in receiver.asked]


async def arrived(receiver: Target, count: int) -> None:
    async def seen() -> int:
        return len(receiver.asked)

    await eventually(seen, lambda seen: seen >= count)


async def notifications(client: Client, kind: str, id_: str) -> list[dict[str, Any]]:
    return (await client.get(f"statistic-query/v1/{kind}/{id_}/notifications"))["data"]


async def a_site_that_goes_down_and_comes_back_is_told_by_webhook_and_mail(client: Client, mails: MailSink, _: Any):
    async with listening() as target, listening() as receiver:
        hook, secret = await webhook(client, receiver)
        to = f"{uuid4()}@example.com"
        mail = (await client.channel(kind="email", config={"to": [to]}))["id"]
        it = await watched(client, target, channels=[hook, mail], name="Shop")
        await it.until("up")
        await target.stop()
        await it.until("down")
        await arrived(receiver, 1)
        await target.start()
        await it.until("up")
        await arrived(receiver, 2)

        down, up = bodies(receiver, secret)
        assert [(each["what"], each["title"]) for each in (down, up)] == [
            ("down", "Shop is down"), ("up", "Shop is up again"),
        ]  # fmt: skip
        assert "refused" in down["text"]
        assert target.url in down["text"]
        assert down["notifications"][0]["about"] == it.id

        async def mailed() -> list[str]:
            return [each["Subject"] for each in mails.mails if each["To"] == to]

        assert await eventually(mailed, lambda seen: len(seen) == 2) == ["Shop is down", "Shop is up again"]
        rows = await eventually(
            lambda: notifications(client, "resource", it.id),
            lambda rows: [row["state"] for row in rows] == ["sent"] * 4,
        )
        assert [row["what"] for row in rows] == ["up", "up", "down", "down"]  # newest first
        assert {row["channel"]["kind"] for row in rows[:2]} == {"webhook", "email"}
        assert {row["channel"]["id"] for row in rows} == {hook, mail}
        assert all([attempt["delivered"] for attempt in row["attempts"]][-1] for row in rows)
        assert {down["id"], up["id"]} <= {row["id"] for row in rows}
        url = f"statistic-query/v1/resource/{it.id}/notifications"
        assert (await client.get(url, limit=1))["data"] == rows[:1]
        await it.delete()
        refused(await client("GET", url), 404)


async def a_job_that_fails_is_told_to_the_channels_of_its_service(client: Client, _: Any, __: Any):
    async with listening(status=503) as receiver:
        hook, secret = await webhook(client, receiver)
        service = await client.service(channels=[hook])
        it = await job(client, service_id=service["id"], name="Backup")
        await it.ping("complete", "fail")
        await arrived(receiver, 2)  # the first was refused
        receiver.status = 200
        await it.ping("complete")

        async def told() -> list[str]:
            return [each["what"] for body in bodies(receiver, secret) for each in body["notifications"]]

        seen = await eventually(told, lambda seen: seen[-1] == "up")
        assert set(seen[:-1]) == {"down"}
        rows = await eventually(
            lambda: notifications(client, "heartbeat", it.id),
            lambda rows: [row["state"] for row in rows] == ["sent"] * 2,
        )
        assert [row["what"] for row in rows] == ["up", "down"]
        errors = [attempt["error"] for attempt in rows[1]["attempts"]]
        assert set(errors[:-1]) == {"127.0.0.1 answered 503 Service Unavailable"}
        assert errors[-1] == ""
        assert len({asked.headers["idempotency-key"] for asked in receiver.asked}) == 2


async def an_incident_opens_on_the_status_page_and_is_resolved(client: Client, _: Any, page: Statuspage):
    async with listening() as target:
        it = await watched(client, target)
        integration = {
            "name": "Incident name", "status": "Incident status", "integration": page.page, "type": "statuspageIo",
            "items": ["ggs24084vt79"], "token": page.token,
        }  # fmt: skip
        answer = await client("POST", f"resource-cmd/v1/resource/{it.id}/integration", json=integration)
        assert answer.status_code == 201, answer.text
        await it.until("up")
        await target.stop()

        async def opened() -> list[Any]:
            return page.unresolved

        (incident,) = await eventually(opened, bool, 300)
        assert (incident["name"], incident["status"]) == ("Incident name", "investigating")
        assert page.components == {"ggs24084vt79": "major_outage"}
        await target.start()
        await eventually(opened, lambda seen: not seen, 300)
        assert page.components == {"ggs24084vt79": "operational"}
        assert len(page.incidents) == 1
        rows = await notifications(client, "resource", it.id)
        assert {row["channel"]["kind"] for row in rows} == {"statuspageIo"}


async def a_child_is_silent_while_its_parent_is_down(client: Client, _: Any, __: Any):
    async with listening() as router, listening() as shop, listening() as receiver:
        hook, secret = await webhook(client, receiver)
        parent = await watched(client, router, channels=[hook], name="Router")
        child = await watched(client, shop, channels=[hook], name="Shop", parent_id=parent.id)
        await asyncio.gather(parent.until("up"), child.until("up"))
        await asyncio.gather(router.stop(), shop.stop())
        await asyncio.gather(parent.until("down"), child.until("down"))
        await arrived(receiver, 1)
        await asyncio.gather(router.start(), shop.start())
        await asyncio.gather(parent.until("up"), child.until("up"))
        await arrived(receiver, 2)
        rows = await eventually(
            lambda: notifications(client, "resource", child.id),
            lambda rows: [row["state"] for row in rows] == ["suppressed"] * 2,
        )
        assert all("Router" in row["reason"] for row in rows)
        assert [body["title"] for body in bodies(receiver, secret)] == ["Router is down", "Router is up again"]


async def a_monitor_without_channels_tells_nobody(client: Client, _: Any, __: Any):
    async with listening() as receiver:
        hook, _secret = await webhook(client, receiver)
        service = await client.service(channels=[hook])
        it = await job(client, service_id=service["id"], channels=[])
        await it.ping("complete", "fail", "complete")
        await asyncio.sleep(3)
        assert await notifications(client, "heartbeat", it.id) == []
        assert receiver.asked == []


STORIES = [
    a_site_that_goes_down_and_comes_back_is_told_by_webhook_and_mail,
    a_job_that_fails_is_told_to_the_channels_of_its_service,
    an_incident_opens_on_the_status_page_and_is_resolved,
    a_child_is_silent_while_its_parent_is_down,
    a_monitor_without_channels_tells_nobody,
]


@pytest.fixture(scope="module")
async def running(client: Client, mails: MailSink, page: Statuspage) -> AsyncIterator[dict[str, asyncio.Task[None]]]:
    """Every story, begun at once."""
    tasks = {story.__name__: asyncio.create_task(story(client, mails, page)) for story in STORIES}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.timeout(900)  # each may wait for busy machines
@pytest.mark.parametrize("story", [story.__name__ for story in STORIES])
async def test_story(running: dict[str, asyncio.Task[None]], story: str):
    await running[story]
