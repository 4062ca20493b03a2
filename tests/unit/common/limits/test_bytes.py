"""A request that is too large is refused before most of it was read."""

import asyncio
import socket
from collections import Counter

import pytest

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n%b\r\n" % (b"a: b\r\n" * 99), 200),
        (b"GET / HTTP/1.1\r\nHost: x\r\n%b\r\n" % (b"a: b\r\n" * 100), 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\na: %b\r\n\r\n" % (b"b" * 32_000), 200),
        (b"GET / HTTP/1.1\r\nHost: x\r\na: %b\r\n\r\n" % (b"b" * 33_000), 431),
        (b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % (b"b" * 8191), 200),
        (b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % (b"b" * 8192), 414),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n%b" % (b"a" * 100_000), 200),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n%b" % (b"a" * 100_001), 413),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n%b\r\n0\r\n\r\n"
            % (b"a" * 100_000),
            200,
        ),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n%b\r\n0\r\n\r\n"
            % (b"a" * 100_001),
            413,
        ),
    ],
)
async def test_sizes_are_limited(served, head, status):
    found = await served.say(head)

    assert [code for code, _ in found] == [status]


@pytest.mark.parametrize(("size", "status"), [(16_000, 200), (17_000, 431)])
async def test_head_that_arrives_in_two_pieces_is_limited_as_in_one(patient, size, status):
    async with patient.connect() as (reader, writer):
        before = patient.bytes_read()
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"b" * size)
        async with asyncio.timeout(30):
            while patient.bytes_read() < before + size:
                await asyncio.sleep(0.01)
        writer.write(b"b" * size + b"\r\n\r\n")

        assert [code for code, _ in await patient.answers(reader, 0.2)] == [status]


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        (b"/ping/x", b"x", 200),
        (b"/data-gateway/ping/x/fail?rid=y", b"x", 200),
        (b"/data-gateway/v1/heartbeat/x", b"x", 200),
        (b"/v1/heartbeat/x", b"Data-Gateway.example.com", 200),
        (b"/v1/heartbeat/x", b"resource-cmd.example.com", 413),
        (b"/resource-cmd/v1/heartbeat/x", b"data-gateway.example.com", 413),
        (b"/resource-cmd/ping/x", b"x", 413),
        (b"/x/data-gateway/ping/x", b"x", 413),
        (b"/pinger", b"x", 413),
    ],
)
async def test_pings_alone_may_have_long_bodies(served, path, host, status):
    head = b"POST %b HTTP/1.1\r\nHost: %b\r\n" % (path, host)
    body = b"Content-Length: 1000000\r\n\r\n%b" % (b"a" * 1_000_000)
    chunked = b"Transfer-Encoding: chunked\r\n\r\nf4240\r\n%b\r\n0\r\n\r\n" % (b"a" * 1_000_000)

    for sent in (head + body, head + chunked):
        [(code, answer)] = await served.say(sent)
        assert code == status
        assert code == 413 or answer["length"] == 1_000_000


async def test_long_bodies_of_pings_end_at_64_mib(served):
    head = b"POST /ping/x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"

    assert [code for code, _ in await served.say(head % ((64 << 20) + 1))] == [413]


async def test_a_long_body_that_comes_steadily_has_its_time(served):
    async with served.connect() as (reader, writer):
        writer.write(b"POST /ping/x HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n")
        for _ in range(20):
            writer.write(b"a" * 100_000)
            await asyncio.sleep(0.05)  # a second in all, where a request has half of one

        assert [code for code, _ in await served.answers(reader, 1)] == [200]


async def test_head_that_comes_slowly_is_limited_too(patient):
    async with patient.connect() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\na: ")
        for _ in range(40):
            writer.write(b"b" * 1000)
            await asyncio.sleep(0.002)

        assert [code for code, _ in await patient.answers(reader, 0.2)] == [431]


@pytest.mark.parametrize(
    ("begin", "piece", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a: b\r\n" * 4096, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\na: ", b"b" * 65536, 431),
        (b"GET /", b"b" * 65536, 414),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000000\r\n\r\n", b"a" * 65536, 413),
        (
            b"POST /unread HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"10000\r\n%b\r\n" % (b"a" * 65536),
            413,
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n%b\r\n" % (b"a" * 65536), 413),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 10000, 413),
    ],
)
async def test_endless_request_is_refused_early(served, begin, piece, status):
    before = served.bytes_read()
    async with served.connect() as (reader, writer):
        writer.write(begin)
        sending = asyncio.create_task(send_300_mb(writer, piece))
        found = await served.answers(reader, 0.5)
        sending.cancel()

    assert [code for code, _ in found] == [200] * (b"unread" in begin) + [status] * (b"unread" not in begin)
    assert served.bytes_read() - before < 1_500_000


async def send_300_mb(writer, piece):
    await asyncio.sleep(0.05)  # so that an application that reads no body answers first
    for _ in range(300_000_000 // len(piece)):
        writer.write(piece)
        await writer.drain()


def test_blocking_client_that_sends_first_still_reads_why_it_is_refused(served):
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n")
        with pytest.raises(BrokenPipeError):
            client.sendall(b"a" * 100_000_000)

        assert client.recv(65536).startswith(b"HTTP/1.1 413 ")


async def go_on(other, reader, writer):
    """Sends more of a body, a little at a time, until there is an answer."""
    reading = asyncio.create_task(other.answers(reader, 0.2))
    while not reading.done():
        await asyncio.wait({reading}, timeout=0.03)
        writer.write(b"a" * 10)
    return reading.result()


async def test_bodies_of_all_clients_together_are_limited(start):
    with start(body_limit=1 << 20) as other:
        begin = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n%b" % (b"a" * 900_000)
        async with other.connect_many(8, begin) as begun:
            answered = await asyncio.gather(*[go_on(other, *pair) for pair in begun])
            found = Counter(code for each in answered for code, _ in each)
            normal = await other.say(GET)

    assert found[503] >= 4  # the rest fits in: those whose bodies never end
    assert found.keys() <= {503, 408}
    assert [code for code, _ in normal] == [200]
