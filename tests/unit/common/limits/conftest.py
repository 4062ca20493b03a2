"""A process that serves HTTP with our limits, and the clients that try them."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from running import free_port

REQUEST_TIMEOUT = 0.5
ANSWER_TIMEOUT = 3.0
BODY_LIMIT = 100_000


class Served(NamedTuple):
    """The process, its port, and the file it logs to."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    def bytes_read(self) -> int:
        return int(re.search(r"rchar: (\d+)", Path(f"/proc/{self.process.pid}/io").read_text())[1])

    def resident(self) -> float:
        """Megabytes in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()
            await asyncio.sleep(0)

    @asynccontextmanager
    async def connect_many(self, count: int, data: bytes) -> AsyncIterator[list[tuple]]:
        """Open connections, `data` sent on each."""
        async with AsyncExitStack() as stack:
            pairs = [await stack.enter_async_context(self.connect()) for _ in range(count)]
            for _, writer in pairs:
                writer.write(data)
            await asyncio.sleep(0.1)
            yield pairs

    @staticmethod
    async def answers(reader: asyncio.StreamReader, silence: float, first: float = 30) -> list[tuple[int, dict]]:
        """Until so many seconds of silence; `first`: seconds that the first one may take on a busy machine."""
        found = []
        try:
            async with asyncio.timeout(max(silence, first)) as waiting:
                while line := await reader.readline():
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(re.search(rb"content-length: (\d+)", head)[1])
                    assert b"content-type: application/json" in head
                    found.append((int(line.split()[1]), json.loads(await reader.readexactly(length))))
                    waiting.reschedule(asyncio.get_running_loop().time() + silence)
        except (TimeoutError, ConnectionError):
            pass
        return found

    async def say(self, data: bytes) -> list[tuple[int, dict]]:
        """Sends all at once; the answers until the server closes, or until 0.2 s of silence after the first."""
        async with self.connect() as (reader, writer):
            writer.write(data)
            return await self.answers(reader, 0.2)

    async def drip(self, begin: bytes, drop: bytes) -> tuple[list[tuple[int, dict]], float]:
        """Sends a drop every 30 ms; the answers and the seconds until the server closed."""
        async with self.connect() as (reader, writer):
            begun = time.monotonic()
            writer.write(begin)
            reading = asyncio.create_task(self.answers(reader, 5))
            while not reading.done():
                await asyncio.wait({reading}, timeout=0.03)
                writer.write(drop)
            return reading.result(), time.monotonic() - begun


@contextmanager
def process(
    log: Path, files: int = 4096, body_limit: int = BODY_LIMIT, *, started: bool = True, **env: str
) -> Iterator[Served]:
    port = free_port()
    given = {
        "PINGHOME_PORT": str(port),
        "PINGHOME_BODY_LIMIT": str(body_limit),
        "PINGHOME_REQUEST_TIMEOUT": str(REQUEST_TIMEOUT),
        "PINGHOME_ANSWER_TIMEOUT": str(ANSWER_TIMEOUT),
    }
    with log.open("w") as stderr:
        child = subprocess.Popen(  # noqa: S603
            ["/usr/bin/prlimit", f"--nofile={files}", sys.executable, Path(__file__).with_name("served.py")],
            env={**os.environ, **given, **env},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    with child:
        try:
            assert child.stdout.readline() == "startup\n", log.read_text()
            if started:
                wait_for(port)
            yield Served(child, port, log)
        finally:
            child.kill()


def wait_for(port: int) -> None:
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.01)


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., AbstractContextManager[Served]]]:
    """Starts a process of the test alone; it too logs nothing."""
    log = tmp_path / "log"
    yield lambda **options: process(log, **options)
    assert log.read_text() == ""


@pytest.fixture(scope="package")
def served(tmp_path_factory) -> Iterator[Served]:
    """The process that most tests share."""
    with process(tmp_path_factory.mktemp("served") / "log") as running:
        yield running


@pytest.fixture(scope="package")
def patient(tmp_path_factory) -> Iterator[Served]:
    """One that waits longer for a request than the slowest machine needs to send its pieces one by one."""
    with process(tmp_path_factory.mktemp("patient") / "log", PINGHOME_REQUEST_TIMEOUT="60") as running:
        yield running


@pytest.fixture(autouse=True)
def silent(served: Served) -> Iterator[None]:
    """No request, however bad, is logged: neither its content nor an exception."""
    yield
    assert served.log.read_text() == ""
