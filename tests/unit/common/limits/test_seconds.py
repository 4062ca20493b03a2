"""A request or an answer that takes too long ends, and the connection with it."""

import asyncio
import time

import pytest

REQUEST_TIMEOUT = 0.5
ANSWER_TIMEOUT = 3.0
CANARY = b"canary-4711"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"G", b""),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a: %b\r\n" % CANARY),
        (b"GET /", b"a"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b"a"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n", b""),
    ],
)
async def test_dripped_request_is_refused_in_time(served, begin, drop):
    (found, seconds) = await served.drip(begin, drop)

    assert found == [(408, {"message": "The request did not arrive within 0.5 s; send it again."})]
    assert REQUEST_TIMEOUT * 0.8 < seconds < REQUEST_TIMEOUT * 10


@pytest.mark.parametrize("drop", [b"", b"\r\n"])
async def test_connection_that_asks_nothing_is_closed_without_an_answer(served, drop):
    found, seconds = await served.drip(b"", drop)

    assert found == []
    assert REQUEST_TIMEOUT * 0.8 < seconds < REQUEST_TIMEOUT * 10


async def test_idle_connection_is_closed_without_an_answer(served):
    found, seconds = await served.drip(GET, b"\r\n")

    assert [status for status, _ in found] == [200]
    assert 1.0 <= seconds < 10


async def test_body_dripped_after_the_answer_ends_with_the_connection(served):
    found, seconds = await served.drip(b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b"a")

    assert [status for status, _ in found] == [200]
    assert seconds < REQUEST_TIMEOUT * 10


async def test_earlier_request_is_answered_before_a_dripped_one_is_refused(served):
    found, _ = await served.drip(b"GET /slow?0.8 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n", b"a: b\r\n")

    assert [status for status, _ in found] == [200, 408]


async def test_client_that_was_told_to_wait_is_not_late(served):
    async with served.connect() as (reader, writer):
        writer.write(b"POST /slow?0.7 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"abc")

        assert [(code, body["length"]) for code, body in await served.answers(reader, 0.2)] == [(200, 3)]


async def test_slow_answer_becomes_503_and_the_connection_goes_on(served):
    begun = time.monotonic()
    async with served.connect() as (reader, writer):
        writer.write(b"GET /slow?60 HTTP/1.1\r\nHost: x\r\n\r\n" + LAST)
        found = await served.answers(reader, 2)

    assert found[0] == (503, {"message": "The answer took too long; try again in a few seconds."})
    assert found[1][0] == 200
    assert time.monotonic() - begun >= ANSWER_TIMEOUT


async def test_each_of_many_pipelined_answers_has_its_own_time(served):
    async with served.connect() as (reader, writer):
        writer.write(b"GET /slow?0.4 HTTP/1.1\r\nHost: x\r\n\r\n" * 4 + LAST)

        assert [code for code, _ in await served.answers(reader, 2)] == [200] * 5


async def test_answer_that_is_not_read_is_dropped(start):
    with start() as own:
        before = own.open_files()
        async with own.connect() as (reader, writer), asyncio.timeout(60):
            reader._transport.pause_reading()
            writer.write(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
            while own.open_files() <= before:
                await asyncio.sleep(0.01)
            while own.open_files() > before:
                await asyncio.sleep(0.01)
            reader._transport.resume_reading()

            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(64 << 20)
