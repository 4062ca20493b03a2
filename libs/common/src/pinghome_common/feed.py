"""The newest changes in a stream of events, in memory, for whoever follows them (contract K)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from time import monotonic
from uuid import UUID

import msgspec

from pinghome_common.clock import micros, now
from pinghome_common.errors import Unavailable
from pinghome_common.events import Envelope, decode
from pinghome_common.health import resting, round_done
from pinghome_common.read_your_writes import ProjectionProgress
from pinghome_common.stream import Broker, Message, Reader

KEPT, KEPT_FOR = 10_000, timedelta(hours=1)
"""Changes after which, and the time for which, who was away misses none."""
READY_WITHIN = 5.0
"""Seconds in which the first who asks has the newest changes read."""
LOOK = 2.0
"""Seconds between two looks whether a follower is still welcome, and whether the read model was rebuilt."""
AT_ONCE = 500
"""Changes that are said in one piece."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: its position in the stream, when it came there (UNIX microseconds), whose it is, and what is said."""

    seq: int
    at: int
    organisation: UUID
    said: bytes


class Feed:
    """The newest changes that a projection has applied; nothing is read before somebody has asked.

    Args:
        broker: the connection to the broker.
        stream: of the events.
        subjects: of those that are changes.
        describe: what is said of one, as JSON.
        projection: that has to have applied one before it is said, so that who hears of it can read it.
        progress: of that projection.
        rebuilt: the position at which the read model was mended last, or 0: nobody can know what has changed then.
    """

    def __init__(
        self,
        broker: Broker,
        stream: str,
        subjects: list[str],
        describe: Callable[[Envelope], bytes],
        projection: str,
        progress: ProjectionProgress,
        rebuilt: Callable[[], Awaitable[int]],
    ) -> None:
        self._broker, self._stream, self._subjects, self._describe = broker, stream, subjects, describe
        self._projection, self._progress, self._rebuilt = projection, progress, rebuilt
        self._changes: deque[Change] = deque()
        self._asked, self._ready, self._turn = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._rebuilt_at, self._looked = 0, 0.0
        self._read: int | None = None
        self.position = 0
        """Up to where all changes are here."""
        self.floor = 0
        """After where all changes are here."""
        self.generation = 0
        """Increases with each rebuild."""

    async def run(self) -> None:
        """Follows the stream until cancelled, once somebody has asked."""
        with resting():
            await self._asked.wait()
        if not self._ready.is_set():
            self._rebuilt_at = await self._rebuilt()
        head = await self._broker.head(self._stream)
        reader = Reader(self._broker, self._stream, self._subjects, self._read, since=now() - KEPT_FOR)
        waiting: list[Message] = []
        try:
            while True:
                if len(waiting) < KEPT:
                    waiting += await reader.take()
                if waiting:
                    last = await self._progress.applied(self._projection, self._stream, waiting[-1].seq, LOOK)
                    applied = [message for message in waiting if message.seq <= last]
                    del waiting[: len(applied)]
                    self._add(applied)
                if not waiting and reader.pending == 0:
                    self._caught_up(head)
                await self._look()
                round_done()
        finally:
            await reader.stop()

    def _add(self, messages: list[Message]) -> None:
        for message in messages:
            if self._read is None:
                self.floor = message.seq - 1
            self._read = message.seq
            try:
                event = decode(message.data)
                change = Change(message.seq, message.at, event.organisation, self._describe(event))
            except (ValueError, RecursionError):  # the projection has it among its dead letters
                continue
            self._changes.append(change)
        old = micros(now() - KEPT_FOR)
        while self._changes and (len(self._changes) > KEPT or self._changes[0].at < old):
            self.floor = self._changes.popleft().seq
        if self._ready.is_set() and messages:
            self._move(messages[-1].seq)

    def _caught_up(self, head: int) -> None:
        """All that was in the stream when reading began is here."""
        if self._read is None:
            self.floor = self._read = head
        if self.position < max(head, self._read):
            self._move(max(head, self._read))
        self._ready.set()

    def _move(self, position: int) -> None:
        self.position = position
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def _look(self) -> None:
        """Has everybody begin anew after a rebuild."""
        if monotonic() - self._looked >= LOOK:
            self._looked = monotonic()
            if (at := await self._rebuilt()) > self._rebuilt_at:
                self._rebuilt_at = at
                self.generation += 1
                self._move(self.position)

    async def follow(self, organisation: UUID, last: str | None) -> "Following":
        """Follows an organisation's changes after the last one that somebody has heard of; None: from now on.

        Raises:
            Unavailable: the newest changes could not be read yet.
        """
        self._asked.set()
        try:
            async with asyncio.timeout(READY_WITHIN):
                await self._ready.wait()
        except TimeoutError:
            raise Unavailable("The newest changes are not known here yet; please try again in a moment.") from None
        at = (
            self.position if last is None else int(last) if last.isascii() and last.isdigit() and len(last) < 19 else -1
        )
        if at > self.position:  # another process may have been a little ahead
            await self.moved(at)
        known = at <= self.position and (last is None or at > self._rebuilt_at)
        return Following(self, organisation, at if known else -1)

    async def moved(self, seq: int) -> None:
        """Until there are changes up to a position, or for a while."""
        try:
            async with asyncio.timeout(LOOK):
                while self.position < seq:
                    await self._turn.wait()
        except TimeoutError:
            return

    def after(self, seq: int) -> Iterator[Change]:
        """The changes after a position, oldest first."""
        newer = [*takewhile(lambda change: change.seq > seq, reversed(self._changes))]
        return (change for change in reversed(newer) if change.seq <= self.position)


def said(event: Envelope, state: str | None) -> bytes:
    """What is said of an event, as JSON; `state` is None where there is none, or nothing is left."""
    return msgspec.json.encode(
        {
            "noun": event.noun.replace("_", "-"),
            "id": event.subject,
            "version": event.version,
            "state": state,
            "deleted": event.deleted,
        }
    )


class Following:
    """Somebody who follows an organisation's changes; `at` is up to where they were told."""

    def __init__(self, feed: Feed, organisation: UUID, at: int) -> None:
        self._feed, self._organisation, self.at = feed, organisation, at
        self._generation = feed.generation

    def hello(self) -> bytes:
        """What is said at first."""
        return self._next() or self.life()

    def life(self) -> bytes:
        """A sign of life, which says up to where nothing is missing."""
        return b"id: %d\n: still here\n\n" % self.at

    async def news(self, welcome: Callable[[], bool]) -> bytes:
        """What is new, once there is something; empty when the follower is not welcome any more."""
        while welcome():
            if said := self._next():
                return said
            await self._feed.moved(self.at + 1)
        return b""

    def _next(self) -> bytes:
        feed = self._feed
        if self.at < feed.floor or self._generation != feed.generation:
            self.at, self._generation = feed.position, feed.generation
            return b"event: reset\nid: %d\ndata: {}\n\n" % self.at
        said: list[bytes] = []
        position = feed.position
        for change in feed.after(self.at):
            if change.organisation == self._organisation:
                if len(said) == AT_ONCE:
                    position = change.seq - 1
                    break
                said.append(b"id: %d\ndata: %b\n\n" % (change.seq, change.said))
        self.at = position
        return b"".join(said)
