"""SMTP, POP3 and IMAP: each speaks its protocol, and keeps to TLS where the server offers it."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from pinghome_common.events.probe import Verdict
from prober.probes.connecting import tls_context
from running import free_port
from unit.prober.mail import LANGUAGES, mail

pytestmark = pytest.mark.asyncio(loop_scope="module")

every = pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.kind)


@pytest.fixture(scope="session")
def ca():
    """An authority that probes trust."""
    made = trustme.CA()
    made.configure_trust(tls_context(verify=True))
    return made


def serving(authority: trustme.CA, *names: str, **how) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or ("127.0.0.1",)), **how).configure_cert(context)
    return context


@every
async def test_server_that_offers_tls_is_followed_there_and_taken_leave_of(reach, ca, language):
    async with mail(language.greeting, language.replies, tls=serving(ca)) as server:
        seen = await reach(language.kind, server.port)

    assert (seen.verdict, seen.error, seen.address) == (Verdict.up, "", "127.0.0.1")
    words = [word for word, _ in server.heard]
    assert (language.upgrade, False) in server.heard
    assert words[-1] in (b"QUIT", b"LOGOUT")
    assert server.heard[-1][1] is True
    assert 0 < seen.phases.tls < seen.phases.total
    assert seen.phases.first_byte is not None


@every
async def test_server_without_tls_is_up_all_the_same(reach, language):
    plain = {word: reply.replace(b"STARTTLS", b"X").replace(b"STLS", b"X") for word, reply in language.replies.items()}
    async with mail(language.greeting, plain) as server:
        seen = await reach(language.kind, server.port)

    assert (seen.verdict, seen.error, seen.phases.tls) == (Verdict.up, "", None)
    assert language.upgrade not in [word for word, _ in server.heard]


@every
async def test_tls_comes_first_on_the_port_for_it(reach, ca, language, monkeypatch):
    async with mail(language.greeting, language.replies, tls=serving(ca), first=True) as server:
        monkeypatch.setattr(language.module, "TLS_PORT", server.port)
        seen = await reach(language.kind, server.port)

    assert (seen.verdict, seen.error) == (Verdict.up, "")
    assert {secured for _, secured in server.heard} == {True}
    assert language.upgrade not in [word for word, _ in server.heard]


BAD = {
    "another authority": (lambda _: serving(trustme.CA()), "unable to get local issuer"),
    "another name": (lambda ca: serving(ca, "other.example"), "not valid for"),
    "expired": (lambda ca: serving(ca, "127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1)), "has expired"),
}


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("first", [False, True])
@every
async def test_certificate_that_is_not_accepted_is_down_unless_told_to_skip(
    reach, ca, language, first, what, monkeypatch
):
    made, sentence = BAD[what]
    async with mail(language.greeting, language.replies, tls=made(ca), first=first) as server:
        if first:
            monkeypatch.setattr(language.module, "TLS_PORT", server.port)
        strict = await reach(language.kind, server.port)
        lenient = await reach(language.kind, server.port, skip_ssl_error=True)

    assert strict.verdict is Verdict.target_fail
    assert strict.error.startswith("the certificate is not accepted: ")
    assert sentence in strict.error
    assert (lenient.verdict, lenient.error) == (Verdict.up, "")


@every
async def test_wrong_greeting_is_down_and_its_words_are_kept(reach, language):
    for greeting in (b"554 go away\r\n", b"-ERR busy\r\n", b"* BYE busy\r\n", b"SSH-2.0-x\r\n", b"\r\n", b"\0\xff\r\n"):
        async with mail(greeting, language.replies) as server:
            seen = await reach(language.kind, server.port)

        assert seen.verdict is Verdict.target_fail, greeting
        assert seen.error.startswith("greeted with "), greeting
        assert seen.body == greeting


@every
async def test_offered_tls_that_is_refused_is_down(reach, language):
    async with mail(language.greeting, language.without(language.upgrade)) as server:
        seen = await reach(language.kind, server.port)

    assert seen.verdict is Verdict.target_fail
    assert "STARTTLS" in seen.error or "STLS" in seen.error


@every
async def test_words_slipped_in_before_the_handshake_are_down(reach, ca, language):
    slipped = {**language.replies, language.upgrade: language.replies[language.upgrade] + b"+OK 250 p3 OK evil\r\n"}
    async with mail(language.greeting, slipped, tls=serving(ca)) as server:
        seen = await reach(language.kind, server.port)

    assert (seen.verdict, seen.error) == (
        Verdict.target_fail,
        "TLS failed: the target sent data before the handshake",
    )


@every
async def test_garbage_instead_of_a_handshake_is_down(reach, listening, language):
    async def answer(writer):
        writer.write(language.greeting)
        for word in (b"EHLO", b"CAPA", b"CAPABILITY"):
            writer.write(language.replies.get(word, b"").replace(b"TAG", b"p1"))
        await asyncio.sleep(0.1)
        writer.write(language.replies[language.upgrade].replace(b"TAG", b"p2"))
        await asyncio.sleep(0.1)
        writer.write(b"\x16\x03\x01\xff\xff" + b"\0" * 99)
        await asyncio.sleep(5)

    async with listening(answer, read=False) as target:
        seen = await reach(language.kind, target.port, deadline=2)

    assert seen.verdict is Verdict.target_fail
    assert seen.error.startswith(("TLS failed: ", "timed out"))


@every
async def test_server_that_closes_or_refuses_is_down(reach, listening, language):
    async with listening(b"", read=False) as target:
        closed = await reach(language.kind, target.port)
    refused = await reach(language.kind, target.port)

    assert closed.verdict is refused.verdict is Verdict.target_fail
    assert "closed the connection" in closed.error
    assert refused.error == "refused the connection"


@every
async def test_silent_server_ends_at_the_deadline(reach, listening, language):
    async with listening(lambda _: asyncio.sleep(10), read=False) as target:
        seen = await reach(language.kind, target.port, deadline=0.3)

    assert (seen.verdict, seen.error) == (
        Verdict.target_fail, "timed out after 0.3 s while waiting for the greeting"
    )  # fmt: skip


@every
async def test_server_that_does_not_take_leave_is_up(reach, language):
    rude = {word: reply for word, reply in language.replies.items() if word not in (b"QUIT", b"LOGOUT")}
    rude = {word: reply.replace(b"STARTTLS", b"X").replace(b"STLS", b"X") for word, reply in rude.items()}
    async with mail(language.greeting, rude) as server:
        assert (await reach(language.kind, server.port)).verdict is Verdict.up


async def test_old_server_is_greeted_with_helo(reach):
    language = LANGUAGES[0]
    async with mail(language.greeting, language.without(b"EHLO")) as server:
        seen = await reach("smtp", server.port)

    assert (seen.verdict, [word for word, _ in server.heard]) == (Verdict.up, [b"EHLO", b"HELO", b"QUIT"])


async def test_old_pop_server_without_capabilities_is_up(reach):
    language = LANGUAGES[1]
    async with mail(language.greeting, language.without(b"CAPA")) as server:
        seen = await reach("pop", server.port)

    assert (seen.verdict, [word for word, _ in server.heard]) == (Verdict.up, [b"CAPA", b"QUIT"])


@pytest.mark.parametrize("secured", [False, True])
async def test_real_smtp_server_is_up(reach, ca, secured):
    more = {"tls_context": serving(ca), "require_starttls": True} if secured else {}
    server = Controller(Sink(), hostname="127.0.0.1", port=free_port(), **more)
    server.start()
    try:
        seen = await reach("smtp", server.port)
        async with asyncio.timeout(10):
            while asyncio.all_tasks(server.loop):  # it has not yet noticed that we are gone
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)
    finally:
        server.stop()

    assert (seen.verdict, seen.error) == (Verdict.up, "")
    assert (seen.phases.tls is not None) is secured
