"""Targets that drip, flood, break off or talk nonsense: each ends in time, in bounds and with a clear sentence."""

import asyncio
import gzip
import re
import resource
import socket
import struct

import pytest

from pinghome_common.events.probe import Verdict
from running import free_port

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


async def test_answer_may_come_byte_by_byte(listening, look):
    async def answer(writer):
        for byte in OK:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.001)

    async with listening(answer) as target:
        seen = await look(target.url)

    assert (seen.verdict, seen.headers, seen.body) == (Verdict.up, [(b"Content-Length", b"8")], b"pinghome")


async def test_drip_of_headers_ends_at_the_deadline(listening, look):
    async def answer(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        await for_ever(writer, b"a", 0.01)

    async with listening(answer) as target:
        seen = await look(target.url, deadline=0.4)

    assert (seen.verdict, seen.error) == (Verdict.target_fail, "timed out after 0.4 s while reading the answer")
    assert 395 < seen.phases.total < 4000


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
    listener = socket.create_server(("127.0.0.1", free_port()), backlog=0)
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

    assert (seen.verdict, seen.error, seen.cut) == (Verdict.up, "", True)
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


async def test_cancelled_probe_leaves_no_connection_behind(listening, look):
    begun, closed = asyncio.Event(), asyncio.Event()

    async def answer(writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        begun.set()
        try:
            await for_ever(writer, b"a", 0.01)
        finally:
            closed.set()

    async with listening(answer) as target:
        probing = asyncio.create_task(look(target.url))
        await begun.wait()
        await asyncio.sleep(0.1)
        probing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probing
        await asyncio.wait_for(closed.wait(), 30)


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
