"""Which pages have changed: noted by the projection, taken by the publisher, awaited by who has just written.

Other processes on the same database hear it by NOTIFY, with the transaction of the change.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import msgspec

from pinghome_common.db import Connection
from pinghome_common.events import Envelope
from pinghome_common.items import Item

Apply = Callable[[Connection, list[Item]], Awaitable[None]]


CHANNEL = "page_changed"
TOGETHER = 150
"""Ids in one notification, of which PostgreSQL takes 8,000 bytes."""


class _Of(msgspec.Struct):
    page: UUID | None = None


class _Told(msgspec.Struct):
    by: UUID
    ids: dict[UUID, bool]


_decode = msgspec.json.Decoder(_Of).decode
_told = msgspec.json.Decoder(_Told).decode


class Changes:
    """The ids of pages that have changed since they were read last, and of what pages follow."""

    def __init__(self) -> None:
        self._own = uuid4()
        self._applied: dict[UUID, bool] = {}
        self._open: dict[UUID, bool] = {}
        self._taken: dict[UUID, bool] = {}
        self._wake, self._turn = asyncio.Event(), asyncio.Event()

    def watching(self, apply: Apply, *, followed: bool) -> Apply:
        """An `apply` of the projection that notes what it changes: pages, or what these follow."""

        async def watched(tx: Connection, items: list[Item]) -> None:
            await apply(tx, items)
            changed = {}
            for item in items:
                event: Envelope = item.value
                page = None
                if not followed:
                    with suppress(msgspec.MsgspecError):
                        page = _decode(event.data).page
                changed[page or event.subject] = followed
            await _notify(tx, changed, self._own)
            self._applied |= changed

        return watched

    async def listen(self, connection: Connection) -> None:
        """Hears, on a connection, what other processes have changed; also wakes when it is lost."""
        connection.add_termination_listener(lambda _: self._wake.set())
        await connection.add_listener(CHANNEL, self._heard)

    def _heard(self, _: Any, _pid: int, _channel: str, payload: str) -> None:
        told = _told(payload)
        if told.by != self._own:  # what the projection here has applied is known before its writer can ask for it
            self._open |= told.ids
            self._wake.set()

    def committed(self) -> None:
        """What the projection has noted is in the database now."""
        if self._applied:
            self._open |= self._applied
            self._applied = {}
            self._wake.set()

    def add(self, pages: Iterable[UUID]) -> None:
        """These pages have to be read anew."""
        self._open |= dict.fromkeys(pages, False)
        self._wake.set()

    def take(self) -> dict[UUID, bool]:
        """What has changed, to be read now: ids, and whether these are of what pages follow."""
        self._wake.clear()
        self._taken, self._open = self._open, {}
        return self._taken

    def give_back(self) -> None:
        """What was taken could not be read."""
        self._open = self._taken | self._open

    def done(self) -> None:
        """What was taken has been read."""
        self._taken = {}
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def wait(self, seconds: float) -> None:
        """Until something changes, or for some time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def settled(self, ids: AbstractSet[UUID] | None, seconds: float) -> None:
        """Until all changes of these have been read, or for some time; None: all changes."""
        if self._at_rest(ids):
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._at_rest(ids):
                    await self._turn.wait()

    def _at_rest(self, ids: AbstractSet[UUID] | None) -> bool:
        if ids is None:
            return not self._open and not self._taken
        return ids.isdisjoint(self._open) and ids.isdisjoint(self._taken)


async def tell(tx: Connection, pages: Iterable[UUID]) -> None:
    """Every process hears that these pages have changed, once the transaction is committed."""
    await _notify(tx, dict.fromkeys(pages, False), uuid4())


async def _notify(tx: Connection, changed: Mapping[UUID, bool], by: UUID) -> None:
    ids = list(changed.items())
    for place in range(0, len(ids), TOGETHER):
        told = msgspec.json.encode(_Told(by, dict(ids[place : place + TOGETHER])))
        await tx.execute("SELECT pg_notify($1, $2)", CHANNEL, told.decode())
