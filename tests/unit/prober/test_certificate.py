"""What a handshake tells of a certificate, good or bad, and when it is told again."""

import asyncio
import dataclasses
import ssl
import warnings
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from authorities import Authority, pem, serving
from pinghome_common.events.probe import Job, Verdict
from pinghome_common.guard import Guard
from prober.probe import probe
from prober.probes import certificate
from prober.probes.certificate import CertificateChanges
from prober.probes.connecting import tls_context

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # asyncio's server leaves a connection that is aborted in its handshake, as the second ones are, to the collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npinghome"
AT = datetime(2026, 11, 21, tzinfo=UTC)
GUARD = Guard([ip_network("127.0.0.1/32")])


@pytest.fixture(scope="module")
def root() -> Authority:
    made = Authority("Pinghome's test root")
    tls_context(verify=True).load_verify_locations(cadata=pem(made.certificate).decode())
    return made


@pytest.fixture(scope="module")
def issuer(root) -> Authority:
    return Authority("Pinghome's test intermediate", root)


async def seen_of(target, told=None, monitor=None, guard=GUARD, **settings):
    """A probe of an https monitor, and the news of its certificate."""
    job = Job(**{"resource": monitor or uuid4(), "type": "http", "interval": 60, "url": target.url, **settings})
    seen = await probe(job, guard, lambda _: ({}, ""))
    news = await (told or CertificateChanges()).changed(job.resource, seen.peer, guard, AT) if seen.peer else None
    await asyncio.sleep(0.02)  # the server's turn to notice that it is over
    return seen, news


async def test_good_certificate_is_told_with_its_chain(listening, issuer, tmp_path):
    async with listening(OK, tls=issuer.context(tmp_path)) as target:
        seen, it = await seen_of(target)

    assert seen.verdict is Verdict.up, seen.error
    assert (it.host, it.subject, it.issuer) == ("127.0.0.1", "CN=localhost", "CN=Pinghome's test intermediate")
    assert it.sans == ["localhost", "127.0.0.1"]
    assert (it.verified, it.problem, it.checked_at) == (True, "", AT)
    assert timedelta(days=29) < it.valid_to - datetime.now(UTC) < timedelta(days=30)
    assert it.valid_from < datetime.now(UTC)
    assert [link.subject for link in it.chain] == ["CN=Pinghome's test intermediate"]
    assert it.chain[0].issuer == "CN=Pinghome's test root"
    assert len({it.sha256, it.chain[0].sha256}) == 2
    assert int(it.serial_number, 16) > 0


SUITES = [
    *("ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
    *("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA", "AES128-SHA256"),
]


@pytest.mark.parametrize("suite", SUITES)
async def test_every_tls_1_2_suite_that_curl_takes_is_taken_and_verified(listening, issuer, tmp_path, suite):
    key = rsa.generate_private_key(65537, 2048)
    context = serving(tmp_path, key, issuer.leaf(key), issuer.certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(suite)
    async with listening(OK, tls=context) as target:
        seen, it = await seen_of(target)

    assert (seen.verdict, it.verified) == (Verdict.up, True), seen.error


@pytest.mark.parametrize("suite", ["NULL-SHA256", "ADH-AES128-SHA256"])
async def test_suite_without_secrecy_or_server_is_refused(listening, issuer, tmp_path, suite):
    key = rsa.generate_private_key(65537, 2048)
    context = serving(tmp_path, key, issuer.leaf(key), issuer.certificate)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{suite}:@SECLEVEL=0")
    async with listening(OK, tls=context) as target:
        assert (await seen_of(target))[0].verdict is Verdict.target_fail


@pytest.mark.parametrize("skip", [False, True])
async def test_name_in_the_common_name_alone_is_not_verified(listening, issuer, tmp_path, skip):
    guard = Guard([ip_network("127.0.0.1/32")], lookup=lambda _: ["127.0.0.1"])
    async with listening(OK, tls=issuer.context(tmp_path, name="site.example", named_by_san=False)) as target:
        seen, it = await seen_of(target, guard=guard, url=f"https://site.example:{target.port}/", skip_ssl_error=skip)

    assert seen.verdict is (Verdict.up if skip else Verdict.target_fail)
    assert (it.verified, it.sans) == (False, [])
    assert "certificate is not valid for 'site.example'" in it.problem


async def test_certificate_behind_old_tls_says_that_it_was_not_verified_and_why(listening, issuer, tmp_path):
    context = issuer.context(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    async with listening(OK, tls=context) as target:
        seen, it = await seen_of(target, skip_ssl_error=True)

    assert (seen.verdict, it.verified) == (Verdict.up, False)
    assert it.problem == "it could not be verified: the server uses TLS 1.0, and TLS 1.2 is the minimum"


BAD = [
    ({"days": -1}, "certificate has expired"),
    ({"name": "other.example"}, "certificate is not valid for '127.0.0.1'"),
    ({"self_signed": True}, "self-signed certificate"),
    ({"chain": False}, "unable to get local issuer certificate: the server does not send an intermediate certificate"),
]


@pytest.mark.parametrize(("leaf", "words"), BAD, ids=[words[:24] for _, words in BAD])
async def test_refused_certificate_is_down_with_the_reason_and_told_all_the_same(
    listening, issuer, tmp_path, leaf, words
):
    async with listening(OK, tls=issuer.context(tmp_path, **leaf)) as target:
        seen, it = await seen_of(target)

    assert seen.verdict is Verdict.target_fail
    assert seen.error.startswith("the certificate is not accepted: ")
    assert words.lower() in seen.error.lower()
    assert (it.verified, it.problem) == (False, seen.error.partition(": ")[2])
    assert it.subject == f"CN={leaf.get('name', 'localhost')}"


@pytest.mark.parametrize(("leaf", "words"), BAD, ids=[words[:24] for _, words in BAD])
async def test_certificate_that_the_monitor_does_not_verify_is_judged_all_the_same(
    listening, issuer, tmp_path, leaf, words
):
    async with listening(OK, tls=issuer.context(tmp_path, **leaf)) as target:
        seen, it = await seen_of(target, skip_ssl_error=True)

    assert (seen.verdict, it.verified) == (Verdict.up, False)
    assert words.lower() in it.problem.lower()


async def test_good_certificate_is_verified_where_the_monitor_does_not(listening, issuer, tmp_path):
    async with listening(OK, tls=issuer.context(tmp_path)) as target:
        _, it = await seen_of(target, skip_ssl_error=True)

    assert (it.verified, it.problem) == (True, "")


@pytest.mark.parametrize("skip", [True, False])
async def test_unchanged_certificate_is_told_once_and_again_after_six_hours(
    listening, issuer, tmp_path, monkeypatch, skip
):
    told, monitor, clock = CertificateChanges(), uuid4(), 1000.0
    monkeypatch.setattr(certificate, "monotonic", lambda: clock)
    shaken, shake = [], certificate._handshake

    async def counted(*args, **how):
        shaken.append(how)
        return await shake(*args, **how)

    monkeypatch.setattr(certificate, "_handshake", counted)
    async with listening(OK, tls=issuer.context(tmp_path)) as target:
        _, first = await seen_of(target, told, monitor, skip_ssl_error=skip)
        assert shaken == [{"verify": True}] * skip
        _, second = await seen_of(target, told, monitor, skip_ssl_error=skip)
        assert len(shaken) == skip  # nothing but the probe itself
        _, other = await seen_of(target, told, uuid4(), skip_ssl_error=skip)
        clock += 6 * 3600
        _, later = await seen_of(target, told, monitor, skip_ssl_error=skip)
        told.forget()
        _, forgotten = await seen_of(target, told, monitor, skip_ssl_error=skip)

    assert second is None
    assert first == other == later == forgotten


async def test_another_certificate_is_told_at_once(listening, issuer, tmp_path):
    told, monitor = CertificateChanges(), uuid4()
    async with listening(OK, tls=issuer.context(tmp_path)) as target:
        _, first = await seen_of(target, told, monitor)
    async with listening(OK, tls=issuer.context(tmp_path, days=90)) as target:
        _, second = await seen_of(target, told, monitor)

    assert first.sha256 != second.sha256
    assert second.valid_to > first.valid_to


async def test_refused_certificate_that_stays_the_same_is_told_once(listening, issuer, tmp_path):
    told, monitor = CertificateChanges(), uuid4()
    async with listening(OK, tls=issuer.context(tmp_path, days=-1)) as target:
        assert (await seen_of(target, told, monitor))[1] is not None
        assert (await seen_of(target, told, monitor))[1] is None


async def test_certificate_of_a_redirects_end_is_not_the_monitors(listening, issuer, tmp_path):
    async with listening(OK, tls=issuer.context(tmp_path, days=10)) as end:
        there = f"HTTP/1.1 302 Found\r\nLocation: {end.url}\r\n\r\n".encode()
        async with listening(there, tls=issuer.context(tmp_path, days=20)) as target, listening(there) as plain:
            seen, it = await seen_of(target)
            from_http, none = await seen_of(plain)

    assert (seen.verdict, from_http.verdict) == (Verdict.up, Verdict.up)
    assert timedelta(days=19) < it.valid_to - datetime.now(UTC) < timedelta(days=20)
    assert none is None


async def test_certificate_of_plain_http_is_none(listening):
    async with listening(OK) as target:
        seen, it = await seen_of(target)

    assert (seen.verdict, seen.peer, it) == (Verdict.up, None, None)


async def test_target_that_is_gone_when_its_refused_certificate_is_fetched_tells_none(listening, issuer, tmp_path):
    async with listening(OK, tls=issuer.context(tmp_path, days=-1)) as target:
        job = Job(resource=uuid4(), type="http", interval=60, url=target.url)
        seen = await probe(job, GUARD, lambda _: ({}, ""))

    assert seen.verdict is Verdict.target_fail
    assert await CertificateChanges().changed(job.resource, seen.peer, GUARD, AT) is None


async def test_hostile_certificate_is_cut_and_plain(listening, issuer, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = issuer.leaf(key, sans=500, subject="a\0b\u202ec")
    chain = [leaf, *(Authority(f"link {number}", issuer).certificate for number in range(20))]
    async with listening(OK, tls=serving(tmp_path, key, *chain)) as target:
        _, it = await seen_of(target, skip_ssl_error=True)

    assert it.subject == "CN=a\\00b\N{REPLACEMENT CHARACTER}c"  # RFC 4514 writes NUL so
    assert (len(it.sans), len(it.chain)) == (100, 9)


async def test_tls_probe_shakes_hands_and_no_more(listening, issuer, tmp_path):
    async def silent(_writer):
        await asyncio.sleep(10)

    async with listening(silent, read=False, tls=issuer.context(tmp_path)) as target:
        seen, it = await seen_of(target, type="tls", url="", host="127.0.0.1", port=target.port)

    assert (seen.verdict, seen.error, seen.address) == (Verdict.up, "", "127.0.0.1")
    assert seen.phases.connect > 0
    assert seen.phases.tls > 0
    assert seen.phases.first_byte is None
    assert it.verified


@pytest.mark.parametrize(("leaf", "words"), BAD, ids=[words[:24] for _, words in BAD])
async def test_tls_probe_refuses_what_https_refuses(listening, issuer, tmp_path, leaf, words):
    async with listening(OK, read=False, tls=issuer.context(tmp_path, **leaf)) as target:
        settings = {"type": "tls", "url": "", "host": "127.0.0.1", "port": target.port}
        refused, it = await seen_of(target, **settings)
        taken, same = await seen_of(target, **settings, skip_ssl_error=True)

    assert (refused.verdict, taken.verdict) == (Verdict.target_fail, Verdict.up)
    assert words.lower() in refused.error.lower()
    assert dataclasses.replace(same, problem=it.problem) == it


async def test_tls_probe_of_what_speaks_no_tls_or_nothing_fails_in_time(listening):
    async def greet(writer):
        writer.write(b"220 mail.example\r\n")
        await asyncio.sleep(10)

    async with listening(greet, read=False) as target:
        job = Job(resource=uuid4(), type="tls", interval=5, host="127.0.0.1", port=target.port)
        seen = await probe(job, GUARD, lambda _: ({}, ""))
    gone = await probe(job, GUARD, lambda _: ({}, ""))
    metadata = Job(resource=uuid4(), type="tls", interval=5, host="169.254.169.254")

    assert seen.verdict is Verdict.target_fail
    assert seen.error.startswith("TLS failed: ")
    assert (gone.verdict, gone.error) == (Verdict.target_fail, "refused the connection")
    assert (await probe(metadata, GUARD, lambda _: ({}, ""))).verdict is Verdict.blocked
