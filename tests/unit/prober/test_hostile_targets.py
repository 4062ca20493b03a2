"""S13: two hundred hostile targets of every type at once; each probe ends in time and memory stays within bounds."""

import asyncio
import gzip
import resource
import socket
import struct
import time
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial

import pytest

from pinghome_common.events.probe import Verdict
from unit.prober.mail import LANGUAGES

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEADLINE = 4.0
MIB = 1 << 20
GREETING = {language.kind: language.greeting for language in LANGUAGES}
BOMB = gzip.compress(b"\0" * (20 * MIB))


async def flood(writer, piece):
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.002)  # all of them share one loop with the probes


async def drip(writer, begin=b""):
    writer.write(begin)
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.01)


async def reset(writer):
    await asyncio.sleep(0.01)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def silence(_):
    await asyncio.sleep(60)


def flooding(piece, begin=b""):
    async def answer(writer):
        writer.write(begin)
        await flood(writer, piece)

    return answer


def dripping(begin):
    return lambda writer: drip(writer, begin)


def garbage_after(*replies):
    async def answer(writer):
        for reply in replies:
            writer.write(reply)
            await writer.drain()
            await asyncio.sleep(0.05)
        await flood(writer, b"\x16\x03\x01\xff\xff" + b"\0" * 4096)

    return answer


OK = b"HTTP/1.1 200 OK\r\n"
HTTP = {
    "drip of headers": dripping(OK + b"X: "),
    "drip of body": dripping(OK + b"Content-Length: 999999\r\n\r\n"),
    "endless body": flooding(b"a" * 65536, OK + b"\r\n"),
    "endless chunks": flooding(b"1\r\na\r\n" * 5000, OK + b"Transfer-Encoding: chunked\r\n\r\n"),
    "compressed bomb": flooding(BOMB, OK + b"Content-Encoding: gzip\r\n\r\n"),
    "endless header": flooding(b"a" * 65536, OK + b"X: "),
    "endless headers": flooding(b"X: y\r\n" * 5000, OK),
    "endless interim answers": flooding(b"HTTP/1.1 100 Continue\r\n\r\n" * 500),
    "reset": reset,
    "silence": silence,
}
MAIL = {
    "endless line": flooding(b"a" * 65536),
    "endless greeting": flooding(b"220-a\r\n" * 5000),
    "endless greeting of IMAP": flooding(b"* OK a\r\n" * 5000),
    "drip of a greeting": dripping(b"220 +OK * OK"),
    "endless nothing": flooding(b"\r\n" * 30000),
    "reset": reset,
    "silence": silence,
}
ENDLESS = {"smtp": b"250-X\r\n" * 5000, "pop": b"+OK\r\n" + b"X\r\n" * 5000, "imap": b"* CAPABILITY X\r\n" * 5000}
OFFERING = {
    "smtp": (b"250-a\r\n250 STARTTLS\r\n", b"220 go\r\n"),
    "pop": (b"+OK\r\nSTLS\r\n.\r\n", b"+OK go\r\n"),
    "imap": (b"* CAPABILITY STARTTLS\r\np1 OK\r\n", b"p2 OK go\r\n"),
}


class Flooding(asyncio.DatagramProtocol):
    """Answers a datagram with two hundred, of nonsense."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, _, addr):
        for _ in range(200):
            self.transport.sendto(b"\xff" * 1400, addr)


def targets():
    """Name, type, what listens there and how it is probed: about fifty."""
    for name, answer in HTTP.items():
        yield f"http {name}", "http", answer, {}
    for name in ("endless garbage", "silence"):
        yield f"https {name}", "https", {"silence": silence}.get(name) or flooding(b"\x16\x03\x03\x40\x00" * 999), {}
    for kind, greeting in GREETING.items():
        own = {"endless capabilities": flooding(ENDLESS[kind], greeting),
               "garbage instead of TLS": garbage_after(greeting, *OFFERING[kind])}  # fmt: skip
        for name, answer in (MAIL | own).items():
            yield f"{kind} {name}", kind, answer, {}
    for name, answer in {"flood": flooding(b"a" * 65536), "reset": reset, "silence": silence}.items():
        yield f"tcp {name}", "tcp", answer, {"data": "x"}
    for kind in ("udp", "dns"):
        yield f"{kind} flood", kind, None, {"data": "www.example A"}
        yield f"{kind} silence", kind, asyncio.DatagramProtocol, {"data": "www.example A"}


GOOD_ENOUGH = {"http endless body", "http compressed bomb", "http endless chunks", "udp flood"}
"""Up: there was an answer, and it was read no further than to the limit."""


SAID = {
    "http endless body": "",
    "http endless headers": "sent more than 64 KiB of headers",
    "http reset": "reset the connection",
    "smtp endless greeting": "sent more than 64 KiB",
    "pop endless capabilities": "sent more than 64 KiB",
    "imap endless greeting of IMAP": "sent more than 64 KiB",
    "imap reset": "reset the connection",
}
"""What ends long before its deadline, alone where the machine is busy."""


async def lagging(lags: list[float]) -> None:
    """Notes by how much this machine is late, in seconds."""
    while True:
        due = time.monotonic() + 0.05
        await asyncio.sleep(0.05)
        lags.append(time.monotonic() - due)


async def test_two_hundred_hostile_targets_end_in_time_and_in_bounds(listening, reach, look):
    loop = asyncio.get_running_loop()
    all_of_them = list(targets())
    async with AsyncExitStack() as stack:
        probes, names, again = [], [], {}
        for name, kind, answer, how in all_of_them:
            if kind in ("udp", "dns"):
                transport, _ = await loop.create_datagram_endpoint(answer or Flooding, local_addr=("127.0.0.1", 0))
                stack.callback(transport.close)
                port = transport.get_extra_info("sockname")[1]
            else:
                target = await stack.enter_async_context(listening(answer, read=False))
                port = target.port
            if kind in ("http", "https"):
                again[name] = partial(look, f"{kind}://127.0.0.1:{port}/")
            else:
                again[name] = partial(reach, kind, port, **how)
            for _ in range(-(-200 // len(all_of_them))):
                names.append(name)
                probes.append(again[name](deadline=DEADLINE))
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
        lags = [0.0]
        watch = asyncio.create_task(lagging(lags))
        found = await asyncio.gather(*probes)
        watch.cancel()
        took = time.monotonic() - began
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        said = Counter((name, seen.error) for name, seen in zip(names, found, strict=True))
        for name, error in SAID.items():
            if not said[name, error]:  # none of them got so far beside two hundred others
                assert (await again[name](deadline=60)).error == error, name

    print(f"{len(found)} probes took {took:.1f} s and {grown:.0f} MiB")
    assert len(found) >= 200
    bound = 1000 * (DEADLINE + 2.5 + 3 * max(lags))
    late = Counter(name for name, seen in zip(names, found, strict=True) if seen.phases.total > bound)
    assert not late  # a busy machine notices a deadline late, but never by another round
    assert took < 60 + 10 * max(lags)
    assert grown < 150  # MiB: some thirty bodies of one each, and the floods' own buffers are in it
    for name, seen in zip(names, found, strict=True):
        assert len(seen.body) <= MIB, name
        if name in GOOD_ENOUGH or name.startswith("tcp "):
            assert seen.verdict is Verdict.up or "reset" in seen.error or "timed out" in seen.error, (name, seen.error)
        else:
            assert seen.verdict is not Verdict.up, name
            assert "internal error" not in seen.error, (name, seen.error)
