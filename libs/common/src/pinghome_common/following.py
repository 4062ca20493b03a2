"""The newest event of each aggregate of some nouns, in memory; follows a stream of events, with a snapshot on disk."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import msgspec

from pinghome_common.errors import Unavailable
from pinghome_common.events import Envelope, decode
from pinghome_common.files import write_private
from pinghome_common.health import round_done
from pinghome_common.logs import log
from pinghome_common.stream import LONG, Broker, Reader

_SAVE_EVERY, _SAVE_AFTER = 2.0, 15.0
"""Seconds without events after which changes are saved, and seconds after which they are saved in any case."""


class _Snapshot(msgspec.Struct):
    position: int
    events: dict[str, bytes]
    nouns: list[str] = []


class Follower:
    """Keeps the newest event of each aggregate in memory; a snapshot lets a service start without a broker.

    Args:
        broker: the connection to the broker.
        path: the file of the snapshot.
        handlers: the nouns to follow, with the functions that their events are passed to.
        stream: that is followed.
        prefix: of its subjects.
    """

    def __init__(
        self,
        broker: Broker,
        path: Path,
        handlers: dict[str, Callable[[Envelope], None]],
        stream: str = "EVENTS",
        prefix: str = "events",
    ) -> None:
        self._broker, self._path, self._handlers = broker, path, handlers
        self._stream, self._prefix = stream, prefix
        self._events: dict[str, bytes] = {}
        self._position: int | None = None
        self._reader: Reader | None = None
        self._next_request: asyncio.Task[None] | None = None  # not sent yet
        self._request_lock = asyncio.Lock()
        self.ready = False
        """True once the stream was read to its end, or a snapshot was loaded."""

    def apply(self, data: bytes) -> None:
        """Applies one encoded event."""
        event = decode(data)
        if event.deleted:
            self._events.pop(event.address, None)
        else:
            self._events[event.address] = data
        self._handlers[event.noun](event)

    def _apply_or_log(self, data: bytes) -> None:
        """Applies one event; an error is logged and affects no other event."""
        try:
            self.apply(data)
        except Exception:
            log.exception("event_not_applied")

    async def run(self) -> None:
        """Follows the stream until cancelled."""
        if self._position is None:
            self._load()
        subjects = [f"{self._prefix}.{noun}.>" for noun in self._handlers]
        self._reader = reader = Reader(self._broker, self._stream, subjects, self._position)
        changed, saved = False, time.monotonic()
        try:
            while True:
                messages = await reader.take(_SAVE_EVERY if changed or not self.ready else LONG)
                round_done()
                for message in messages:
                    self._apply_or_log(message.data)
                self._position = reader.position
                changed = changed or bool(messages)
                if reader.pending == 0:
                    self.ready = True
                    if changed and (not messages or time.monotonic() - saved > _SAVE_AFTER):
                        changed, saved = False, time.monotonic()
                        snapshot = _Snapshot(self._position or 0, self._events, sorted(self._handlers))
                        await asyncio.to_thread(write_private, self._path, msgspec.msgpack.encode(snapshot))
        finally:
            await reader.stop()

    def _load(self) -> None:
        try:
            snapshot = msgspec.msgpack.decode(self._path.read_bytes(), type=_Snapshot)
        except FileNotFoundError:
            return
        except msgspec.MsgspecError:
            log.exception("snapshot_unreadable", path=str(self._path))
            return
        for data in snapshot.events.values():
            self._apply_or_log(data)
        # Of a noun that an older version did not follow there may be events before the position.
        self._position = snapshot.position if snapshot.nouns == sorted(self._handlers) else None
        self.ready = True

    async def caught_up(self) -> None:
        """Waits at most a second until everything that was in the stream when this was called is applied.

        Concurrent callers share one request to the broker, because anybody can cause calls.

        Raises:
            Unavailable: the broker is unavailable, or it took longer.
        """
        if self._next_request is None:
            self._next_request = asyncio.create_task(self._request())
            # Retrieves the exception even if nobody waits.
            self._next_request.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._next_request)

    async def _request(self) -> None:
        async with self._request_lock:
            self._next_request = None  # later callers need a later request
            try:
                async with asyncio.timeout(0.5):
                    while self._reader is None:
                        await asyncio.sleep(0.005)
                    await self._reader.taken()
            except TimeoutError:
                raise Unavailable("The newest changes are not known here yet; please try again in a moment.") from None

    async def fetch_latest(self, noun: str, aggregate: UUID) -> bool:
        """Fetches and applies an aggregate's newest event; true if the aggregate exists.

        Raises:
            Unavailable: the broker is unavailable.
        """
        message = await self._broker.last(self._stream, f"{self._prefix}.{noun}.{aggregate}")
        if message is None:
            return False
        self.apply(message.data)
        return not decode(message.data).deleted
