"""A bounded line-based protocol for mail servers, which reads nothing ahead of a TLS handshake."""

import asyncio
from contextlib import suppress
from time import perf_counter

from pinghome_common.guard import Guard
from prober.probes.connecting import connect, secure
from prober.probes.error_mapping import Broken
from prober.probes.probe_types import Observation, ProbeSpec

LINE_LIMIT = 8 << 10
LIMIT = 64 << 10
QUIT_TIMEOUT = 1.0
"""Seconds for the answer to the last command; a missing answer is no failure."""


class LineProtocol(asyncio.Protocol):
    """One connection to a server; everything received is appended to the observation's body."""

    def __init__(self, seen: Observation) -> None:
        self._seen = seen
        self._buffer = bytearray()
        self._received = 0
        self._changed = asyncio.Event()
        self._end: Exception | None = None
        self._transport: asyncio.Transport | None = None
        self.first_byte_at = 0.0

    @classmethod
    async def open(
        cls, spec: ProbeSpec, guard: Guard, deadline: float, seen: Observation, tls_port: int
    ) -> "LineProtocol":
        """Connects, and starts TLS at once on `tls_port`."""
        transport, server = await connect(spec, guard, deadline, seen, lambda: cls(seen))
        server._transport = transport  # noqa: SLF001  # of this class
        try:
            if spec.port == tls_port:
                await server.secure(spec)
        except BaseException:
            server.close()
            raise
        return server

    async def secure(self, spec: ProbeSpec) -> None:
        """Starts TLS.

        Raises:
            Broken: the server sent data before, which an attacker could have injected.
            ssl.SSLError, OSError: the handshake failed.
        """
        if self._buffer or self._transport is None:
            raise Broken("TLS failed: the target sent data before the handshake")
        self._transport = await secure(self._transport, self, spec, self._seen)

    def data_received(self, data: bytes) -> None:
        """Buffers data, within the limit."""
        if not self._received:
            self.first_byte_at = perf_counter()
        self._received += len(data)
        if self._received > LIMIT:
            self._end = Broken("sent more than 64 KiB")
            self.close()
        else:
            self._buffer += data
            self._seen.body += data
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the wait for lines."""
        self._end = self._end or exc or Broken("closed the connection unexpectedly")
        self._changed.set()

    async def line(self) -> str:
        """The next line, without its end.

        Raises:
            Broken: the connection was closed, or the line is too long.
            OSError: the connection failed.
        """
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LINE_LIMIT:
                raise Broken("sent a line of more than 8 KiB")
            if self._end:
                raise self._end
            self._changed.clear()
            await self._changed.wait()
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        return line.decode("utf-8", "replace")

    async def greeting(self) -> str:
        """The first line, timed as the first byte."""
        self._seen.doing = "waiting for the greeting"
        started = perf_counter()
        line = await self.line()
        self._seen.phases.first_byte = max(self.first_byte_at - started, 0.0) * 1000
        return line

    def send(self, command: str) -> None:
        """Sends a command."""
        self._seen.doing = f"waiting for the answer to {command}"
        if self._transport:
            self._transport.write(command.encode() + b"\r\n")

    async def quit(self, command: str) -> None:
        """Sends the last command; its answer does not count."""
        self.send(command)
        with suppress(Broken, OSError):  # TimeoutError is an OSError
            async with asyncio.timeout(QUIT_TIMEOUT):
                await self.line()

    def close(self) -> None:
        """Closes at once."""
        if self._transport:
            self._transport.abort()
