"""A prober in a process of its own, whose link to the broker can be cut, and a target that knows who came."""

# ruff: noqa: S603  # our own program

import asyncio
import os
import subprocess
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from running import free_port

PROBER = Path(__file__).parents[3] / ".venv/bin/prober"


class Link:
    """`async with Link(port) as link`: TCP from `link.port` to a port; while it is cut, nothing passes either way."""

    def __init__(self, to: int) -> None:
        self._to, self.port = to, free_port()
        self._open, self._closed = asyncio.Event(), asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._pipe, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.mend()
        self._server.close()

    def cut(self) -> None:
        """What is open stays open, and is silent."""
        self._open.clear()

    def mend(self) -> None:
        """What was open during the cut is reset; new connections pass."""
        for writer in self._writers:
            writer.transport.abort()
        self._open.set()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        await self._open.wait()
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
            self._writers.add(far_writer)
            await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))
            self._writers.discard(far_writer)
        self._writers.discard(writer)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@dataclass
class Target:
    """`async with Target() as target`: a web server that answers 500 to the paths in `failing`."""

    port: int = field(default_factory=free_port)
    failing: set[str] = field(default_factory=set)
    hits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """UNIX seconds of the requests of each path."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            line = await reader.readuntil(b"\r\n\r\n")
            path = line.split(b" ", 2)[1].decode().strip("/")
            self.hits[path].append(time.time())
            status = b"500 Oops" if path in self.failing else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    def since(self, at: float) -> dict[str, int]:
        """How many requests of each path came after a time."""
        return {path: sum(hit > at for hit in hits) for path, hits in self.hits.items()}


@dataclass
class ProberProcess:
    """The program `prober` with some settings."""

    data: Path
    settings: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; a second start goes on with what is on disk."""
        own = {"data": str(self.data), "port": str(free_port()), "probe_allow_cidrs": "127.0.0.0/8", **self.settings}
        cleared = {name: value for name, value in os.environ.items() if not name.startswith("PINGHOME_")}
        environment = cleared | {f"PINGHOME_{name.upper()}": value for name, value in own.items()}
        with (self.data / "prober.log").open("ab") as log:
            self.process = subprocess.Popen([PROBER], env=environment, stdout=log, stderr=log, cwd=self.data)

    def kill(self) -> None:
        """Kill -9."""
        assert self.process
        self.process.kill()
        self.process.wait()

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.data / "prober.log").read_text()
