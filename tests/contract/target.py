"""A real HTTP server for monitors to look at: it can be stopped, slowed, made to fail and to redirect."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from running import free_port

T = TypeVar("T")


@dataclass
class Asked:
    """A request that arrived; `at` is in seconds of the monotonic clock."""

    at: float
    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Target:
    """Answers every request with `status` and what it `says`, after `pause` seconds, with a `location` if any.

    With `echo` it says what it was sent, with `tls` it speaks https.
    """

    status: int = 200
    pause: float = 0.0
    location: str = ""
    says: str = "ok"
    echo: bool = False
    tls: ssl.SSLContext | None = None
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/"

    async def start(self) -> None:
        """Listens, on the same port as before."""
        self.port = self.port or free_port()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)

    async def stop(self) -> None:
        """Refuses connections from now on."""
        if self._server:
            for listening in self._server.sockets:
                asyncio.get_running_loop().remove_reader(listening.fileno())
            await asyncio.sleep(0)  # whoever was just accepted: asyncio would leave his socket open in a closed server
            self._server.close()
            for writer in self._open:
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def silent_for(self, seconds: float) -> bool:
        """True when nothing arrives in some seconds; what is under way may still end in the first half."""
        await asyncio.sleep(0.5)
        before = len(self.asked)
        await asyncio.sleep(seconds)
        return len(self.asked) == before

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = lines[0].split(" ")
            pairs = (line.partition(":") for line in lines[1:] if line)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
            self.asked.append(Asked(time.monotonic(), method, path, headers, body))
            await asyncio.sleep(self.pause)
            location = f"Location: {self.location}\r\n" if self.location else ""
            said = (body if self.echo else self.says).encode()
            head = f"HTTP/1.1 {self.status} Told\r\n{location}Content-Length: {len(said)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + said)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()


@asynccontextmanager
async def listening(**how: Any) -> AsyncIterator[Target]:
    """A target that listens."""
    target = Target(**how)
    await target.start()
    try:
        yield target
    finally:
        await target.stop()


async def eventually(look: Callable[[], Awaitable[T]], good: Callable[[T], object], within: float = 60) -> T:
    """What `look` sees once it is good; fails after `within` seconds, showing what it saw last.

    How soon that is says how busy the machine is: another limit is one that the test is about.
    """
    deadline = time.monotonic() + within
    while True:
        seen = await look()
        if good(seen):
            return seen
        assert time.monotonic() < deadline, f"after {within} s: {seen}"
        await asyncio.sleep(0.1)
