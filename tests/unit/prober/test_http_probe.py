"""What the HTTP probe makes of every answer, and of every target that gives none."""

import asyncio
import gzip
import re
import resource
import socket
import struct
import time
from ipaddress import ip_network

import pytest

from pinghome_common.events.probe import Verdict
from pinghome_common.guard import Guard
from prober.probes.request import USER_AGENT

pytestmark = pytest.mark.asyncio(loop_scope="module")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npinghome"
MIB = 1 << 20


def reset(writer):
    """Closes so that the peer is sent a reset: lingering for zero seconds."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def for_ever(writer, piece, pause=0.0):
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)


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
    assert 0 < phases.connect < 90
    assert 99 <= phases.first_byte < 145
    assert phases.first_byte + 45 <= phases.total < 500


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


async def test_answer_may_come_byte_by_byte(listening, look):
    async def answer(writer):
        for byte in OK:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.001)

    async with listening(answer) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.headers, seen.body) == (Verdict.up, [(b"Content-Length", b"8")], b"pinghome")


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


async def test_method_headers_and_body_are_really_sent(listening, look):
    async with listening(OK) as target:
        headers = {"X-Api-Key": "geheim", "Content-Type": "application/json"}
        await look(f"{target.url}a%20b?q=1 2&ü#part", method="POST", headers=headers, body='{"grüße": 1}')

    line, headers, body = target.last
    assert line == b"POST /a%20b?q=1%202&%C3%BC HTTP/1.1"
    assert {b"X-Api-Key: geheim", b"Content-Type: application/json", b"Content-Length: 14"} <= set(headers)
    assert f"Host: 127.0.0.1:{target.port}".encode() in headers
    assert body == '{"grüße": 1}'.encode()


async def test_request_names_us_asks_for_plain_bytes_and_one_answer(listening, look):
    async with listening(OK) as target:
        await look(target.url)

    _, headers, body = target.last
    assert {b"Accept-Encoding: identity", b"Connection: close", f"User-Agent: {USER_AGENT}".encode()} <= set(headers)
    assert not [header for header in headers if header.startswith(b"Content-Length")]
    assert body == b""


async def test_user_agent_may_be_the_users(listening, look):
    async with listening(OK) as target:
        await look(target.url, headers={"user-agent": "mine"})

    assert [header for header in target.last[1] if header.lower().startswith(b"user-agent")] == [b"user-agent: mine"]


async def test_password_in_the_url_is_sent_as_basic_credentials(listening, look):
    async with listening(OK) as target:
        await look(f"http://us%3Aer:p%40ss@127.0.0.1:{target.port}/")

    assert b"Authorization: Basic dXM6ZXI6cEBzcw==" in target.last[1]


@pytest.mark.parametrize(
    "check",
    [
        *({"headers": {name: "1"}} for name in ("Host", "CONTENT-LENGTH", "transfer-encoding", "Connection")),
        *({"headers": {name: "1"}} for name in ("Metadata-Flavor", "X-aws-ec2-metadata-token", "", "a b", "a:b", "ü")),
        *({"headers": {"X": value}} for value in ("a\r\nHost: b", "a\n", "a\0")),
        *({"method": method} for method in ("TRACE", "CONNECT", "get", "GET / HTTP/1.1\r\nX: y\r\n\r\n")),
    ],
    ids=str,
)
async def test_forbidden_header_or_method_is_never_sent(listening, look, check):
    async with listening(OK) as target:
        seen = await look(target.url, **check)

    assert (seen.verdict, target.connections) == (Verdict.blocked, 0)
    assert "may not be sent" in seen.error


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "javascript:1", "//127.0.0.1/", "", "x"),
        *("http://", "http://:80/", "http://-oProxy/", "http://a b/", "http://127.0.0.1:0/", "http://127.0.0.1:99999/"),
        *("http://[::1%25lo]/", "http://[zz]/", "http://a..b/", "http://127.0.0.1/" + "a" * 9000),
    ],
)
async def test_url_that_no_http_probe_should_get_is_blocked(look, url):
    seen = await look(url)

    assert seen.verdict is Verdict.blocked
    assert seen.error.startswith("the URL cannot be probed: ")


@pytest.mark.parametrize(
    "host", ["127.0.0.2", "127.2", "[::ffff:127.0.0.2]", "①②⑦.0.0.2", "0x7f000002", "169.254.169.254"]
)
async def test_forbidden_address_is_blocked_and_never_connected_to(listening, look, host):
    async with listening(OK, host="127.0.0.2") as target:
        seen = await look(f"http://{host}:{target.port}/")

    assert (seen.verdict, target.connections) == (Verdict.blocked, 0)


async def test_drip_of_headers_ends_at_the_deadline(listening, look):
    async def answer(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        await for_ever(writer, b"a", 0.01)

    async with listening(answer) as target:
        seen = await look(target.url, deadline=0.4)

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "timed out after 0.4 s while reading the answer")
    assert 395 < seen.phases.total < 800


async def test_drip_of_body_ends_at_the_deadline_with_the_status_kept(listening, look):
    async def answer(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        await for_ever(writer, b"a", 0.01)

    async with listening(answer) as target:
        seen = await look(target.url, deadline=0.4)

    assert (seen.verdict, seen.status_code) == (Verdict.target_fail, 200)
    assert seen.error == "timed out after 0.4 s while reading the answer"


async def test_silent_target_ends_at_the_deadline(listening, look):
    async with listening(lambda _: asyncio.sleep(10)) as target:
        seen = await look(target.url, deadline=0.3)

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "timed out after 0.3 s while waiting for the first byte")


async def test_target_that_does_not_accept_ends_at_the_deadline(look):
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    queued = [socket.socket() for _ in range(2)]
    for one in queued:
        one.settimeout(0)
        one.connect_ex(listener.getsockname())
    try:
        seen = await look(f"http://127.0.0.1:{listener.getsockname()[1]}/", deadline=0.3)
    finally:
        for one in (listener, *queued):
            one.close()

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "timed out after 0.3 s while connecting")


@pytest.mark.parametrize("length", [b"", b"Content-Length: 99999999\r\n"])
async def test_endless_body_is_cut_at_one_mebibyte_and_that_is_no_error(listening, look, length):
    async def answer(writer):
        writer.write(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n")
        await for_ever(writer, b"a" * 65536)

    async with listening(answer) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.error, len(seen.body)) == (Verdict.up, "", MIB)


async def test_endless_chunks_of_one_byte_are_cut_too(listening, look):
    async def answer(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await for_ever(writer, b"1\r\na\r\n" * 10000)

    async with listening(answer) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.error) == (Verdict.up, "")
    assert MIB / 7 < len(seen.body) < MIB


async def test_compressed_bomb_is_not_unpacked(listening, look):
    bomb = gzip.compress(b"\0" * (50 * MIB))
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)

    async with listening(head + bomb) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.body) == (Verdict.up, bomb)


@pytest.mark.parametrize("piece", [b"a" * 65536, b"X: y\r\n" * 1000, b"\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" * 100])
async def test_endless_headers_are_cut_at_64_kib(listening, look, piece):
    async def answer(writer):
        writer.write(b"HTTP/1.1 100 OK\r\nX: ")
        await for_ever(writer, piece)

    async with listening(answer) as target:
        seen = await look(target.url, deadline=3)

    assert seen.verdict is Verdict.target_fail
    assert re.match("sent more than 64 KiB of headers|did not answer in HTTP", seen.error)


async def test_large_headers_below_the_limit_are_taken(listening, look):
    async with listening(OK.replace(b"\r\n\r\n", b"\r\nX: " + b"a" * 60000 + b"\r\n\r\n")) as target:
        assert (await look(target.url)).verdict is Verdict.up


@pytest.mark.parametrize(
    "answer", [b"HELLO\r\n\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\0" * 99, b"HTTP/2 200\r\n\r\n"]
)
async def test_malformed_answer_is_the_targets_failure(listening, look, answer):
    async with listening(answer) as target:
        seen = await look(target.url)

    assert seen.verdict is Verdict.target_fail
    assert seen.error.startswith("did not answer in HTTP/1.1")


async def test_target_that_speaks_first_is_the_targets_failure(listening, look):
    async with listening(b"220 mail.example ESMTP\r\n", read=False) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.error[:25]) == (Verdict.target_fail, "did not answer in HTTP/1.")


async def test_malformed_body_is_the_targets_failure(listening, look):
    async with listening(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.status_code) == (Verdict.target_fail, 200)


async def test_target_that_closes_without_an_answer_fails(listening, look):
    async with listening(b"") as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "closed the connection without an answer")


@pytest.mark.parametrize("answer", [OK[:-1], OK[:20], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npi"])
async def test_target_that_closes_in_the_middle_fails(listening, look, answer):
    async with listening(answer) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "closed the connection in the middle of its answer")


@pytest.mark.parametrize("answer", [b"", OK[:-1]])
async def test_target_that_resets_fails(listening, look, answer):
    async def abort(writer):
        writer.write(answer)
        await asyncio.sleep(0.05)
        reset(writer)

    async with listening(abort) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "reset the connection")


async def test_target_that_resets_at_once_fails(listening, look):
    async def abort(writer):
        reset(writer)

    async with listening(abort, read=False) as target:
        seen = await look(target.url, body="a" * 100000)

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "reset the connection")


async def test_refused_connection_is_the_targets_failure(look):
    with socket.create_server(("127.0.0.1", 0)) as listener:
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


async def test_cancelled_probe_leaves_no_connection_behind(listening, look):
    closed = asyncio.Event()

    async def answer(writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            await for_ever(writer, b"a", 0.01)
        finally:
            closed.set()

    async with listening(answer) as target:
        probing = asyncio.create_task(look(target.url))
        await asyncio.sleep(0.1)
        probing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probing
        await asyncio.wait_for(closed.wait(), 1)


async def test_hundred_endless_targets_take_little_memory(listening, look):
    async def answer(writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await for_ever(writer, b"a" * 65536)

    async with listening(answer) as target:
        await look(target.url)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seen = await asyncio.gather(*(look(target.url, deadline=20) for _ in range(100)))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024

    assert {len(one.body) for one in seen} == {MIB}
    assert grown < 100 * 4  # MiB; the listeners' own buffers are in it
