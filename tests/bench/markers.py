"""The time from a ping's receipt until each projection shows it, measured with pings of one heartbeat of our own."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
from percentile import percentile
from platforms import Platform, Up

EVERY = 0.04
"""Seconds between two markers, and between two looks; a lag looks that much too long at most."""

DRAIN = 60
"""Seconds that a projection gets to show the last marker."""

NEWEST = {
    "resource_cmd": "SELECT last_event FROM runtime_state WHERE heartbeat = $1",
    "resource_query": "SELECT last_event FROM runtime_state WHERE heartbeat = $1",
    "statistic_query": "SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM ping WHERE heartbeat = $1",
}
MARKERS = """
SELECT (extract(epoch FROM at) * 1000000)::bigint AS at FROM ping WHERE heartbeat = $1 AND at > to_timestamp($2)
ORDER BY at
"""


class Markers:
    """Sends a ping to `path` every 40 ms and looks at every projection as often."""

    def __init__(
        self, port: int, databases: dict[str, asyncpg.Connection], pings: asyncpg.Connection, path: str
    ) -> None:
        self._port, self._databases, self._pings, self._path = port, databases, pings, path
        self._heartbeat = path.rpartition("/")[2]
        self._begun, self._sent, self._going = time.time(), 0, True
        self._looks: dict[str, list[tuple[int, int]]] = {name: [] for name in databases}
        self._markers: list[int] = []

    async def send(self) -> None:
        """Ping until told to stop."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while self._going:
            writer.write(f"GET {self._path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head[:13]:
                raise RuntimeError(f"a marker was not accepted: {head.decode()}")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            self._sent += 1
            await asyncio.sleep(EVERY)
        writer.close()

    async def look(self, name: str) -> None:
        """Look until the last marker is there."""
        while self._going or not self._markers or self._looks[name][-1][1] < self._markers[-1]:
            newest = await self._databases[name].fetchval(NEWEST[name], self._heartbeat)
            self._looks[name].append((time.time_ns() // 1000, newest or 0))
            await asyncio.sleep(EVERY)

    async def end(self) -> None:
        """Stop, and learn when the markers were received."""
        self._going = False
        wanted = self._heartbeat, self._begun
        while len(found := await self._pings.fetch(MARKERS, *wanted)) < self._sent:
            await asyncio.sleep(EVERY)
        self._markers = [row["at"] for row in found]

    def p99(self, name: str) -> float:
        """Of the milliseconds from each marker's receipt until the projection `name` showed it."""
        looks, lags = iter(self._looks[name]), []
        looked, newest = next(looks)
        for at in self._markers:
            while newest < at:
                looked, newest = next(looks)
            lags.append((looked - at) / 1000)
        return percentile(lags, 99)


@asynccontextmanager
async def markers(platform: Platform | Up, path: str) -> AsyncIterator[Markers]:
    """Markers while the block runs; afterwards all projections have shown all of them, or TimeoutError."""
    async with AsyncExitStack() as stack:
        databases = {name: await stack.enter_async_context(platform.database(name)) for name in NEWEST}
        pings = await stack.enter_async_context(platform.database("statistic_query"))
        sent = Markers(platform.ports["data-gateway"], databases, pings, path)
        async with asyncio.TaskGroup() as group:
            group.create_task(sent.send())
            for name in databases:
                group.create_task(sent.look(name))
            yield sent
            async with asyncio.timeout(DRAIN):
                await sent.end()
