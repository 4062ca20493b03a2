"""Pings by mail (contract B.5), over real connections."""

import asyncio
import smtplib
import socket
from contextlib import closing
from uuid import uuid4

import pytest

from contract.client import Client
from contract.healthchecks.pinging import Pinging
from running import Platform

DOMAIN = "ping.example.com"
MAIL = b"From: cron@example.com\r\nSubject: =?utf-8?q?Backup_=C3=BC?=\r\n\r\nall went well \xff\r\n.dot\r\n"


@pytest.fixture(scope="session")
async def ping(platform: Platform, client: Client) -> Pinging:
    return await Pinging.of(platform, client)


@pytest.fixture
def port(platform: Platform) -> int:
    return int(platform.environment["PINGHOME_SMTP_LISTEN"].rpartition(":")[2])


async def sent(port: int, recipients: list[str], content: bytes = MAIL, sender: str = "cron@example.com") -> dict:
    """The recipients that were refused, with why."""

    def send() -> dict:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as server:
            try:
                return server.sendmail(sender, recipients, content)
            except smtplib.SMTPRecipientsRefused as refused:
                return refused.recipients

    return await asyncio.to_thread(send)


async def test_a_mail_to_a_check_is_a_success_with_the_whole_message(ping: Pinging, port: int):
    slug, check = await ping.named()
    assert await sent(port, [f"{check}@{DOMAIN}"]) == {}
    assert await sent(port, [f"{ping.key}+{slug}@{DOMAIN.upper()}"]) == {}
    by_slug, by_id, _ = await ping.listed(check)
    for each in (by_id, by_slug):
        assert (each["type"], each["scheme"], each["method"]) == ("success", "email", "")
        assert (each["ua"], each["remote_addr"]) == ("Email from cron@example.com", "127.0.0.1")
        body = await ping.kept(f"v1/checks/{check}/pings/{each['n']}/body")
        assert body.content == MAIL


async def test_relays_may_change_the_case_of_an_address(ping: Pinging, port: int):
    slug, check = await ping.named()
    for address in (check.upper(), f"{ping.key.lower()}+{slug}", f"{ping.key.swapcase()}+{slug.upper()}"):
        assert await sent(port, [f"{address}@{DOMAIN}"]) == {}, address
    assert await ping.types(check) == ["success"] * 4
    assert (await ping("GET", f"{ping.key.lower()}/{slug}")).status_code == 404  # by URL nothing changes
    assert (await ping("GET", check.upper())).status_code == 404


async def test_a_mail_to_nobody_is_refused_and_the_others_get_theirs(ping: Pinging, port: int):
    check = await ping.job()
    nobody = [f"{uuid4()}@{DOMAIN}", f"{check}@example.com", f"{ping.key}+nobody@{DOMAIN}", f"x@{DOMAIN}",
              f"{check}+fail@{DOMAIN}", f"{'x' * 22}+a@{DOMAIN}"]  # fmt: skip
    refused = await sent(port, [*nobody, f"{check}@{DOMAIN}"])
    assert {address: code for address, (code, _) in refused.items()} == dict.fromkeys(nobody, 550)
    assert await ping.types(check) == ["success"]


async def test_a_mail_that_is_too_large_is_refused(ping: Pinging, port: int):
    check = await ping.job()
    with pytest.raises(smtplib.SMTPSenderRefused, match="552"):  # the size is announced
        await sent(port, [f"{check}@{DOMAIN}"], MAIL + b"x" * (1 << 20))
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client, closing(client.makefile("rb")) as said:
        lines = [b"HELO x\r\n", b"MAIL FROM:<a@b.c>\r\n", f"RCPT TO:<{check}@{DOMAIN}>\r\n".encode(), b"DATA\r\n"]
        said.readline()
        for line in lines:
            await asyncio.to_thread(client.sendall, line)
            assert (await asyncio.to_thread(said.readline))[:1] in b"23"
        row = b"x" * 900 + b"\r\n"
        await asyncio.to_thread(client.sendall, row * 1300 + b".\r\n")
        assert (await asyncio.to_thread(said.readline)).startswith(b"552")
    assert await ping.types(check) == []


async def test_odd_mails_are_pings_too(ping: Pinging, port: int):
    check = await ping.job()
    odd = [
        b"",
        b"\r\n",
        b"Subject\r\n\r\n",
        b"Subject: =?nope?b?////?=\r\n\r\n",
        b"Subject: " + b"\xff" * 500,
        b"Subject: =?utf-8?b?" + b"A" * 900 + b"\r\n\r\n\x00",
        b"\x00: \r\nSubject: \xc3\r\n\tfolded\r\n\r\n",
    ]
    for content in odd:
        assert await sent(port, [f"{check}@{DOMAIN}"], content) == {}
    assert await sent(port, [f"{check}@{DOMAIN}"], sender="") == {}
    assert await ping.types(check) == ["success"] * (len(odd) + 1)
    assert (await ping.listed(check))[0]["ua"] == "Email from <>"


async def test_chatter_neither_stops_the_mailbox_nor_reaches_the_log(ping: Pinging, port: int, platform: Platform):
    check, word = await ping.job(), f"noise-{uuid4()}"
    said = word.encode()
    noises = [
        b"\x00\xff\r\n" * 50,
        b"RCPT TO:<" + said * 3000 + b">\r\n",
        b"GET /" + said + b" HTTP/1.1\r\n\r\n",
        b"MAIL FROM:<>\r\n" * 300,
        b"EHLO " + said + b"\r\nAUTH PLAIN AAAA\r\nSTARTTLS\r\nVRFY x\r\n",
    ]
    for noise in noises:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            await asyncio.to_thread(client.sendall, noise)
            await asyncio.sleep(0.05)
    assert await sent(port, [f"{check}@{DOMAIN}"]) == {}
    assert word not in platform.log.read_text()
