"""Channels that cannot be delivered with yet: what is to be told waits in the ledger, and says why."""

import re
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from contract.target import eventually
from integration.resource_cmd.delivery.conftest import KEY, OPERATOR, START
from mail_sink import mail_sink
from pinghome_common.clock import now
from pinghome_common.events.notification import State
from pinghome_common.store import no_wait
from pinghome_delivery import confirm
from pinghome_delivery.confirm import Confirmer, expect, read_token, token
from pinghome_delivery.email import NO_SERVER, Email
from pinghome_delivery.mail import Mail
from pinghome_delivery.rate_limiter import RateLimiter
from pinghome_delivery.statuspage_io import StatuspageIo
from resource_cmd.delivery.audience import refresh
from resource_cmd.delivery.store import Channels
from statuspage import statuspage

DAY = timedelta(days=1)
OTHER = uuid4()


def mailing(world, sink):
    world.transports = replace(
        world.transports, mail=Mail(url=f"smtp://127.0.0.1:{sink.port}", sender="alerts@example.com")
    )


async def problem(world, channel):
    async with world.db.transaction() as tx:
        return (await Channels(tx, OPERATOR, no_wait, START).edit(channel)).state.problem


async def test_mails_wait_for_a_mail_server_and_leave_when_there_is_one(world):
    world.transports = replace(world.transports, confirmed_domains=frozenset({"x.test"}))
    channel = await world.channel(Email(to=["a@x.test"]), "email")
    it = await world.resource()
    async with world.working():
        await world.tell(it, "down")
        (held,) = await world.until("held")
        assert (held.reason, held.attempts) == (NO_SERVER, [])
        assert await eventually(lambda: problem(world, channel), bool) == NO_SERVER
    async with mail_sink() as sink:
        mailing(world, sink)
        async with world.working():  # the operator has set one and started again
            (sent,) = await world.until("sent")
    assert (sent.reason, len(sent.attempts), len(sink.mails)) == ("", 1, 1)
    assert await problem(world, channel) == ""


async def test_mails_wait_for_a_link_to_be_followed_and_are_then_told_together(world):
    async with mail_sink() as sink:
        mailing(world, sink)
        kind = Email(to=["A@x.test"])
        channel = await world.channel(kind, "email")
        async with world.db.transaction() as tx:
            await expect(tx, world.service.organisation, kind, world.transports)
        monitors = [await world.resource(f"Shop {number}") for number in range(7)]
        async with world.working():
            for each in monitors:
                await world.tell(each, "down")
            await world.until(*["held"] * 7)
            confirmer = Confirmer(world.db, world.transports, KEY, "https://ping.test")
            assert [await confirmer.step(), await confirmer.step()] == [True, False]
            (link,) = sink.mails
            assert (link["To"], "Shop" in link.as_string()) == ("a@x.test", False)
            text = re.search(r"https://ping.test/confirm/(\S+)", link.get_content())[1]
            organisation, address = read_token(KEY, text, now())
            async with world.db.transaction() as tx:
                await confirm.confirm(tx, organisation, address)
                await refresh(tx, KEY, world.transports, organisation)
            await world.until(*["sent"] * 7)
            await world.until(*["sent"] * 7)
    assert await problem(world, channel) == ""
    assert len(sink.mails) == 2  # the link and one summary
    assert sink.mails[1]["Subject"] == "7 changes of 7 monitors: 7 down"


async def test_confirmed_addresses_are_told_while_others_are_not(world):
    async with mail_sink() as sink:
        mailing(world, sink)
        world.transports = replace(world.transports, confirmed_domains=frozenset({"ours.test"}))
        channel = await world.channel(Email(to=["new@x.test", "ops@ours.test"]), "email")
        async with world.working():
            await world.tell(await world.resource(), "down")
            await world.until("sent")
            assert "new@x.test" in await eventually(lambda: problem(world, channel), bool)
    assert sink.recipients == [["ops@ours.test"]]


async def test_one_organisations_confirmation_is_no_others(world):
    async with world.db.transaction() as tx:
        kind = Email(to=["a@x.test"])
        await expect(tx, OTHER, kind, world.transports)
        await confirm.confirm(tx, OTHER, "a@x.test")
    async with mail_sink() as sink:
        mailing(world, sink)
        await world.channel(kind, "email")
        async with world.working():
            await world.tell(await world.resource(), "down")
            await world.until("held")
    assert sink.mails == []


async def test_links_are_mailed_once_a_day_and_not_endlessly_for_one_organisation(world):
    async with mail_sink() as sink:
        mailing(world, sink)
        confirmer = Confirmer(world.db, world.transports, KEY, "https://ping.test")
        for _ in range(2):
            async with world.db.transaction() as tx:
                for first in (0, 25):
                    many = Email(to=[f"{number}@x.test" for number in range(first, first + 25)])
                    await expect(tx, OTHER, many, world.transports)
            while await confirmer.step():
                pass
        assert len(sink.mails) == confirm.AN_HOUR
        async with world.db.transaction() as tx:
            await expect(tx, world.service.organisation, Email(to=["a@x.test"]), world.transports)
        assert await confirmer.step()  # another organisation does not wait for it


async def test_a_link_that_cannot_be_mailed_is_tried_again_and_not_for_ever(world):
    async with mail_sink() as sink:
        mailing(world, sink)
        sink.refuse = "550 nobody"
        async with world.db.transaction() as tx:
            await expect(tx, OTHER, Email(to=["a@x.test"]), world.transports)
        confirmer = Confirmer(world.db, world.transports, KEY, "https://ping.test")
        for _ in range(confirm.TRIES):
            assert await confirmer.step()
            async with world.db.transaction() as tx:
                assert await tx.fetchval("SELECT due > now() FROM mail_address")
                await tx.execute("UPDATE mail_address SET due = now()")
        assert not await confirmer.step()


@pytest.mark.parametrize("wrong", ["", "x", "AAAA", "é", "A" * 2000, "=", "\N{SNOWMAN}" * 10, "_-" * 40])
def test_nobody_else_can_make_a_token(wrong):
    with pytest.raises(ValueError, match="is not valid"):
        read_token(KEY, wrong, START)


def test_a_token_is_valid_for_seven_days_and_names_its_organisation():
    made = token(KEY, OTHER, "a@x.test", START)
    assert read_token(KEY, made, START + 7 * DAY) == (OTHER, "a@x.test")
    with pytest.raises(ValueError, match="no longer"):
        read_token(KEY, made, START + 7.01 * DAY)
    with pytest.raises(ValueError, match="is not valid"):
        read_token(b"x" * 32, made, START)


async def test_an_incident_waits_for_a_token(world):
    it = await world.resource()
    async with statuspage(limited=False) as there:
        world.transports = replace(world.transports, statuspage_url=there.url, pace=RateLimiter(0))
        kind = StatuspageIo(page=there.page, name="Incident name", items=["ggs24084vt79"])
        await world.integration(it, "statuspageIo", kind)
        async with world.working():
            await world.tell(it, "down")
            (held,) = await world.until("held")
            assert "PINGHOME_STATUSPAGE_IO_TOKEN" in held.reason
        world.transports = replace(
            world.transports,
            statuspage_token=there.token,
            statuspage_pages=frozenset({f"{it.organisation}:{there.page}"}),
        )
        async with world.working():
            await world.until("sent")
        assert len(there.unresolved) == 1


async def test_what_waited_for_a_day_has_failed_with_all_that_it_covers(world):
    channel = await world.channel(Email(to=["a@x.test"]), "email")
    it = await world.resource()
    await world.tell(it, "down", "up")
    async with world.db.transaction() as tx:
        assert (
            len(await world.queue(tx, channel, now()).next(follows=False)) == 2
        )  # a digest that was decided on before
    await world.tell(it, "down", version=9)
    for hours in (0, 1, 23):
        async with world.db.transaction() as tx:
            await world.queue(tx, channel, now() + timedelta(hours=hours)).wait("no server")
    assert await world.states() == ["held", "waiting", "held"]
    async with world.db.transaction() as tx:
        await world.queue(tx, channel, now() + timedelta(hours=24, minutes=1)).wait("no server")
    assert [(it.state, it.reason) for it in await world.ledger()] == [(State.failed, "no server")] * 3
