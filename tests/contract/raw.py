"""Requests byte for byte, as no client library would send them."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def status_code(self) -> int:
        return self.status


@dataclass
class Connection:
    """One connection that asks one thing after another."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, *parts: bytes) -> Answer:
        """Sends the parts as they are, and reads meanwhile: the server may have answered and closed before the end."""
        sending = asyncio.create_task(self._send(parts))
        try:
            return await self._read()
        finally:
            sending.cancel()
            await asyncio.wait([sending])

    async def _send(self, parts: tuple[bytes, ...]) -> None:
        with suppress(ConnectionError):
            for part in parts:
                self.writer.write(part)
                await self.writer.drain()
                await asyncio.sleep(0.005)  # as over a network: what was sent after a refusal would reset it

    async def _read(self) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(head[0].split()[1]), headers, body)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


def request(
    method: str, path: str | bytes, headers: dict[str, str] | None = None, body: bytes = b"", token: str = ""
) -> bytes:
    """A request with any path and any headers, which are sent as they are."""
    raw = path if isinstance(path, bytes) else path.encode()
    lines = [b"%b %b HTTP/1.1" % (method.encode(), raw), b"Host: pinghome"]
    if token:
        lines.append(f"Authorization: Bearer {token}".encode())
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    lines += [f"{name}: {value}".encode() for name, value in (headers or {}).items()]
    return b"\r\n".join([*lines, b"", body])


async def ask(port: int, *parts: bytes) -> Answer:
    async with connected(port) as connection:
        return await connection.ask(*parts)


def chunked(sizes: Iterable[int]) -> list[bytes]:
    """Chunks of spaces."""
    return [b"%x\r\n%b\r\n" % (size, b" " * size) for size in sizes]
