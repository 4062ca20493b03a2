"""What the HTTP probe makes of every answer, and whose fault it is when there is none."""

import asyncio
import re
import resource
import socket
import time
from ipaddress import ip_network

import pytest

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Guard
from prober.probes import attempt
from running import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npinghome"


async def test_target_that_answers_is_up_with_all_that_was_seen(listening, look):
    async with listening(OK) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.status_code, seen.error) == (Verdict.up, 200, "")
    assert (seen.address, seen.headers, seen.body) == ("127.0.0.1", [(b"Content-Length", b"8")], b"pinghome")


async def test_phases_are_milliseconds_of_the_parts_there_were(listening, look):
    async def answer(writer):
        await asyncio.sleep(0.1)
        writer.write(OK[:-4])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(OK[-4:])

    async with listening(answer) as target:
        phases = (await look(target.url)).phases

    assert phases.dns is None
    assert phases.tls is None
    assert 0 < phases.connect < 10_000
    assert 99 <= phases.first_byte < 10_000  # 100 ms would be 100,000 µs
    assert phases.first_byte + 45 <= phases.total < 20_000


async def test_name_is_looked_up_and_timed(listening, look):
    async with listening(OK) as target:
        seen = await look(
            f"http://localhost:{target.port}/", guard=Guard([ip_network("127.0.0.0/8"), ip_network("::1/128")])
        )

    assert seen.verdict is Verdict.up
    assert seen.address == "127.0.0.1"
    assert seen.phases.dns > 0


@pytest.mark.parametrize("status", [200, 201, 204, 206, 299, 300, 301, 302, 304, 399])
async def test_status_of_2xx_and_3xx_is_up(listening, look, status):
    async with listening(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.status_code, seen.error) == (Verdict.up, status, "")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (400, "answered 400 Bad Request"),
        (404, "answered 404 Not Found"),
        (500, "answered 500 Internal Server Error"),
        (503, "answered 503 Service Unavailable"),
        (599, "answered 599"),
        (999, "answered 999"),
    ],
)
async def test_other_status_is_the_targets_failure(listening, look, status, sentence):
    async with listening(b"HTTP/1.1 %d <script>\r\nContent-Length: 2\r\n\r\nno" % status) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.status_code, seen.error, seen.body) == (Verdict.target_fail, status, sentence, b"no")


async def test_switching_protocols_is_no_success(listening, look):
    async with listening(b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00") as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "answered 101 Switching Protocols")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\npinghome", id="until the connection closes"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 8\r\n\r\npinghome", id="HTTP 1.0"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nping\r\n4;x=y\r\nhome\r\n0\r\nT: 1\r\n\r\n",
            id="chunked with extension and trailer",
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, id="100 (Continue) first"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + OK, id="early hints first"),
        pytest.param(OK.replace(b"\r\n", b"\n"), id="bare line feeds"),
        pytest.param(OK.replace(b"\r\n\r\n", b"\r\nX: \xff\x01\r\n\r\n"), id="odd bytes in a header"),
        pytest.param(OK + OK.replace(b"pinghome", b"smuggled").replace(b"200", b"500"), id="more than was asked"),
    ],
)
async def test_answer_is_understood_in_every_framing(listening, look, answer):
    async with listening(answer) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.status_code, seen.error, seen.body) == (Verdict.up, 200, "", b"pinghome")
    assert b"T" not in dict(seen.headers)
    assert b"Link" not in dict(seen.headers)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", OK])
async def test_head_waits_for_no_body(listening, look, answer):
    async def keep_open(writer):
        writer.write(answer)
        await asyncio.sleep(10)

    async with listening(keep_open) as target:
        seen = await look(target.url, deadline=1, method="HEAD")

    assert (seen.verdict, seen.body) == (Verdict.up, b"")
    assert target.last[0] == b"HEAD / HTTP/1.1"


async def test_no_content_waits_for_no_body(listening, look):
    async def keep_open(writer):
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await asyncio.sleep(10)

    async with listening(keep_open) as target:
        assert (await look(target.url, deadline=1)).verdict is Verdict.up


async def test_refused_connection_is_the_targets_failure(look):
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        port = listener.getsockname()[1]

    seen = await look(f"http://127.0.0.1:{port}/")

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "refused the connection")
    assert (seen.address, seen.status_code) == ("127.0.0.1", None)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (socket.EAI_NONAME, Verdict.target_fail),
        (socket.EAI_AGAIN, Verdict.probe_error),
        (socket.EAI_FAIL, Verdict.probe_error),
    ],
)
async def test_missing_name_is_the_targets_failure_and_a_failing_resolver_ours(look, code, verdict):
    def lookup(_):
        raise socket.gaierror(code, "as the resolver says")

    seen = await look("http://name.example/", guard=Guard(lookup=lookup))

    assert seen.verdict is verdict
    assert seen.phases.dns is not None


async def test_silent_resolver_is_our_failure(look):
    seen = await look("http://name.example/", deadline=0.2, guard=Guard(lookup=lambda _: time.sleep(0.5) or []))

    assert (seen.verdict, seen.error) == (Verdict.probe_error, "timed out after 0.2 s while looking up the name")


async def test_deadline_that_a_busy_prober_noticed_too_late_is_our_failure(listening, look, monkeypatch):
    monkeypatch.setattr(attempt, "LATE_TIMEOUT", 0.5)
    async with listening(OK) as target:
        probing = asyncio.create_task(look(target.url, deadline=0.2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        time.sleep(1)  # noqa: ASYNC251  # what a busy prober does to its loop
        seen = await probing

    assert seen.verdict is Verdict.probe_error
    assert re.match(r"timed out after (?!0\.)", seen.error)


async def test_lack_of_file_descriptors_is_our_failure(listening, look):
    async with listening(OK) as target:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            seen = await look(target.url)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert (seen.verdict, seen.error) == (Verdict.probe_error, "prober: too many open files")


async def test_unroutable_network_is_our_failure(look):
    seen = await look("http://224.0.0.1/", guard=Guard([ip_network("224.0.0.0/4")]))

    assert (seen.verdict, seen.error) == (Verdict.probe_error, "prober: network is unreachable")
