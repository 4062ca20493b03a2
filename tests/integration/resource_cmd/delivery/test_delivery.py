"""Delivery on a real database to real receivers: at least once, in order, nobody in the way of another."""

import asyncio
import hashlib
import hmac
import json
import threading
import time
from datetime import timedelta
from uuid import uuid4

import pytest

from contract.target import eventually, listening
from integration.resource_cmd.delivery.conftest import OPERATOR, SECRET, START, World
from integration.resource_cmd.evaluation.test_results import DOWN, UP
from integration.resource_cmd.evaluation.test_results import World as Results
from integration.resource_cmd.evaluation.test_silence import AT, BOOT
from integration.resource_cmd.evaluation.test_silence import World as Silence
from pinghome_common.clock import from_micros
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.events.notification import State
from pinghome_common.events.ping import Batch, Kind, Ping, encode
from pinghome_common.guard import Guard
from pinghome_common.store import no_wait
from pinghome_delivery import dispatcher
from pinghome_delivery.email import Email
from pinghome_delivery.message import DeliveryError
from pinghome_delivery.outbox import Notice
from pinghome_delivery.web import Web
from resource_cmd.delivery.audience import announce
from resource_cmd.heartbeats import heartbeat
from resource_cmd.heartbeats.store import Heartbeats
from resource_cmd.monitors.store import Resources


def verified(asked):
    """The body of a webhook whose signature is right."""
    stamp, _, signature = asked.headers["x-pinghome-signature"].partition(",v1=")
    expected = hmac.new(SECRET.encode(), f"{stamp.removeprefix('t=')}.{asked.body}".encode(), hashlib.sha256)
    assert hmac.compare_digest(signature, expected.hexdigest())
    assert abs(time.time() - int(stamp.removeprefix("t="))) < 60
    body = json.loads(asked.body)
    assert asked.headers["idempotency-key"] == body["id"]
    return body


async def test_a_notice_reaches_the_webhook_signed_and_with_its_key(world):
    it = await world.resource()
    async with listening() as receiver, world.working():
        channel = await world.webhook(f"{receiver.url}hook?token=x")
        await world.tell(it, "down")
        (told,) = await world.until("sent")

    body = verified(receiver.asked[0])
    assert (body["id"], body["what"], body["title"], body["text"]) == (
        str(told.id), "down", "Shop is down", "Shop is down now.",
    )  # fmt: skip
    assert [(each["about"], each["noun"], each["what"]) for each in body["notifications"]] == [
        (str(it.id), "resource", "down")
    ]
    assert (receiver.asked[0].method, receiver.asked[0].path) == ("POST", "/hook?token=x")
    assert (told.channel, told.channel_name, told.channel_kind) == (channel, "On call", "webhook")
    assert [each.error for each in told.attempts] == [""]
    assert len(receiver.asked) == 1


async def test_each_delivery_is_an_aggregate_with_events_without_gaps(world):
    it = await world.resource()
    async with listening(status=503) as receiver, world.working():
        await world.webhook(receiver.url)
        await world.tell(it, "down")
        await eventually(world.ledger, lambda seen: seen[0].attempts)
        receiver.status = 200
        await world.until("sent")
    async with world.db.connection() as connection:
        rows = await connection.fetch(
            "SELECT version, address, convert_from(body, 'utf8')::jsonb->>'type' AS type FROM events"
            " WHERE address LIKE 'events.notification.%' ORDER BY version"
        )
    assert [row["version"] for row in rows] == list(range(1, len(rows) + 1))
    types = [row["type"].removeprefix("notification.") for row in rows]
    assert (types[:2], types[-1], set(types[2:-1])) == (["created", "planned"], "sent", {"retried"})


def down(it):
    return Notice(
        organisation=it.organisation, noun="resource", about=it.id, version=2, what="down", at=START, title="t",
        text="t",
    )  # fmt: skip


class Undone(Exception):
    """Takes a transaction back."""


async def test_what_is_rolled_back_is_not_told(world):
    it = await world.resource()
    await world.webhook("http://127.0.0.1:1/")
    with pytest.raises(Undone):
        await announce_and_fail(world, it)
    assert await world.ledger() == []


async def announce_and_fail(world, it):
    async with world.db.transaction() as tx:
        await announce(tx, [down(it)])
        raise Undone


async def test_the_same_notice_twice_is_one_delivery(world):
    it = await world.resource()
    await world.webhook("http://127.0.0.1:1/")
    async with world.db.transaction() as tx:
        await announce(tx, [down(it), down(it)])
        await announce(tx, [down(it)])
    assert len(await world.ledger()) == 1


async def test_a_monitor_tells_its_own_channels_its_services_or_none(world):
    first, second = await world.webhook("http://127.0.0.1:1/"), await world.webhook("http://127.0.0.1:2/")
    for channels, reached in ((None, {first, second}), ([second], {second}), ([], set())):
        it = await world.resource(f"with {channels}", channels=channels)
        await world.tell(it, "down")
        assert {told.channel for told in await world.ledger() if told.about == it.id} == reached


async def test_another_organisations_channel_is_never_told(world):
    channel = await world.webhook("http://127.0.0.1:1/")
    it = await world.resource(channels=[channel])
    async with world.db.transaction() as tx:  # as if a check had been missed
        await tx.execute("UPDATE channel SET organisation = gen_random_uuid()")
    await world.tell(it, "down")
    assert await world.ledger() == []


async def test_failures_are_retried_with_the_same_key_and_content_and_up_waits_for_its_down(world):
    it = await world.resource()
    async with listening(status=500) as receiver, world.working():
        await world.webhook(receiver.url)
        await world.tell(it, "down")
        await eventually(world.ledger, lambda seen: len(seen[0].attempts) >= 2)
        await world.tell(it, "up", version=3)
        await asyncio.sleep(0.5)
        receiver.status = 200
        down, up = await world.until("sent", "sent")

    bodies = [verified(asked) for asked in receiver.asked]
    assert [body["what"] for body in bodies] == ["down"] * len(down.attempts) + ["up"]
    assert len({body["id"] for body in bodies}) == 2
    assert len({asked.body for asked in receiver.asked[:-1]}) == 1
    assert [each.error for each in down.attempts][-1] == ""
    assert down.attempts[0].error == "127.0.0.1 answered 500 Internal Server Error"
    assert up.attempts[0].at >= down.attempts[-1].at


async def test_what_came_while_a_channel_was_away_is_told_as_one(world):
    it = await world.resource()
    async with listening(status=500) as receiver, world.working():
        await world.webhook(receiver.url)
        await world.tell(it, "down")
        await eventually(world.ledger, lambda seen: seen[0].attempts)
        await world.tell(it, "up", "down", "up", version=3)
        receiver.status = 200
        _, leader, *others = await world.until(*["sent"] * 4)

    digest = verified(receiver.asked[-1])
    assert digest["what"] == "digest"
    assert [each["what"] for each in digest["notifications"]] == ["up", "down", "up"]
    assert digest["id"] == str(leader.id)
    assert [other.digest for other in others] == [leader.id] * 2
    assert leader.covers == [other.id for other in others]
    assert [other.attempts for other in others] == [[], []]


async def test_a_channel_that_hangs_is_in_nobodys_way(world):
    it = await world.resource()
    async with listening(pause=60) as hanging, listening() as receiver, world.working():
        await world.webhook(hanging.url)
        await world.webhook(receiver.url)
        begun = time.monotonic()
        await world.tell(it, "down")
        await eventually(lambda: asyncio.sleep(0, receiver.asked), bool)
        assert time.monotonic() - begun < 8
        assert [told.state for told in await world.ledger()].count(State.sent) <= 1
        await eventually(world.ledger, lambda seen: any("did not answer" in a.error for n in seen for a in n.attempts))


async def test_many_workers_deliver_each_once(world):
    monitors = [await world.resource(f"Shop {number}") for number in range(4)]
    async with listening() as receiver, world.working(3):
        for _ in range(3):
            await world.webhook(receiver.url)
        for it in monitors:
            await world.tell(it, "down")
        await world.until(*["sent"] * 12)
    keys = [asked.headers["idempotency-key"] for asked in receiver.asked]
    assert len(keys) == len(set(keys))
    told = [each["id"] for asked in receiver.asked for each in verified(asked)["notifications"]]
    assert sorted(told) == sorted(str(each.id) for each in await world.ledger())


async def test_a_lease_ends_with_its_owners_connection_and_not_before(world):
    it = await world.resource()
    async with listening() as receiver, world.db.connection() as living:
        channel = await world.webhook(receiver.url)
        await living.execute(
            "INSERT INTO lease VALUES ($1, pg_backend_pid(), now() + interval '61 s')", channel
        )  # taken just now
        await world.tell(it, "down")
        async with world.working():
            await asyncio.sleep(2.5)
            assert receiver.asked == []
            await living.execute("UPDATE lease SET owner = 0")  # a process id that no connection has
            await world.until("sent")


async def test_a_channel_that_was_deleted_shows_what_it_was_not_told(world):
    it = await world.resource()
    await world.webhook("http://127.0.0.1:1/")
    await world.tell(it, "down", "up")
    async with world.db.connection() as connection:
        await connection.execute("DELETE FROM channel")
    async with world.working():
        for told in await world.until("failed", "failed"):
            assert told.reason == "the channel was deleted"


async def test_after_a_day_it_has_failed_and_says_why(world, monkeypatch):
    monkeypatch.setattr("pinghome_delivery.outbox.GIVE_UP", timedelta(seconds=1))
    it = await world.resource()
    await world.webhook("http://127.0.0.1:1/secret-path?token=secret")
    async with world.working():
        await world.tell(it, "down")
        (told,) = await world.until("failed")
    assert told.reason == "127.0.0.1 refused the connection"
    assert len(told.attempts) >= 2
    assert "secret" not in repr(told)


async def test_a_sealed_configuration_that_cannot_be_opened_is_a_visible_failure_of_ours(world):
    it = await world.resource()
    channel = await world.webhook("http://127.0.0.1:1/")
    async with world.db.connection() as connection:
        await connection.execute(
            "UPDATE channel SET state = jsonb_set(state, '{sealed}', to_jsonb($2::text)) WHERE id = $1",
            channel,
            "A" * 48,
        )
    async with world.working():
        await world.tell(it, "down")
        seen = await eventually(world.ledger, lambda seen: seen[0].attempts)
    assert "on our side" in seen[0].attempts[0].error


async def test_a_judged_monitor_tells_in_the_transaction_of_its_change(world):
    it = await world.resource()
    await world.webhook("http://127.0.0.1:1/")
    results, noon = Results(world.db), 12 * 3600  # when it was made
    for at, verdict in ((0, UP), (60, DOWN), (120, DOWN), (180, UP)):
        await results.hear(("a", [(it, noon + at, verdict)]))
    told = await world.ledger()
    assert [(each.what, each.about_version) for each in told] == [("down", 3), ("up", 4)]
    assert told[0].text.endswith("refused the connection from a.")
    assert told[1].text.endswith("after 2 min.")
    async with world.db.transaction() as tx:
        row = await Resources(tx, OPERATOR, no_wait, START).edit(it.id)
    assert row.state.down_since is None


async def test_a_heartbeat_tells_every_change_even_those_of_one_batch_and_what_silence_says(world):
    await world.webhook("http://127.0.0.1:1/")
    settings = {"name": "job", "service_id": world.service.id, "period": 60, "methods": ["GET"]}
    it = heartbeat.create(uuid4(), world.service.organisation, settings, from_micros(AT), enabled=True)
    async with world.db.transaction() as tx:
        await Heartbeats(tx, OPERATOR, no_wait, START).add(it)
    silence = Silence(world.db, it)
    kinds = (Kind.complete, Kind.fail, Kind.fail, Kind.complete, Kind.fail, Kind.complete)
    pings = [Ping(uuid4().bytes, it.id.bytes, AT + n * MICRO, kind) for n, kind in enumerate(kinds)]
    for _ in range(2):  # a batch that comes again says nothing again
        await silence.hear("telemetry.ping.gateway-1", encode(Batch(BOOT.bytes, 1, pings)))
    assert [each.what for each in await world.ledger()] == ["down", "up", "down", "up"]

    await silence.tick(66)
    await silence.sweep(66)
    await silence.ping(70, number=2)
    told = await world.ledger()
    assert [each.what for each in told[4:]] == ["down", "up"]
    assert "no check-in arrived in time" in told[4].text
    assert told[4].at == from_micros(AT + 65 * MICRO)
    assert {each.noun for each in told} == {"heartbeat"}


async def test_slow_receivers_of_one_organisation_keep_no_other_waiting(world, transports, monkeypatch):
    monkeypatch.setattr(dispatcher, "AT_ONCE", 6)
    monkeypatch.setattr(dispatcher, "SHARE", 3)
    other = World(world.db, transports)
    await other.begin()
    async with listening(pause=3600) as silent, listening() as receiver:
        for _ in range(9):
            await world.webhook(silent.url)
        await other.webhook(receiver.url)
        async with world.working() as (worker,):
            await world.tell(await world.resource(), "down")
            await eventually(lambda: count(silent.asked), lambda seen: seen >= 3)
            await other.tell(await other.resource(), "down")
            await eventually(lambda: count(receiver.asked), bool)
            assert len(worker._turns) <= 4
    assert len(receiver.asked) == 1


async def count(some):
    return len(some)


async def test_silent_name_is_given_up_soon_and_told_as_what_it_is(monkeypatch):
    monkeypatch.setattr("pinghome_delivery.egress.LOOKUP", 0.2)
    asked = threading.Event()
    web = Web(Guard(lookup=lambda _: asked.wait(60) and []))
    with pytest.raises(DeliveryError, match=r"silent\.example cannot be resolved"):
        await web.request("POST", "http://silent.example/", {})
    asked.set()
    await web.close()


async def test_channel_whose_ledger_is_broken_keeps_no_other_waiting(world):
    async with listening() as receiver:
        broken = await world.webhook("http://127.0.0.1:1/")
        await world.webhook(receiver.url)
        it = await world.resource()
        await world.tell(it, "down")
        async with world.db.connection() as connection:
            await connection.execute("UPDATE notification SET state = '{\"covers\": 5}' WHERE channel = $1", broken)
        async with world.working() as (worker,):
            await eventually(lambda: count(receiver.asked), bool)
            await eventually(lambda: count(worker._broken), bool)  # and is not tried again at once
            assert set(worker._broken) == {broken}


async def test_organisation_whose_channels_are_broken_keeps_no_other_from_being_told(world, transports):
    other = World(world.db, transports)
    await other.begin()
    async with listening() as receiver:
        broken = await other.channel(Email(to=["a@x.test"]), "email")
        async with world.db.connection() as connection:
            await connection.execute("UPDATE channel SET state = state - 'name' WHERE id = $1", broken)
        await world.webhook(receiver.url)
        async with world.working():
            await world.tell(await world.resource(), "down")
            await eventually(lambda: count(receiver.asked), bool)
