"""A line-based protocol, as mail servers speak it: bounded, and never read ahead of a TLS handshake."""

import asyncio
from contextlib import suppress
from time import perf_counter

from pinghome_common.guard import Guard
from prober.probes.connecting import connect, secure
from prober.probes.error_mapping import Broken
from prober.probes.probe_types import Check, Observation

LINE_LIMIT = 8 << 10
LIMIT = 64 << 10
GOODBYE = 1.0
"""Seconds that a server has to answer our goodbye; if it does not, that is no failure."""


class LineProtocol(asyncio.Protocol):
    """One connection and what the other side says on it; `observation.body` is all that was heard so far."""

    def __init__(self, seen: Observation) -> None:
        self._seen = seen
        self._heard = bytearray()
        self._taken = 0
        self._news = asyncio.Event()
        self._end: Exception | None = None
        self._transport: asyncio.Transport | None = None
        self.first_byte_at = 0.0

    @classmethod
    async def begin(
        cls, check: Check, guard: Guard, deadline: float, seen: Observation, tls_port: int
    ) -> "LineProtocol":
        """Connects, and speaks TLS at once on `tls_port`."""
        transport, talk = await connect(check, guard, deadline, seen, lambda: cls(seen))
        talk._transport = transport  # noqa: SLF001  # its own
        try:
            if check.port == tls_port:
                await talk.secure(check)
        except BaseException:
            talk.close()
            raise
        return talk

    async def secure(self, check: Check) -> None:
        """Turns to TLS.

        Raises:
            Broken: the other side said something before: whoever sits in between could have slipped it in.
            ssl.SSLError, OSError: the handshake failed.
        """
        if self._heard or self._transport is None:
            raise Broken("TLS failed: the target spoke before the handshake")
        self._transport = await secure(self._transport, self, check, self._seen)

    def data_received(self, data: bytes) -> None:
        """Keeps what was said, within the limit."""
        if not self._taken:
            self.first_byte_at = perf_counter()
        self._taken += len(data)
        if self._taken > LIMIT:
            self._end = Broken("sent more than 64 KiB")
            self.close()
        else:
            self._heard += data
            self._seen.body += data
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more will be said."""
        self._end = self._end or exc or Broken("closed the connection in the middle of the conversation")
        self._news.set()

    async def line(self) -> str:
        """The next line, without its end.

        Raises:
            Broken: there is none, or it is too long.
            OSError: the connection failed.
        """
        while (end := self._heard.find(b"\n")) < 0:
            if len(self._heard) > LINE_LIMIT:
                raise Broken("sent a line of more than 8 KiB")
            if self._end:
                raise self._end
            self._news.clear()
            await self._news.wait()
        line = bytes(self._heard[:end]).rstrip(b"\r")
        del self._heard[: end + 1]
        return line.decode("utf-8", "replace")

    async def greeting(self) -> str:
        """The first line, timed as the first byte."""
        self._seen.doing = "waiting for the greeting"
        waiting = perf_counter()
        line = await self.line()
        self._seen.phases.first_byte = max(self.first_byte_at - waiting, 0.0) * 1000
        return line

    def say(self, words: str) -> None:
        """Sends a line."""
        self._seen.doing = f"waiting for the answer to {words}"
        if self._transport:
            self._transport.write(words.encode() + b"\r\n")

    async def goodbye(self, words: str) -> None:
        """Takes leave; what comes of it does not count."""
        self.say(words)
        with suppress(Broken, OSError):  # TimeoutError is an OSError
            async with asyncio.timeout(GOODBYE):
                await self.line()

    def close(self) -> None:
        """Closes at once."""
        if self._transport:
            self._transport.abort()
