"""Many connections do not keep a normal client from being served."""

import asyncio
import socket

import pytest

from pinghome_common.limits import Addresses
from pinghome_common.settings import Settings

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def test_normal_client_is_served_beside_500_slow_ones(start):
    drips = [(b"GET /", b"a"), (b"", b""), (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n", b"a")]
    with start() as served:
        before = served.open_files()
        slow = [asyncio.create_task(served.drip(*drips[number % 3])) for number in range(500)]
        beside = 0
        while not all(task.done() for task in slow):
            assert [code for code, _ in await answers_of_one(served)] == [200]
            beside += any(not task.done() for task in slow)
            await asyncio.sleep(0.01)

        assert beside
        assert all(seconds < 30 for _, seconds in await asyncio.gather(*slow))
        async with asyncio.timeout(20):
            while served.open_files() > before + 1:
                await asyncio.sleep(0.01)


async def answers_of_one(served):
    # Connected and asked in one step: a loop that is busy with 500 others would be a slow client itself.
    normal = socket.create_connection(("127.0.0.1", served.port))
    normal.sendall(LAST)
    reader, writer = await asyncio.open_connection(sock=normal)
    try:
        return await served.answers(reader, 10)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


async def test_longest_waiting_connection_makes_room_for_a_new_one(start):
    with start(files=256 + 20, KEEP_ALIVE="150") as crowded:  # on a busy machine, a second is over before the end
        async with crowded.connect_many(10, GET) as older:
            await sweep(crowded, older)
            async with crowded.connect_many(10, GET) as younger:
                await sweep(crowded, younger)
                async with crowded.connect_many(3, GET) as new:
                    found = await asyncio.gather(*[crowded.answers(reader, 0.2) for reader, _ in new])

                assert [code for [(code, _)] in found] == [200] * 3
                async with asyncio.timeout(20):
                    while ended(older) < 3:
                        await asyncio.sleep(0.01)
                assert ended(older) == 3
                assert ended(younger) == 0


async def sweep(served, pairs):
    """Until all are answered, and the server has looked at them a few times: its sweeps are shorter than each wait."""
    for reader, _ in pairs:  # only who waits for nothing makes room
        assert [code for code, _ in await served.answers(reader, 0)] == [200]
    reader, writer = pairs[-1]
    for _ in range(5):
        writer.write(b"GET /slow?0.05 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert [code for code, _ in await served.answers(reader, 0)] == [200]


def ended(pairs):
    return sum(reader._eof or reader.exception() is not None for reader, _ in pairs)


async def test_connections_beyond_the_limit_are_refused(start):
    with start(files=256 + 20) as crowded:
        async with crowded.connect_many(20, b"GET /slow?0.7 HTTP/1.1\r\nHost: x\r\n\r\n") as busy:
            assert [code for code, _ in await crowded.say(b"")] == [503]
            found = await asyncio.gather(*[crowded.answers(reader, 0.9) for reader, _ in busy])
            assert [code for [(code, _)] in found] == [200] * 20


async def test_one_address_has_so_many_connections_and_another_has_its_own(start):
    with start(PINGHOME_CONNECTIONS_PER_ADDRESS="10", PINGHOME_HOST="", KEEP_ALIVE="150") as limited:
        async with limited.connect_many(10, GET) as idle:
            [(code, body)] = await limited.say(GET)
            assert (code, body["message"]) == (
                503, "More than 10 connections from your address are open; close some.",
            )  # fmt: skip
            assert ended(idle) == 0
            assert await other_address(limited) == [200]
            idle[0][1].close()
            while [code for code, _ in await limited.say(GET)] != [200]:
                await asyncio.sleep(0.01)


async def other_address(served):
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port, local_addr=("127.0.0.2", 0))
    writer.write(LAST)
    try:
        return [code for code, _ in await served.answers(reader, 10)]
    finally:
        writer.close()


async def test_a_trusted_proxy_may_have_more(start):
    with start(PINGHOME_CONNECTIONS_PER_ADDRESS="10", PINGHOME_TRUSTED_PROXIES="127.0.0.0/31") as limited:
        async with limited.connect_many(20, GET):
            assert [code for code, _ in await limited.say(GET)] == [200]


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1:2::3", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("10.1.2.3", ""),
        ("2001:db8:1::1", ""),
    ],
)
def test_a_client_of_ipv6_has_its_whole_network(client, counted):
    trusted = ["10.0.0.0/8", "2001:db8:1::1", "proxy.example.com"]
    addresses = Addresses(Settings(connections_per_address=1, trusted_proxies=trusted))
    for full in (False, bool(counted)):
        assert addresses.enter((client, 1)) == counted
        assert addresses.full(counted) == full
    for _ in range(2):
        addresses.leave(counted)
    assert not addresses.full(counted)
    assert addresses._counts == {}


async def test_a_pipelined_request_waits_until_the_answer_before_is_read(start):
    with start(PINGHOME_ANSWER_TIMEOUT="60") as served:
        async with served.connect() as (reader, writer):
            writer.write(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
            await reader.readline()
            for begun in (1, 2, 3):
                await asyncio.sleep(0.1)
                [(_, told)] = await served.say(b"GET /begun HTTP/1.1\r\nHost: x\r\n\r\n")
                assert told["begun"] == begun
                await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(64 << 20)


async def test_those_that_leave_most_unread_are_ended_where_all_leave_too_much(start):
    with start(PINGHOME_ANSWER_TIMEOUT="600") as served:
        before = served.open_files()
        async with served.connect_many(80, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n" * 16):
            async with asyncio.timeout(100):  # 16 answers of 4 MB remain, more where the kernel holds a part of each
                while served.open_files() > before + 60:
                    await asyncio.sleep(0.05)
            assert [code for code, _ in await answers_of_one(served)] == [200]
            assert served.open_files() > before + 5
