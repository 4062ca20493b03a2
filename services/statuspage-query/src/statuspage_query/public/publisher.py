"""Keeps all pages in memory as the database has them, and on disk for the time when there is none."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pinghome_common.clock import now
from pinghome_common.containment import is_items_own
from pinghome_common.db import Connection, Database
from pinghome_common.health import resting, round_done
from pinghome_common.logs import log
from statuspage_query.public import read
from statuspage_query.public.changes import Changes
from statuspage_query.public.material import Material
from statuspage_query.public.metrics import values
from statuspage_query.public.published import Published
from statuspage_query.public.snapshot import Snapshot
from statuspage_query.response_times import EVERY, monitor_of

LOOK = 5.0
"""Seconds between two looks whether the database is there."""
ANSWER = 10.0
"""Seconds within which the database has to answer that."""
STALE = timedelta(seconds=60)
"""After which time without the database or the broker a page says so."""
SETTLE = 2.0
"""Seconds for which a request waits for what has just changed."""


async def _check(connection: Connection) -> None:
    """Raises ConnectionError when nothing is heard on a connection any more."""
    if connection.is_closed():
        raise ConnectionError("the connection on which changes are heard was lost")
    await connection.execute("SELECT 1", timeout=ANSWER)


class Publisher:
    """All pages, by subdomain, by verified domain and by the key of their badges; at first as the snapshot has them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.changes = Changes()
        self.by_subdomain: dict[str, Published] = {}
        self.by_domain: dict[str, Published] = {}
        self.by_shields_key: dict[str, Published] = {}
        self._snapshot = snapshot
        self._pages: dict[UUID, Published] = {}
        self._followers: dict[UUID, set[UUID]] = {}
        self._reading = False
        self._unread: set[UUID] = set()
        self._measured_at = now()
        self._measured: set[UUID] = set()
        for each in snapshot.load():
            self._take(each)
        at = snapshot.current_at()
        self._current_at = None if at is None else datetime.fromtimestamp(at, UTC)

    def stale(self) -> datetime | None:
        """Since when nothing new is known, if that is long ago."""
        return self._current_at if self._current_at and now() - self._current_at > STALE else None

    async def settled(self, it: Published | None) -> None:
        """Waits a moment when a page has just changed, so that who wrote it reads it; None: one that may be new."""
        if self._reading:
            await self.changes.settled(None if it is None else it.names, SETTLE)

    async def run(self, db: Database, live: Callable[[], bool]) -> None:
        """Reads all pages, then those that change, until cancelled; `live`: what happens arrives here.

        Raises:
            ConnectionError: the connection on which other processes are heard is lost, and perhaps what they said.
        """
        connection = await db.dedicated_connection()
        try:
            await self.changes.listen(connection)
            self.changes.add([*await read.pages(db), *self._pages])
            while True:
                await self._read(db)
                self._reading = True  # not while all are read at first: then the snapshot has to do
                await _check(connection)
                if live():
                    self._current_at = now()
                    self._snapshot.current()
                if not await self._measure(db):
                    with resting():
                        await self.changes.wait(LOOK)
        finally:  # nobody shall wait for what cannot be read now
            self._reading = False
            connection.terminate()

    async def _read(self, db: Database) -> None:
        try:
            for page in self._affected(self.changes.take()):
                await self._contained(page, read.material(db, page, now()))
                round_done()
        except BaseException:
            self.changes.give_back()
            raise
        finally:
            self.changes.done()

    def _affected(self, changed: dict[UUID, bool]) -> set[UUID]:
        none: set[UUID] = set()
        return none.union(*(self._followers.get(id_, none) if followed else {id_} for id_, followed in changed.items()))

    async def _measure(self, db: Database) -> bool:
        """Reads what is measured of one page anew, once in five minutes; true when there may be more to do.

        One at a time and beside `changes`, because no request shall wait for them.
        """
        if now() - self._measured_at >= EVERY:
            self._measured_at = now()
            pages = self._pages.items()
            self._measured = {id_ for id_, it in pages if _measures(it.material)}
        while self._measured:
            id_ = self._measured.pop()
            if known := self._pages.get(id_):
                whole = id_ in self._unread
                reading = read.material(db, id_, now()) if whole else _measured_anew(db, known.material)
                await self._contained(id_, reading)
                return True
        return False

    async def problem(self) -> str | None:
        """Why `/readyz` is red; None: every page is as the database has it."""
        return f"pages that cannot be read: {', '.join(map(str, self._unread))}" if self._unread else None

    async def _contained(self, id_: UUID, reading: Awaitable[Material | None]) -> None:
        """A page that cannot be read stays as it was, and costs no other."""
        try:
            await self._refresh(id_, await reading)
            self._unread.discard(id_)
        except Exception as error:
            if not is_items_own(error):
                raise
            self._unread.add(id_)
            log.exception("page_unreadable", page=str(id_))

    async def _refresh(self, id_: UUID, found: Material | None) -> None:
        if found:
            self._take(found)
            await asyncio.to_thread(self._snapshot.save, found)
        else:
            self._forget(id_)
            self._snapshot.remove(id_)

    def _take(self, it: Material) -> None:
        if (known := self._pages.get(it.page.id)) is None:
            known = self._pages[it.page.id] = Published(it)
        else:
            self._unlist(known)
            known.become(it)
        self.by_subdomain[it.page.subdomain] = known
        self.by_shields_key[it.page.shields_key] = known
        if it.verified:
            self.by_domain[it.page.domain] = known
        for id_ in known.names:
            self._followers.setdefault(id_, set()).add(it.page.id)

    def _forget(self, id_: UUID) -> None:
        if known := self._pages.pop(id_, None):
            self._unlist(known)
            known.tell()

    def _unlist(self, it: Published) -> None:
        page = it.material.page
        for names, name in (
            (self.by_subdomain, page.subdomain), (self.by_domain, page.domain), (self.by_shields_key, page.shields_key)
        ):  # fmt: skip
            if names.get(name) is it:
                del names[name]
        for id_ in it.names:
            followers = self._followers[id_]
            followers.discard(page.id)
            if not followers:
                del self._followers[id_]


def _measures(it: Material) -> bool:
    return bool(it.metrics or it.custom_metrics or any(map(monitor_of, it.page.components)))


async def _measured_anew(db: Database, it: Material) -> Material:
    at = now()
    return replace(
        it,
        response_times=await read.response_times(db, it.page, at, it.metrics),
        values=await values(db, it.custom_metrics, at),
    )
