"""Which certificates and which TLS the HTTP probe takes."""

import asyncio
import ssl
import warnings
from ipaddress import ip_network

import pytest

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Guard

pytestmark = pytest.mark.asyncio(loop_scope="module")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npinghome"
BAD = [
    ({"days": -1}, "certificate has expired"),
    ({"self_signed": True}, "self-signed certificate"),
    ({"name": "other.example"}, "certificate is not valid for"),
]


async def test_good_certificate_is_verified_and_the_handshake_timed(listening, look, authority):
    async with listening(OK, tls=authority.server()) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.error, seen.body) == (Verdict.up, "", b"pinghome")
    assert 0 < seen.phases.connect < seen.phases.connect + seen.phases.tls < seen.phases.total
    assert seen.phases.first_byte > 0


async def test_name_is_sent_and_verified_while_the_checked_address_is_connected_to(listening, look, authority):
    names = []
    context = authority.server(name="site.example")
    context.sni_callback = lambda _, name, __: names.append(name)
    guard = Guard([ip_network("127.0.0.1/32")], lookup=lambda _: ["127.0.0.1"])

    async with listening(OK, tls=context) as target:
        seen = await look(f"https://Site.example.:{target.port}/", guard=guard)

    assert (seen.verdict, seen.error, names) == (Verdict.up, "", ["site.example"])


@pytest.mark.parametrize(("certificate", "sentence"), BAD)
async def test_bad_certificate_is_the_targets_failure(listening, look, authority, certificate, sentence):
    async with listening(OK, tls=authority.server(**certificate)) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.status_code, target.requests) == (Verdict.target_fail, None, [])
    assert seen.error.startswith("the certificate is not accepted: ")
    assert sentence in seen.error


@pytest.mark.parametrize(("certificate", "sentence"), BAD)
async def test_bad_certificate_is_taken_when_told_to(listening, look, authority, certificate, sentence):
    async with listening(OK, tls=authority.server(**certificate)) as target:
        seen = await look(target.url, skip_ssl_error=True)

    assert (seen.verdict, seen.body) == (Verdict.up, b"pinghome"), sentence


async def test_skipping_for_one_does_not_weaken_the_next(listening, look, authority):
    async with listening(OK, tls=authority.server(self_signed=True)) as target:
        assert (await look(target.url, skip_ssl_error=True)).verdict is Verdict.up
        assert (await look(target.url)).verdict is Verdict.target_fail


@pytest.mark.parametrize(("skip", "verdict"), [(False, Verdict.target_fail), (True, Verdict.up)])
async def test_old_tls_is_taken_only_when_told_to(listening, look, authority, skip, verdict):
    context = authority.server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1

    async with listening(OK, tls=context) as target:
        seen = await look(target.url, skip_ssl_error=skip)

    assert seen.verdict is verdict, seen.error
    assert skip or seen.error == "closed the connection during the TLS handshake"  # asyncio's server sends no alert


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("garbage", [b"220 mail.example ESMTP\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 99, b"\0" * 9999])
async def test_garbage_instead_of_tls_is_the_targets_failure(listening, look, garbage, read, skip):
    async def answer(writer):
        writer.write(garbage)
        await asyncio.sleep(2)

    async with listening(answer, read=read) as target:
        seen = await look(target.url.replace("http:", "https:"), deadline=1, skip_ssl_error=skip)

    assert seen.verdict is Verdict.target_fail
    assert seen.error.startswith("TLS failed: ") or (read and "completing the TLS handshake" in seen.error)


async def test_target_that_spoke_before_a_busy_prober_began_the_handshake_is_told_at_once(listening, look):
    class Busy(Guard):
        async def connect(self, *args, **kwargs):
            made = await super().connect(*args, **kwargs)
            await asyncio.sleep(0.1)
            return made

    async def greet(writer):
        writer.write(b"220 mail.example\r\n")
        await asyncio.sleep(10)

    async with listening(greet, read=False) as target:
        seen = await look(target.url.replace("http:", "https:"), guard=Busy([ip_network("127.0.0.1/32")]))

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "TLS failed: the target sent data before the handshake")
    assert seen.phases.total < 1000


async def test_close_in_the_handshake_is_the_targets_failure(listening, look):
    async with listening(b"", read=False) as target:
        seen = await look(target.url.replace("http:", "https:"))

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "closed the connection during the TLS handshake")


async def test_silence_in_the_handshake_ends_at_the_deadline(listening, look):
    async with listening(lambda _: asyncio.sleep(10), read=False) as target:
        seen = await look(target.url.replace("http:", "https:"), deadline=0.3)

    assert (seen.verdict, seen.error) == (
        Verdict.target_fail,
        "timed out after 0.3 s while completing the TLS handshake",
    )


async def test_drip_in_the_handshake_ends_at_the_deadline(listening, look):
    async def answer(writer):
        writer.write(b"\x16\x03\x03\x40\x00")
        while True:
            writer.write(b"\x02")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with listening(answer, read=False) as target:
        seen = await look(target.url.replace("http:", "https:"), deadline=0.3)

    assert seen.verdict is Verdict.target_fail
    assert seen.phases.total < 3000


async def test_body_may_end_with_the_connection_over_tls(listening, look, authority):
    async with listening(b"HTTP/1.1 200 OK\r\n\r\npinghome", tls=authority.server()) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.error, seen.body) == (Verdict.up, "", b"pinghome")


async def test_body_may_end_with_a_connection_cut_without_goodbye(listening, look, authority):
    async def answer(writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\npinghome")
        await asyncio.sleep(0.05)
        writer.transport.abort()  # FIN without close_notify, as many servers do

    async with listening(answer, tls=authority.server()) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.error, seen.body) == (Verdict.up, "", b"pinghome")


async def test_answer_cut_in_the_middle_over_tls_is_the_targets_failure(listening, look, authority):
    async def answer(writer):
        writer.write(OK[:-2])
        await asyncio.sleep(0.05)
        writer.transport.abort()

    async with listening(answer, tls=authority.server()) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.status_code) == (Verdict.target_fail, 200)
    assert seen.error == "closed the connection in the middle of its answer"


async def test_endless_body_over_tls_is_cut(listening, look, authority):
    async def answer(writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"a" * 65536)
            await writer.drain()

    async with listening(answer, tls=authority.server()) as target:
        seen = await look(target.url)

    assert (seen.verdict, len(seen.body)) == (Verdict.up, 1 << 20)


async def test_redirect_from_http_to_https_is_followed_and_back_is_not(listening, look, authority):
    def to(url):
        return f"HTTP/1.1 302 Found\r\nLocation: {url}\r\n\r\n".encode()

    async with listening(OK) as plain, listening(to(plain.url), tls=authority.server()) as secure:
        back = await look(secure.url)
    async with listening(OK, tls=authority.server()) as secure, listening(to(secure.url)) as first:
        forth = await look(first.url)

    assert (back.verdict, back.error, plain.connections) == (Verdict.target_fail, "redirects from https to http", 0)
    assert (forth.verdict, forth.error) == (Verdict.up, "")
