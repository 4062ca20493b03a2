"""A small HTTP client on raw connections: many a second, and no retry that we do not know of."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

PATIENCE = 15.0
"""Seconds for an answer; a job's `curl -m 10` would have left before."""


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)


class NotSentError(Exception):
    """The connection could not be made: the server knows nothing of the request."""


class LostError(Exception):
    """The request was sent and no whole answer came: whether it took effect is unknown."""


class Wire(asyncio.Protocol):
    """One keep-alive connection, made when needed and made again when lost; one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._answer: asyncio.Future[Answer] | None = None

    async def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"", wait: float = PATIENCE
    ) -> Answer:
        """Send one request and return its answer, whatever its status.

        Raises:
            NotSentError: nobody listens.
            LostError: no answer came.
        """
        loop = asyncio.get_running_loop()
        if self._transport is None:
            try:
                async with asyncio.timeout(wait):
                    await loop.create_connection(lambda: self, "127.0.0.1", self._port)
            except (OSError, TimeoutError) as error:
                self.close()
                raise NotSentError from error
        lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self._answer = loop.create_future()
        assert self._transport
        self._transport.write(f"{method} {path} HTTP/1.1\r\nHost: pinghome\r\n{lines}{length}\r\n".encode() + body)
        try:
            async with asyncio.timeout(wait):
                return await self._answer
        except (OSError, TimeoutError) as error:
            self.close()
            raise LostError from error

    def close(self) -> None:
        """Drop the connection."""
        if self._transport:
            self._transport.abort()
        self._transport, self._received = None, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits."""
        self._transport, self._received = None, b""
        if self._answer and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        """Take the answer when it is whole; all of ours have a Content-Length."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        if len(body) >= length and self._answer and not self._answer.done():
            self._received = b""
            self._answer.set_result(Answer(int(lines[0].split(" ")[1]), headers, body[:length]))
            if headers.get("connection") == "close":
                self.close()
