"""A transport that sends what is written in one turn of the loop by one call of the system."""

import asyncio
from typing import Any

LARGE = 4096
"""More bytes than this are sent at once."""


class Corked:
    """Stands for a transport: uvicorn writes the head and the body of an answer apart, and each would be a packet."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._written: list[bytes] = []
        self._size = 0
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Send some bytes, together with what else is written in this turn of the loop."""
        if not self._written:
            self._loop.call_soon(self._flush)
        self._written.append(data)
        self._size += len(data)
        if self._size > LARGE:  # the transport must be able to say that it is full
            self._flush()

    def close(self) -> None:
        """Close the transport once everything is sent."""
        self._flush()
        self._transport.close()

    def write_eof(self) -> None:
        """Close the writing end once everything is sent."""
        self._flush()
        self._transport.write_eof()

    def _flush(self) -> None:
        if self._written:
            written, self._written, self._size = self._written, [], 0
            self._transport.write(written[0] if len(written) == 1 else b"".join(written))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
