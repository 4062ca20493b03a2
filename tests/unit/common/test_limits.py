"""A client may be slow, huge, many or malformed: it is refused in time, and the others are served."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from pinghome_common.serve import serve
from pinghome_common.settings import Settings

REQUEST_TIMEOUT = 0.5
ANSWER_TIMEOUT = 1.0
BODY_LIMIT = 100_000
CANARY = b"canary-4711"
GET = b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % CANARY


class Served(NamedTuple):
    process: subprocess.Popen[str]
    port: int
    log: Path

    def bytes_read(self) -> int:
        return int(re.search(r"rchar: (\d+)", Path(f"/proc/{self.process.pid}/io").read_text())[1])

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

    async def say(self, data: bytes) -> list[tuple[int, dict]]:
        """Sends all at once; the answers until the server closes, or until 0.2 s of silence."""
        async with self.connect() as (reader, writer):
            writer.write(data)
            return await answers(reader, 0.2)

    async def drip(self, begin: bytes, drop: bytes) -> tuple[list[tuple[int, dict]], float]:
        """Sends a drop every 30 ms; the answers and the seconds until the server closed."""
        async with self.connect() as (reader, writer):
            begun = time.monotonic()
            writer.write(begin)
            reading = asyncio.create_task(answers(reader, 5))
            while not reading.done():
                await asyncio.wait({reading}, timeout=0.03)
                writer.write(drop)
            return reading.result(), time.monotonic() - begun


async def answers(reader: asyncio.StreamReader, silence: float) -> list[tuple[int, dict]]:
    found = []
    try:
        async with asyncio.timeout(silence) as waiting:
            while line := await reader.readline():
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(re.search(rb"content-length: (\d+)", head)[1])
                assert b"content-type: application/json" in head
                found.append((int(line.split()[1]), json.loads(await reader.readexactly(length))))
                waiting.reschedule(asyncio.get_running_loop().time() + silence)
    except (TimeoutError, ConnectionError):
        pass
    return found


@contextmanager
def process(log: Path, files: int = 4096, body_limit: int = BODY_LIMIT) -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {
        "PORT": port, "BODY_LIMIT": body_limit, "REQUEST_TIMEOUT": REQUEST_TIMEOUT, "ANSWER_TIMEOUT": ANSWER_TIMEOUT,
    }  # fmt: skip
    with log.open("w") as stderr:
        child = subprocess.Popen(
            ["prlimit", f"--nofile={files}", sys.executable, Path(__file__).with_name("served.py")],
            env={**os.environ, **{f"PINGHOME_{key}": str(value) for key, value in given.items()}},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    with child:
        try:
            assert child.stdout.readline() == "startup\n", log.read_text()
            deadline = time.monotonic() + 5
            while socket.socket().connect_ex(("127.0.0.1", port)) and time.monotonic() < deadline:
                time.sleep(0.01)
            yield Served(child, port, log)
        finally:
            child.kill()


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    with process(tmp_path_factory.mktemp("served") / "log") as running:
        yield running


@pytest.fixture(autouse=True)
def silent(served: Served) -> Iterator[None]:
    """No request, however bad, is logged: neither its content nor an exception."""
    yield
    assert served.log.read_text() == ""
