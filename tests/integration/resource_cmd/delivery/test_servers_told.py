"""What is told of servers, to real receivers: outages, reboots and thresholds, once each, and what a parent hides."""

from datetime import timedelta

import pytest

from contract.target import listening
from integration.resource_cmd.delivery.conftest import OPERATOR, START
from integration.resource_cmd.delivery.test_channel_queue import Told
from integration.resource_cmd.delivery.test_delivery import verified
from integration.resource_cmd.evaluation.test_servers import AT, CPU, ServerWorld, server
from mail_sink import mail_sink
from pinghome_common.clock import from_micros
from pinghome_common.events.metric import Agent
from pinghome_common.events.notification import State
from pinghome_common.store import no_wait
from pinghome_delivery.email import Email
from pinghome_delivery.mail import Mail
from resource_cmd.servers.store import Servers


async def made(world, **settings):
    """A server of the world, and what is heard of it."""
    service = world.service
    it = await server(
        world.db, service_id=service.id, organisation=service.organisation,
        **{"reboot_alert": True, "thresholds": [CPU], **settings},
    )  # fmt: skip
    return ServerWorld(world.db, it)


async def test_an_outage_is_told_by_webhook_and_mail_with_its_end(world):
    async with listening() as receiver, mail_sink() as mails:
        world.transports.mail = Mail(url=f"smtp://127.0.0.1:{mails.port}", sender="alerts@example.com")
        world.transports.confirmed_domains = frozenset({"example.com"})
        await world.webhook(receiver.url)
        await world.channel(Email(to=["ops@example.com"]), "email")
        it = await made(world)
        await it.sample(0)
        await it.passes(51)
        async with world.working():
            await world.until(*["sent"] * 2)
            await it.sample(100)
            await world.until(*["sent"] * 4)

    down, up = map(verified, receiver.asked)
    assert (down["what"], down["title"]) == ("down", "web-1 is down")
    assert down["text"] == (
        "web-1 is down since 2026-11-21 00:00:50 UTC: nothing was received since 2026-11-21 00:00:00 UTC."
    )
    assert down["notifications"][0]["noun"] == "server_resource"
    assert up["text"] == "web-1 is up again since 2026-11-21 00:01:40 UTC, after 50 s."
    assert [each["Subject"] for each in mails.mails] == ["web-1 is down", "web-1 is up again"]


async def test_a_threshold_is_told_with_value_and_unit_and_since_when(world):
    async with listening() as receiver, world.working():
        await world.webhook(receiver.url)
        it = await made(world)
        for at in range(0, 70, 10):
            await it.sample(at, cpu=97.3)
        await world.until("sent")
        for at in range(70, 140, 10):
            await it.sample(at, cpu=7)
        await world.until("sent", "sent")

    broken, cleared = map(verified, receiver.asked)
    assert (broken["what"], broken["title"]) == ("threshold-broken", "web-1: cpu-total-usage total is 97.3 %")
    assert broken["text"] == "web-1: cpu-total-usage total is 97.3 %, above 90 % since 2026-11-21 00:00:00 UTC."
    assert cleared["text"] == (
        "web-1: cpu-total-usage total is 7 %, not above 90 % any more since 2026-11-21 00:01:10 UTC, after 1 min 10 s."
    )


async def test_thresholds_that_break_at_once_are_all_told(world):
    async with listening() as receiver, world.working():
        await world.webhook(receiver.url)
        it = await made(world, thresholds=[CPU, CPU])
        for at in range(0, 70, 10):
            await it.sample(at, cpu=97.3)
        await world.until("sent", "sent")
    assert "2 threshold-broken" in verified(receiver.asked[0])["title"]


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_reboot_is_told_where_that_is_wanted(world, wanted):
    await world.webhook("http://127.0.0.1:1/")
    it = await made(world, reboot_alert=wanted)
    await it.sample(0, agent=Agent(boot_time=AT / 1e6 - 5000))
    await it.sample(40, agent=Agent(boot_time=AT / 1e6 + 30))
    assert [(each.what, each.text) for each in await world.ledger()] == [
        ("rebooted", "web-1 was rebooted at 2026-11-21 00:00:30 UTC.")
    ] * wanted


async def test_nothing_is_told_of_a_paused_server_and_of_a_time_in_which_nobody_listened(world):
    await world.webhook("http://127.0.0.1:1/")
    it = await made(world)
    await it.sample(0)
    await it.tick(1)
    await it.tick(600, since=590)
    await it.sample(601)
    await it.edit(602, enabled=False)
    await it.passes(900)
    assert await world.ledger() == []


async def test_deletion_ends_what_was_still_to_be_told(world):
    channel = await world.webhook("http://127.0.0.1:1/")
    it, told = await made(world), Told(world, channel)
    await it.sample(0)
    await it.passes(51)
    async with world.db.transaction() as tx:
        await Servers(tx, OPERATOR, no_wait, START).remove_many([it.it.id])
    assert await told.next(1) == []
    assert [each.state for each in await world.ledger()] == [State.suppressed]


@pytest.fixture
async def told(world):
    it = Told(world, await world.webhook("http://127.0.0.1:1/"))
    it.begin = from_micros(AT)
    return it


async def test_a_server_behind_a_monitor_that_is_down_is_told_when_only_the_monitor_is_back(world, told):
    router = await world.resource("Router")
    await world.becomes(router, "down", told.begin + timedelta(seconds=20))
    it = await made(world, parent_id=router.id)
    await it.sample(0)
    await it.passes(51)
    assert await told.next(1) == []
    (held,) = await world.ledger()
    assert (held.state, held.parent) == (State.held, router.id)

    await world.becomes(router, "up", told.at(5))
    assert await told.next(5.1) == []  # the server gets its time to be heard
    assert await told.next(9) == ["down"]


async def test_an_outage_of_a_server_within_its_parents_is_not_told(world, told):
    router = await world.resource("Router")
    await world.becomes(router, "down", told.begin + timedelta(seconds=20))
    it = await made(world, parent_id=router.id)
    await it.sample(0)
    await it.passes(51)
    assert await told.next(1) == []
    await it.sample(100)
    assert await told.next(2) == []
    assert [each.state for each in await world.ledger()] == [State.suppressed] * 2


async def test_a_monitor_behind_a_server_that_falls_silent_is_not_told(world, told):
    host = await made(world, name="host")
    await host.sample(0)
    shop = await world.resource("Shop", parent_id=host.it.id)
    await world.becomes(shop, "down", told.begin + timedelta(seconds=5))
    await world.tell(shop, "down", at=told.begin + timedelta(seconds=5))
    assert await told.next(0.2) == []  # the server may be heard yet
    await host.passes(51)
    assert await told.next(1) == ["down"]  # of the host alone
    assert [(each.what, each.title, each.state) for each in await world.ledger()] == [
        ("down", "Shop is down", State.held), ("down", "host is down", State.sent),
    ]  # fmt: skip
