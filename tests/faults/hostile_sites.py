"""Sites that answer in every odd way, and conditions that quote what they say."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

BOMB = gzip.compress(b"\0" * (64 << 20))
ALL_BYTES = bytes(each for each in range(1, 256) if each not in b"\r\n")


def says(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        length = b"Content-Length: %d" % len(body)
        writer.write(b"\r\n".join([b"HTTP/1.1 " + status, length, *headers, b"", b""]) + body)

    return answer


def raw(data: bytes, again: bytes = b"") -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        many = again * (65536 // max(len(again), 1))  # a call for each would take most of a core
        while many:
            writer.write(many)
            await writer.drain()

    return answer


def wants(type_: str, operator: str, *values: str, key: str = "") -> dict[str, Any]:
    return {"type": type_, "operator": operator, "values": list(values), "key": key}


BODY = [wants("response-body-check", "contains", "never there")]
JSON = [wants("response-json-check", "equal", "fine", key="status")]
HEADER = [wants("response-header-check", "equal", "fine", key="x-odd")]
QUOTED = [wants("response-json-check", "not-equal", "fine", key="['odd key']")]

SITES: list[tuple[Answer, list[dict[str, Any]]]] = [
    (says(b"a\x00b"), BODY),
    (says(json.dumps({"status": "a\x00b \ud800"}).encode()), JSON),
    (says('{"status": "a\x00b"}'.encode("utf-16")), JSON),
    (says(gzip.compress(b"a\x00b"), b"Content-Encoding: gzip"), BODY),
    (says(b"", b"X-Odd: " + ALL_BYTES), HEADER),
    (says(b"", b"X-Odd: a\x00b"), HEADER),
    (says(b"", "Location: http://\xff\u2100.example/".encode("latin-1", "replace"), status=b"302 Found"), []),
    (says(b"", b"Location: http://\xff\xe2\x84\x80.example/", status=b"302 Found"), []),
    (says(b"", b"Location: ", status=b"302 Found"), []),
    (says(b"", b"Location: http://[::1/", status=b"302 Found"), []),
    (says(BOMB, b"Content-Encoding: gzip"), BODY),
    (raw(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536), BODY),
    (raw(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"), []),
    (raw(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), []),
    (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), BODY),
    (raw(b"HTTP/1.1 999 " + ALL_BYTES + b"\r\n\r\n"), []),
    (raw(b"\x00" * 1000), []),
    (raw(b"SSH-2.0-\xff\xfe\x00\r\n"), []),
    (says(b"[" * 100_000), JSON),
    (says(b'{"status": ' + b"9" * 100_000 + b"}"), JSON),
    (says(b'{"odd key": NaN, "status": 1e999}'), QUOTED),
    (says(b"\xff\xfe\x00\xd8" * 1000, b"Content-Type: text/html; charset=utf-16"), BODY),
    (says(b"x", b"Content-Type: text/html; charset=" + ALL_BYTES), BODY),
    (says(b"", b"Set-Cookie: " + ALL_BYTES, b"Location: /", status=b"302 Found"), []),
]


@asynccontextmanager
async def hostile_sites() -> AsyncIterator[int]:
    """Answers as `/<number of the site>` says; yields the port."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        serving.add(task)
        try:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
            await SITES[int(path[1:] or b"0") % len(SITES)][0](writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()
            serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
