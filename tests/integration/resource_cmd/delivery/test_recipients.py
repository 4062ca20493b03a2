"""One mail to several addresses, of which the server takes some: each has its own row in the ledger."""

from dataclasses import replace

from contract.target import eventually
from integration.resource_cmd.delivery.test_channel_queue import delete
from mail_sink import mail_sink
from pinghome_delivery.email import Email
from pinghome_delivery.mail import Mail


async def rows(world):
    return [(it.recipient, str(it.state), [each.error for each in it.attempts]) for it in await world.ledger()]


async def sending(world, sink, *to):
    world.transports = replace(
        world.transports,
        mail=Mail(url=f"smtp://127.0.0.1:{sink.port}", sender="alerts@example.com"),
        confirmed_domains=frozenset({"x.test"}),
    )
    return await world.channel(Email(to=list(to)), "email")


async def test_recipient_refused_for_good_fails_alone(world):
    async with mail_sink() as sink:
        sink.refused["gone@x.test"] = "550 no such user"
        await sending(world, sink, "a@x.test", "gone@x.test")
        it = await world.resource()
        async with world.working():
            await world.tell(it, "down", "up")
            await world.until("sent", "sent", "failed")
            await world.tell(it, "down", version=9)
            await world.until("sent", "sent", "failed", "sent", "failed")
    refused = "the mail server refused gone@x.test with 550"
    assert (await rows(world))[2] == ("gone@x.test", "failed", [refused])
    ledger = await world.ledger()
    assert (ledger[2].reason, ledger[2].about, ledger[2].covers) == (refused, it.id, [ledger[1].id])
    assert sink.recipients == [["a@x.test"]] * 2


async def test_recipient_refused_for_now_is_tried_again_alone_and_keeps_nobody_waiting(world):
    async with mail_sink() as sink:
        sink.refused["grey@x.test"] = "451 later"
        await sending(world, sink, "a@x.test", "grey@x.test")
        it = await world.resource()
        async with world.working():
            await world.tell(it, "down")
            await world.until("sent", "waiting")
            await eventually(lambda: rows(world), lambda seen: len(seen[1][2]) > 1)
            await world.tell(it, "up", version=9)  # does not wait for the one that is left
            await eventually(world.states, lambda seen: seen[2:3] == ["sent"])
            del sink.refused["grey@x.test"]
            await world.until("sent", "sent", "sent", "sent")
    seen = await rows(world)
    assert [recipient for recipient, _, _ in seen] == ["", "grey@x.test", "", "grey@x.test"]
    assert {error for _, _, errors in seen for error in errors[:-1]} == {"the mail server refused grey@x.test with 451"}
    assert [errors[-1] for _, _, errors in seen] == [""] * 4
    assert sorted(map(tuple, sink.recipients)) == [("a@x.test",)] * 2 + [("grey@x.test",)] * 2
    told = [each["To"] for each in sink.mails]
    assert told.count("grey@x.test") == 2


async def test_deletion_ends_what_one_recipient_was_to_be_told_and_nothing_else(world):
    async with mail_sink() as sink:
        sink.refused["grey@x.test"] = "451 later"
        await sending(world, sink, "a@x.test", "grey@x.test")
        it = await world.resource()
        async with world.working():
            await world.tell(it, "down", "up")
            await world.until("sent", "sent", "waiting")
            await delete(world, it)
            await world.until("sent", "sent", "suppressed")
