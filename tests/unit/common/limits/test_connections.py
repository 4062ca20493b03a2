"""Many connections do not keep a normal client from being served."""

import asyncio

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

        assert beside >= 5
        assert all(seconds < 3 for _, seconds in await asyncio.gather(*slow))
        assert served.open_files() <= before + 1


async def answers_of_one(served):
    async with served.connect() as (reader, writer):
        writer.write(LAST)
        return await served.answers(reader, 3)


async def test_longest_waiting_connection_makes_room_for_a_new_one(start):
    with start(files=256 + 20) as crowded:
        async with crowded.connect_many(10, GET) as older, crowded.connect_many(10, GET) as younger:
            async with crowded.connect_many(3, GET) as new:
                found = await asyncio.gather(*[crowded.answers(reader, 0.2) for reader, _ in new])

            assert [code for [(code, _)] in found] == [200] * 3
            assert ended(older) == 3
            assert ended(younger) == 0


def ended(pairs):
    return sum(reader._eof or reader.exception() is not None for reader, _ in pairs)


async def test_connections_beyond_the_limit_are_refused(start):
    with start(files=256 + 20) as crowded:
        async with crowded.connect_many(20, b"GET /slow?0.7 HTTP/1.1\r\nHost: x\r\n\r\n") as busy:
            assert [code for code, _ in await crowded.say(b"")] == [503]
            found = await asyncio.gather(*[crowded.answers(reader, 0.9) for reader, _ in busy])
            assert [code for [(code, _)] in found] == [200] * 20
