"""A way to a port of this machine that fails as networks and proxies do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from running import free_port

HEAD_END = b"\r\n\r\n"


class Line:
    """It can be cut, lose the answer to one request, and hold back bodies."""

    def __init__(self, to: int) -> None:
        self.port, self._to = free_port(), to
        self.loses = b""
        """How a request begins whose answer is lost, once."""
        self.holds = b""
        """How a request begins of whose answer only the head is passed on, as by a proxy that fills a buffer first."""
        self.held: list[bytes] = []
        """The heads of such answers."""
        self.asked: list[bytes] = []
        """The first lines of requests."""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        self._server = self._server or await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def cut(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for writer in [*self._open]:
            writer.transport.abort()

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """It is cut meanwhile."""
        await self.cut()
        try:
            yield
        finally:
            await self.mend()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to = await asyncio.open_connection("127.0.0.1", self._to)
        ends = {writer, to}
        self._open |= ends
        lost, holding = asyncio.Event(), asyncio.Event()
        tasks = [
            asyncio.create_task(self._ask(reader, to, lost, holding)),
            asyncio.create_task(self._answer(there, writer, lost, holding)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            end.transport.abort()
        self._open -= ends

    async def _ask(
        self, reader: asyncio.StreamReader, to: asyncio.StreamWriter, lost: asyncio.Event, holding: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            self.asked.append(data.partition(b"\r\n")[0])
            if self.loses and data.startswith(self.loses):
                self.loses = b""
                lost.set()
            if self.holds and data.startswith(self.holds):
                holding.set()
            to.write(data)

    async def _answer(
        self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event, holding: asyncio.Event
    ) -> None:
        while (data := await there.read(65536)) and not lost.is_set():
            if holding.is_set():
                head, end, _ = data.partition(HEAD_END)
                writer.write(head + end)
                self.held.append(head)
                while await there.read(65536):
                    pass
                return
            writer.write(data)
