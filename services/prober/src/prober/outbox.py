"""Results on their way to TELEMETRY: published in order, and through the spool while the broker is away."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from pinghome_common.events.probe import Result
from pinghome_common.health import resting
from pinghome_common.logs import log
from pinghome_common.spool import Spool, adopt
from pinghome_common.stream import Broker, Queue, Task

FLUSH_INTERVAL = 0.5
"""Seconds for which results are collected, because each message costs three services a transaction."""

MAX_PER_MESSAGE = 400
MAX_BYTES = 512 << 10
"""Bytes of results in a message, also the limit of one result; below the broker's limit of 1 MiB."""

MAX_BUFFERED = 200_000
"""Results kept while neither broker nor disk takes them; above that, the oldest are dropped."""

ADOPT_EVERY = 10.0
"""Seconds between two looks for the spools of others."""

MAX_EXCERPTS = 2000
"""Buffered results that may have an excerpt."""


@dataclass(slots=True)
class Done:
    """An encoded result that is not stored yet, and the job it came from; None if it was due by the schedule held."""

    result: msgspec.Raw
    task: Task | None


@dataclass(slots=True, kw_only=True)
class _Message:
    """`Results` with results that are already encoded, so that a bad one cannot hold up the others."""

    batch: UUID
    region: str
    results: list[msgspec.Raw]


class Outbox:
    """One prober's results.

    Args:
        broker: the connection to the broker.
        queue: of the region's jobs, which are acknowledged once their results are stored.
        region: the region's name.
        folder: of the spool; it is in this process' folder, beside which those of other processes are.
        limit: bytes of the spool; above that, the oldest results are dropped.
        on_late: called when results become late or are lost.
    """

    def __init__(
        self, broker: Broker, queue: Queue, region: str, folder: Path, limit: int, on_late: Callable[[], None]
    ) -> None:
        self._broker, self._queue, self._region, self._on_late = broker, queue, region, on_late
        self._spool, self._flushing = Spool(folder, limit), asyncio.Lock()
        self._siblings = folder.parents[1]
        self.waiting: list[Done] = []
        self._work = asyncio.Event()

    def add(self, done: Done) -> None:
        """Buffers a result."""
        self.waiting.append(done)
        self._work.set()

    @property
    def crowded(self) -> bool:
        """True while so many results wait that new ones come without an excerpt."""
        return len(self.waiting) >= MAX_EXCERPTS

    async def publish(self) -> None:
        """Stores results until cancelled."""
        while True:
            with resting():
                await self._work.wait()
                await asyncio.sleep(FLUSH_INTERVAL)
            try:
                await self.flush()
                self._work.clear()
            except OSError:
                log.exception("results_not_stored", waiting=len(self.waiting))
                if (lost := len(self.waiting) - MAX_BUFFERED) > 0:
                    del self.waiting[:lost]
                    self._on_late()

    async def drain(self) -> None:
        """Sends the spool whenever the broker is there, until cancelled."""
        await self._spool.drain(self._publish, lambda: self._broker.connected)

    async def adopt(self) -> None:
        """Sends the spools that other probers of this data folder have left behind, until cancelled."""
        while True:
            await adopt(self._siblings.glob("[0-9]*"), self._publish, lambda: self._broker.connected)
            with resting():
                await asyncio.sleep(ADOPT_EVERY)

    async def flush(self) -> None:
        """Returns when all results are in the stream or in the spool.

        Raises:
            OSError: the broker is away and the disk takes no more.
        """
        async with self._flushing:
            while self.waiting:
                part = next_message(self.waiting)
                message = _Message(batch=uuid4(), region=self._region, results=[each.result for each in part])
                if not await self._spool.store([msgspec.msgpack.encode(message)], self._publish):
                    self._on_late()
                del self.waiting[: len(part)]
                await self._queue.done(each.task for each in part if each.task)

    async def _publish(self, messages: Sequence[bytes]) -> None:
        subject = f"telemetry.result.{self._region}"
        await self._broker.publish(
            (subject, message, {"Nats-Msg-Id": hashlib.sha256(message).hexdigest()}) for message in messages
        )


def encode(it: Result) -> msgspec.Raw:
    """Encodes a result.

    Raises:
        ValueError: it is too large for a message.
        msgspec.EncodeError, UnicodeError, OverflowError: it cannot be encoded.
    """
    encoded = msgspec.msgpack.encode(it)
    if len(encoded) > MAX_BYTES:
        raise ValueError(f"a result of {len(encoded)} bytes")
    return msgspec.Raw(encoded)


def next_message(done: list[Done]) -> list[Done]:
    """The first results that fit into one message, at least one."""
    size = 0
    for place, each in enumerate(done[:MAX_PER_MESSAGE]):
        size += len(memoryview(each.result))
        if size > MAX_BYTES:
            return done[:place]
    return done[:MAX_PER_MESSAGE]
