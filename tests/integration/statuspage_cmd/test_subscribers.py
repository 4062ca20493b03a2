"""Subscribers on a real database, told by real receivers: webhooks and Slack over TLS, mail."""

import asyncio
import ipaddress
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from authorities import Authority, pem
from conftest import connected
from contract.target import eventually, listening
from integration.statuspage_cmd.conftest import ACTOR
from mail_sink import MailSink, mail_sink
from pinghome.nats import Nats
from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.errors import Invalid
from pinghome_common.events import page_domains
from pinghome_common.events.incident import Incident, IncidentStatus, IncidentUpdate
from pinghome_common.events.notification import Notification
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.events.subscription import ChannelType, Subscription
from pinghome_common.guard import Guard
from pinghome_common.settings import Settings
from pinghome_common.store import no_wait
from pinghome_common.stream import Broker
from pinghome_delivery.dispatcher import Dispatcher
from pinghome_delivery.mail import Mail
from pinghome_delivery.message import Transports
from pinghome_delivery.rate_limiter import RateLimiter
from pinghome_delivery.web import Web
from statuspage_cmd.incidents.store import Incidents
from statuspage_cmd.pages.address import Addresses
from statuspage_cmd.pages.store import Pages
from statuspage_cmd.subscriptions import announce
from statuspage_cmd.subscriptions.asking import Wish, request
from statuspage_cmd.subscriptions.audience import Subscribers, verify
from statuspage_cmd.subscriptions.keys import keys
from statuspage_cmd.subscriptions.store import Subscriptions
from statuspage_cmd.subscriptions.token import token
from statuspage_cmd.subscriptions.which import Said

ROOT = Authority("subscribers")
LOOPBACK = Guard([ipaddress.ip_network("127.0.0.0/8")])
SETTINGS = Settings(secret_key="a secret key of the tests", url="https://pinghome.test", _env_file=None)
KEYS = keys(SETTINGS)


class World:
    """One page that takes subscriptions."""

    def __init__(self, db: Database, page: StatusPage, web: Web, broker: Broker) -> None:
        self.db, self.page, self.web, self.broker = db, page, web, broker

    async def wishes(self, channel_type: ChannelType, value: str) -> UUID:
        """Somebody asks for a subscription."""
        wish = Wish(channel_type=channel_type, value=value, said=Said(page=self.page.id), mask="********")
        async with self.db.transaction() as tx:
            store = Subscriptions(tx, ACTOR, no_wait, now())
            return (await request(tx, store, wish, SETTINGS, KEYS, LOOPBACK)).id

    async def verifies(self, id_: UUID) -> None:
        async with self.db.transaction() as tx:
            await verify(Subscriptions(tx, ACTOR, no_wait, now()), id_, 100)

    async def brings(self, *addresses: str) -> None:
        """An import."""
        stamp = now()
        template = Subscription(
            id=self.page.id, organisation=self.page.organisation, pages=[self.page.id], channel_value="", target=b"",
            channel_type=ChannelType.email, requested_at=stamp, verified_at=stamp, created_at=stamp, updated_at=stamp,
        )  # fmt: skip
        async with self.db.transaction() as tx:
            await Subscriptions(tx, ACTOR, no_wait, stamp).bring(template, addresses)

    async def opens(self, title: str = "Payments fail", **settings: Any) -> Incident:
        stamp = now()
        it = Incident(
            id=uuid4(), organisation=self.page.organisation, page=self.page.id, title=title, message="We look.",
            notify=True, occurred_at=stamp, created_at=stamp, updated_at=stamp, **settings,
        )  # fmt: skip
        async with self.db.transaction() as tx:
            await Incidents(tx, ACTOR, no_wait, stamp).add(it)
            await announce.incident(tx, self.page, it, None, "published")
        return it

    async def updates(self, it: Incident, message: str, at: datetime | None = None) -> None:
        stamp = at or now()
        update = IncidentUpdate(
            id=uuid4(), organisation=it.organisation, page=it.page, incident=it.id, message=message, notify=True,
            status=IncidentStatus.identified, created_at=stamp, updated_at=stamp,
        )  # fmt: skip
        async with self.db.transaction() as tx:
            await announce.incident(tx, self.page, it, update, "published")

    async def subscription(self, id_: UUID) -> Subscription:
        state = await self.db.fetchval("SELECT state FROM subscription WHERE id = $1", id_)
        return msgspec.json.decode(state, type=Subscription)

    async def ledger(self) -> list[Notification]:
        rows = await self.db.fetch("SELECT state FROM notification ORDER BY place")
        return [msgspec.json.decode(row["state"], type=Notification) for row in rows]

    async def until(self, *states: str) -> list[Notification]:
        async def seen() -> list[str]:
            return [str(it.state) for it in await self.ledger()]

        await eventually(seen, lambda found: found == list(states))
        return await self.ledger()

    @asynccontextmanager
    async def working(self, sink: MailSink | None = None, apart: float = 0.0) -> AsyncIterator[None]:
        """A dispatcher at work."""
        mail = Mail(url=f"smtp://127.0.0.1:{sink.port}", sender="Acme <status@example.com>") if sink else None
        transports = Transports(guard=LOOPBACK, web=self.web, mail=mail, pace=RateLimiter(apart))
        addresses = Addresses(SETTINGS, self.broker)
        audience = Subscribers(self.db, addresses, KEYS, mails=mail is not None, most=100, after=lambda: None)
        task = asyncio.create_task(Dispatcher(self.db, transports, audience, lambda: None).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def world(db: Database, page: StatusPage, broker: Nats) -> AsyncIterator[World]:
    open_ = replace(page, subscription_enabled=True)
    async with db.transaction() as tx:
        row = await Pages(tx, ACTOR, no_wait, now()).edit_many([page.id])
        row[0].state = open_
        await Pages(tx, ACTOR, no_wait, now()).save(row[0])
    web = Web(LOOPBACK, ssl.create_default_context(cadata=pem(ROOT.certificate).decode()))
    async with Broker(broker.url("statuspage-cmd"), "statuspage-cmd") as connection:
        await connected(connection)
        yield World(db, open_, web, connection)
    await web.close()


async def test_webhook_agrees_by_echoing_its_token_and_is_told(world: World, tmp_path: Path):
    async with listening(tls=ROOT.context(tmp_path), echo=True) as receiver, world.working():
        id_ = await world.wishes(ChannelType.webhook, f"{receiver.url}hook?secret=x")
        await world.until("sent")
        it = await world.opens()
        receiver.status = 503
        await eventually(world.ledger, lambda seen: seen[-1].attempts)
        receiver.status = 200
        told = await world.until("sent", "sent")
    kept = await world.subscription(id_)
    assert (kept.channel_value, kept.verified_at is not None) == (f"{receiver.url}********", True)
    assert b"secret=x" not in msgspec.json.encode([kept, told])
    question, *rest = [json.loads(asked.body) for asked in receiver.asked]
    assert (question["what"], question["token"]) == ("verification", token(KEYS.tokens, id_))
    assert (receiver.asked[0].method, receiver.asked[0].path) == ("POST", "/hook?secret=x")
    page_url = f"https://pinghome.test/status/{world.page.subdomain}"
    for body in rest:  # refused, and sent again
        assert body == {
            "id": str(told[1].id), "what": "incident", "title": "Investigating: Payments fail", "text": "We look.",
            "page": {"id": str(world.page.id), "name": world.page.name, "url": page_url},
            "url": f"{page_url}/incidents/{it.id}", "incident": {"id": str(it.id)}, "at": body["at"],
            "unsubscribe_url": f"{page_url}/subscription/{token(KEYS.tokens, id_)}/unsubscribe",
        }  # fmt: skip
    assert {asked.headers["idempotency-key"] for asked in receiver.asked[1:]} == {str(told[1].id)}
    assert len(rest) == len(told[1].attempts) >= 2


async def test_webhook_that_does_not_echo_the_token_is_asked_again_and_told_nothing(world: World, tmp_path: Path):
    async with listening(tls=ROOT.context(tmp_path), says="ok") as receiver, world.working():
        id_ = await world.wishes(ChannelType.webhook, receiver.url)
        await eventually(world.ledger, lambda seen: len(seen[0].attempts) >= 2)
        await world.opens()
        assert len(await world.ledger()) == 1
        assert "does not contain the token" in (await world.ledger())[0].attempts[0].error
        assert (await world.subscription(id_)).verified_at is None
        receiver.echo = True
        await world.until("sent")
    assert (await world.subscription(id_)).verified_at


async def test_webhook_that_does_not_agree_is_asked_eight_times_and_no_more(world: World, tmp_path: Path):
    async with listening(tls=ROOT.context(tmp_path), says="ok") as receiver, world.working():
        await world.wishes(ChannelType.webhook, receiver.url)

        async def passes() -> str:
            await world.db.fetch("UPDATE notification SET due = now() WHERE due IS NOT NULL")  # as hours later
            return str((await world.ledger())[0].state)

        await eventually(passes, lambda state: state == "failed", 120)
        assert await receiver.silent_for(3)
    (it,) = await world.ledger()
    assert (len(receiver.asked), len(it.attempts)) == (8, 8)
    assert "does not contain the token" in it.reason


async def test_slack_is_asked_and_told_by_messages_with_links(world: World, tmp_path: Path):
    async with listening(tls=ROOT.context(tmp_path)) as receiver, world.working():
        id_ = await world.wishes(ChannelType.slack, f"{receiver.url}services/T0/B0/x")
        await world.until("sent")
        await world.verifies(id_)
        it = await world.opens("<Bank> & more")
        await world.until("sent", "sent")
    question, news = [json.loads(asked.body)["text"] for asked in receiver.asked]
    page_url = f"https://pinghome.test/status/{world.page.subdomain}"
    assert f"<{page_url}/subscription/{token(KEYS.tokens, id_)}|Confirm the subscription>" in question
    assert f"<{page_url}/incidents/{it.id}|Investigating: &lt;Bank&gt; &amp; more>" in news
    assert f"<{page_url}/subscription/{token(KEYS.tokens, id_)}|Unsubscribe>" in news


async def test_certificate_that_is_not_trusted_and_plain_http_are_refused(world: World, tmp_path: Path):
    async with listening(tls=Authority("stranger").context(tmp_path), echo=True) as receiver, world.working():
        await world.wishes(ChannelType.webhook, receiver.url)
        (it,) = await eventually(world.ledger, lambda seen: seen[0].attempts)
        assert "certificate that is not trusted" in it.attempts[0].error
        assert receiver.asked == []
    with pytest.raises(Invalid):
        await world.wishes(ChannelType.webhook, "http://127.0.0.1/")


async def test_without_a_mail_server_deliveries_wait_and_say_so(world: World):
    id_ = await world.wishes(ChannelType.email, "a@example.net")
    await world.verifies(id_)
    await world.opens()
    async with world.working():
        held = await world.until("held", "held")
    assert {it.reason for it in held} == {
        "no mail server is configured; the operator sets PINGHOME_SMTP_URL and PINGHOME_MAIL_FROM"
    }
    await world.db.fetch("UPDATE notification SET due = now()")  # as after a minute
    async with mail_sink() as sink, world.working(sink):
        await world.until("sent", "sent")
    assert [str(each["Subject"]).partition("] ")[2] for each in sink.mails] == [
        "Confirm your subscription", "Investigating: Payments fail",
    ]  # fmt: skip


async def test_only_automatic_incidents_are_damped_until_a_person_writes(world: World):
    await world.brings("a@example.net")
    async with mail_sink() as sink, world.working(sink):
        it = await world.opens("Shop is down", automatic=True)
        await world.until("sent")
        await world.updates(it, "first")
        await world.until("sent", "sent")
        for message in ("second", "third"):
            await world.updates(it, message)
        held = await world.until("sent", "sent", "held", "held")
        assert "at most two notifications an hour" in held[-1].reason
        await world.updates(replace(it, automatic=False), "a person")
        await world.until(*["sent"] * 5)
    said = [each.get_body(("plain",)).get_content().partition("\r\n")[0] for each in sink.mails]
    assert said == ["We look.", "first", "second", "third", "a person"]


async def test_mails_keep_to_their_pace_and_none_is_left_out(world: World):
    await world.brings(*(f"{number}@example.net" for number in range(30)))
    async with mail_sink() as sink, world.working(sink, apart=0.2):
        begun = time.monotonic()
        await world.opens()
        await world.until(*["sent"] * 30)
        lasted = time.monotonic() - begun
    assert {each["To"] for each in sink.mails} == {f"{number}@example.net" for number in range(30)}
    assert len(sink.mails) == 30
    assert lasted >= 29 * 0.2


async def test_whoever_unsubscribes_meanwhile_is_told_nothing_more(world: World):
    await world.brings("a@example.net", "b@example.net")
    await world.opens()
    rows = await world.db.fetch("SELECT id FROM subscription WHERE state->>'channel_value' = 'a@example.net'")
    async with world.db.transaction() as tx:
        await Subscriptions(tx, ACTOR, no_wait, now()).cancel(rows[0]["id"])
    async with mail_sink() as sink, world.working(sink):
        await eventually(world.ledger, lambda seen: {it.state for it in seen} == {"sent", "suppressed"})
    assert [each["To"] for each in sink.mails] == ["b@example.net"]


async def test_deleted_incident_is_told_no_more(world: World):
    await world.brings("a@example.net")
    it = await world.opens()
    async with world.db.transaction() as tx:
        store = Incidents(tx, ACTOR, no_wait, now())
        await store.remove(await store.edit(it.id))
    async with mail_sink() as sink, world.working(sink):
        (told,) = await world.until("suppressed")
    assert (told.reason, sink.mails) == ("what it is about was deleted", [])


async def test_what_nobody_verified_in_a_week_is_deleted(world: World):
    fresh, old, kept = [await world.wishes(ChannelType.email, f"{name}@example.net") for name in ("a", "b", "c")]
    await world.verifies(kept)
    await world.db.fetch(
        "UPDATE subscription SET state = state || jsonb_build_object('requested_at', now() - interval '8 days')"
        " WHERE id = ANY($1::uuid[])",
        [old, kept],
    )
    async with world.db.transaction() as tx:
        await Subscriptions(tx, ACTOR, no_wait, now()).expire()
    rows = await world.db.fetch("SELECT id FROM subscription ORDER BY id")
    assert [row["id"] for row in rows] == sorted([fresh, kept])
    body = await world.db.fetchval("SELECT body FROM events WHERE aggregate = $1 ORDER BY version DESC LIMIT 1", old)
    event = json.loads(body)
    assert (event["type"], event["version"], event["data"]["id"]) == ("subscription.deleted", 2, str(old))


async def test_hidden_page_tells_nobody(world: World):
    await world.brings("a@example.net")
    world.page = replace(world.page, enabled=False)
    await world.opens()
    assert await world.ledger() == []


async def test_each_notification_is_an_event_that_says_the_same(world: World):
    await world.brings("a@example.net", "b@example.net")
    await world.opens()
    rows = await world.db.fetch(
        "SELECT e.event_id, e.address, convert_from(e.body, 'utf8')::jsonb AS body, n.state, n.id"
        " FROM events e JOIN notification n ON n.id = e.aggregate"
    )
    assert len(rows) == 2
    for row in rows:
        event, state = json.loads(row["body"]), json.loads(row["state"])
        assert (event["id"], event["subject"], event["type"]) == (
            str(row["event_id"]),
            str(row["id"]),
            "notification.created",
        )
        assert (row["address"], event["data"], event["version"]) == (f"status.notification.{row['id']}", state, 1)
        assert event["organisation"] == state["organisation"] == str(world.page.organisation)
        assert (event["source"], state["page"]) == ("statuspage-cmd", str(world.page.id))


async def test_links_are_on_the_pages_own_domain_once_it_is_verified(world: World, broker: Nats):
    async def domains(_: bytes) -> bytes:
        return page_domains.encode({world.page.id: "status.acme.example"})

    await world.brings("a@example.net")
    async with Broker(broker.url("statuspage-query"), "statuspage-query") as query, mail_sink() as sink:
        await connected(query)
        await query.serve(page_domains.SUBJECT, "statuspage-query", domains)
        it = await world.opens()
        async with world.working(sink):
            await world.until("sent")
    (mail,) = sink.mails
    assert mail["List-Unsubscribe"].startswith("<https://status.acme.example/subscription/")
    assert f"https://status.acme.example/incidents/{it.id}" in mail.get_body(("plain",)).get_content()
