"""What every server does: connections kept alive, pipelines, HEAD, upgrades, malformed requests."""

import asyncio
import re

import pytest

CANARY = b"canary-4711"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_connection_is_kept_alive(served):
    async with served.connect() as (reader, writer):
        for _ in range(3):
            writer.write(GET)
            line = await reader.readline()
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.search(rb"content-length: (\d+)", head)[1]))

            assert line == b"HTTP/1.1 200 OK\r\n"
            assert b"server:" not in head
            assert b"date:" in head


async def test_pipelined_requests_are_answered_in_order(served):
    paths = [f"/{number}" for number in range(20)]

    found = await served.say(
        b"".join(b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" % p.encode() for p in paths)
    )

    assert [body["path"] for _, body in found] == paths
    assert {body["length"] for _, body in found} == {3}


async def test_too_many_pipelined_requests_are_refused_after_the_others_are_answered(served):
    found = await served.say(GET * 1000)

    assert [status for status, _ in found] == [200] * 33 + [429]


async def test_request_in_small_pieces_is_served(patient):
    async with patient.connect() as (reader, writer):
        for byte in b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc":
            writer.write(bytes([byte]))
            await asyncio.sleep(0.002)

        assert (await patient.answers(reader, 0.2))[0][1]["length"] == 3


async def test_head_is_answered_without_a_body(served):
    async with served.connect() as (reader, writer):
        writer.write(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")

        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)


@pytest.mark.parametrize(
    "upgrade",
    [
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n",
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    ],
)
@pytest.mark.parametrize("body", [b"", b"abc"])
async def test_upgrade_is_served_as_the_request_it_is(served, upgrade, body):
    request = b"POST /%b HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n%b" % (CANARY, upgrade, len(body), body)

    found = await served.say(request * 2)

    assert found == [(200, {"method": "POST", "path": f"/{CANARY.decode()}", "query": 0, "length": len(body)})] * 2


async def test_connect_is_refused(served):
    assert [code for code, _ in await served.say(b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n")] == [405]


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"nonsense %b\r\n\r\n" % CANARY,
        b"GET /\r\n\r\n",
        b"GET / HTTP/0.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        b"GET / RTSP/1.0\r\nHost: x\r\n\r\n",
        b"OPTIONS rtsp://x/ RTSP/1.1\r\nHost: x\r\n\r\n",
        b"DESCRIBE rtsp://x/ RTSP/1.0\r\nHost: x\r\n\r\n",
        b"SOURCE / ICE/1.0\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/9.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\na\x00: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\na : b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_malformed_request_is_refused_with_400(served, request_):
    for earlier in (b"", GET):
        found = await served.say(earlier + request_)

        assert [code for code, _ in found] == [200] * bool(earlier) + [400]
        assert "not a valid HTTP/1.1 request" in found[-1][1]["message"]


async def test_malformed_request_line_in_small_pieces_is_refused_too(patient):
    async with patient.connect() as (reader, writer):
        for byte in b"GET /%b RTSP/1.0\r\nHost: x\r\n\r\n" % (b"a" * 100):
            writer.write(bytes([byte]))
            await asyncio.sleep(0.001)

        assert [code for code, _ in await patient.answers(reader, 0.5)] == [400]


async def test_what_only_looks_like_another_protocol_is_served(served):
    request = b"POST /x HTTP/1.1\r\nHost: x\r\nUser-Agent: a RTSP/1.0\r\nContent-Length: 10\r\n\r\n/ RTSP/1.0"

    assert [code for code, _ in await served.say(request)] == [200]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_http_1_1_names_a_host_and_http_1_0_need_not(served, version):
    [(code, body)] = await served.say(b"GET / HTTP/%b\r\n\r\n" % version)

    assert code == (200 if version == b"1.0" else 400)
    assert code == 200 or "Host" in body["message"]


@pytest.mark.parametrize("pieces", [1, 2, 1000])
@pytest.mark.parametrize("earlier", [b"", GET])
async def test_raw_bytes_in_a_query_are_taken(patient, earlier, pieces):
    line = "GET /headers?message=größe&x=%C3%A4&y=".encode() + b"\xff\xc3 HTTP/1.1\r\nHost: x\r\nA: \xc3?\xb6\r\n\r\n"
    size = -(-len(line) // pieces)
    async with patient.connect() as (reader, writer):
        if earlier:
            writer.write(earlier)
            await reader.readuntil(b"}")
        for start in range(0, len(line), size):
            writer.write(line[start : start + size])
            await asyncio.sleep(0.002)
        [(code, body)] = await patient.answers(reader, 0.5)

    assert (code, body["query_string"]) == (200, "message=gr%C3%B6%C3%9Fe&x=%C3%A4&y=%FF%C3")
