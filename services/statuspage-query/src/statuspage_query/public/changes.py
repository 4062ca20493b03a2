"""Which pages have changed: noted by the projection, taken by the publisher, awaited by who has just written."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from uuid import UUID

import msgspec

from pinghome_common.db import Connection
from pinghome_common.events import Envelope
from pinghome_common.items import Item

Apply = Callable[[Connection, list[Item]], Awaitable[None]]


class _Of(msgspec.Struct):
    page: UUID | None = None


_decode = msgspec.json.Decoder(_Of).decode


class Changes:
    """The ids of pages that have changed since they were read last, and of what pages follow."""

    def __init__(self) -> None:
        self._applied: dict[UUID, bool] = {}
        self._open: dict[UUID, bool] = {}
        self._taken: dict[UUID, bool] = {}
        self._wake, self._turn = asyncio.Event(), asyncio.Event()

    def watching(self, apply: Apply, *, followed: bool) -> Apply:
        """An `apply` of the projection that notes what it changes: pages, or what these follow."""

        async def watched(tx: Connection, items: list[Item]) -> None:
            await apply(tx, items)
            for item in items:
                event: Envelope = item.value
                page = None
                if not followed:
                    with suppress(msgspec.MsgspecError):
                        page = _decode(event.data).page
                self._applied[page or event.subject] = followed

        return watched

    def committed(self) -> None:
        """What the projection has noted is in the database now."""
        if self._applied:
            self._open |= self._applied
            self._applied = {}
            self._wake.set()

    def add(self, pages: Iterable[UUID]) -> None:
        """These pages have changed."""
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
