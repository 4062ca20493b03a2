"""Read your writes: a command waits, for a bounded time, until the query side shows its effect."""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from nats.aio.msg import Msg

from pinghome_common.errors import Unavailable
from pinghome_common.stream import Broker

SPEAK_EVERY = 1.0
"""Seconds after which a projection that has nothing to apply says where it is."""

SILENT = 3
"""A projection that was not heard for as many waits, or as many times when it should have spoken, is not waited for."""


class Progress(msgspec.Struct, array_like=True):
    """Published by a projection after each commit: its positions by stream, and the ids of the events it applied."""

    positions: dict[str, int]
    events: list[UUID]


encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Progress).decode


@dataclass(slots=True)
class _Head:
    """The newest sequence of a stream by the last answer, and how often that was asked for and answered."""

    newest: int = 0
    asked: int = 0
    answered: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class ProjectionProgress:
    """The latest progress of projections, one instance per process; subscribes to `echo.<name>` of each.

    Args:
        broker: the connection to the broker.
        names: the projections to wait for.
        most: seconds that a command or a read waits for them (`PINGHOME_READ_YOUR_WRITES_SECONDS`).
    """

    def __init__(self, broker: Broker, *names: str, most: float) -> None:
        self._broker, self._names, self.most = broker, names, most
        self._waiting: dict[tuple[str, UUID], asyncio.Event] = {}
        self._last_seen = dict.fromkeys(names, time.monotonic())  # who has just begun has not heard any yet
        self._positions: dict[tuple[str, str], int] = {}
        self._moved = asyncio.Condition()
        self._heads: dict[str, _Head] = defaultdict(_Head)

    async def listen(self) -> None:
        """Subscribes; call once, after entering the broker."""
        for name in self._names:
            await self._broker.subscribe(f"echo.{name}", self._receive)

    async def _receive(self, msg: Msg) -> None:
        name, progress = msg.subject.partition(".")[2], _decode(msg.data)
        self._last_seen[name] = time.monotonic()
        for event in progress.events:
            if waiting := self._waiting.get((name, event)):
                waiting.set()
        for stream, position in progress.positions.items():
            self._positions[name, stream] = position
        async with self._moved:
            self._moved.notify_all()

    def silent(self, seconds: float) -> list[str]:
        """The projections that have not been heard for some time: they speak each second unless they are stuck."""
        return [name for name, at in self._last_seen.items() if time.monotonic() - at > seconds]

    def expect(self) -> "PendingProjections":
        """Starts collecting the events that a command will wait for."""
        return PendingProjections(self, self._names)

    async def _head(self, stream: str) -> int:
        """The newest sequence of a stream, as the broker tells who asks from now on.

        Who comes while an answer is on its way takes the next one, which all who are waiting then share.
        """
        it = self._heads[stream]
        asked = it.asked
        async with it.lock:
            if it.answered <= asked:
                it.asked += 1
                it.newest = await self._broker.head(stream)
                it.answered = it.asked
            return it.newest

    async def applied(self, name: str, stream: str, seq: int, seconds: float) -> int:
        """Waits a bounded time until a projection has applied a message; the last one that it has applied."""
        try:
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait_for(lambda: self._positions.get((name, stream), 0) >= seq)
        except TimeoutError:
            pass
        return self._positions.get((name, stream), 0)

    async def reached(self, name: str, stream: str) -> bool:
        """Waits until a projection has applied everything that was in the stream when this was called.

        Returns:
            False if that took longer than `most` seconds, or the broker or the projection is unavailable.
        """
        try:
            async with asyncio.timeout(self.most):
                head = await self._head(stream)
                async with self._moved:
                    await self._moved.wait_for(lambda: self._positions.get((name, stream), 0) >= head)
        except (Unavailable, TimeoutError):
            return False
        return True


class PendingProjections:
    """The events that a command waits for, by projection."""

    def __init__(self, progress: ProjectionProgress, names: tuple[str, ...]) -> None:
        self._progress, self._names = progress, names
        self._events: dict[tuple[str, UUID], asyncio.Event] = {}

    def add(self, event: UUID, names: tuple[str, ...] | None = None) -> None:
        """Adds an event; to be called before the commit, so that its progress cannot be missed.

        `names` are the projections that read such events; default: all.
        """
        for name in names or self._names:
            self._events[name, event] = self._progress._waiting[name, event] = asyncio.Event()  # noqa: SLF001  # one unit

    def __bool__(self) -> bool:
        """True if there is anything to wait for."""
        return bool(self._events)

    async def wait(self) -> bool:
        """Waits a bounded time; true if all projections have applied the events."""
        most, now = self._progress.most, time.monotonic()
        patience = SILENT * max(most, SPEAK_EVERY)
        pending = [
            event
            for (name, _), event in self._events.items()
            if now - self._progress._last_seen[name] < patience  # noqa: SLF001
        ]
        try:
            async with asyncio.timeout(most):
                for event in pending:  # in turn, because a task for each would cost more than the wait
                    await event.wait()
        except TimeoutError:
            return False
        finally:
            self.forget()
        return len(pending) == len(self._events)

    def forget(self) -> None:
        """Stops waiting, after a failed command."""
        for key in self._events:
            self._progress._waiting.pop(key, None)  # noqa: SLF001
