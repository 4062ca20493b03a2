"""The rows of status pages, and the hashes of their passwords."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from asyncpg import UniqueViolationError

from pinghome_common.db import Connection
from pinghome_common.errors import Conflict
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.store import Actor, Row, Store
from statuspage_cmd.pages import domain_claims

CLAIMS = Actor("claims")


class Pages(Store[StatusPage]):
    """Status pages; no two of the platform have the same subdomain or domain.

    Whenever one changes, `incidents.watch` looks at it.
    """

    source, prefix = "statuspage-cmd", "status"
    noun, type = "statuspage", StatusPage
    columns: ClassVar = {"subdomain": "text", "domain": "text", "look_at": "timestamptz"}
    on_deletion = (
        ", released AS (UPDATE domain_claim SET released_at = now()"
        " WHERE domain IN (SELECT domain FROM statuspage WHERE id = ANY($6::uuid[])))"
    )

    @property
    def _word(self) -> str:
        return "status page"

    def _values(self, state: StatusPage) -> list[Any]:
        return [state.subdomain, state.domain or None, self._now]

    async def claim(self, state: StatusPage, most: int) -> None:
        """Claims the domain of a page that is about to be added or saved, and releases the one that it had.

        What others have released long ago leaves their pages.

        Raises:
            Conflict: it is another organisation's, or was within 30 days.
            Invalid: the organisation has claimed `most` others within a day.
        """
        had = await self._tx.fetchval("SELECT domain FROM statuspage WHERE id = $1", state.id)
        if state.domain == (had or ""):
            return
        if had:
            await domain_claims.release(self._tx, had, self._now)
        if not state.domain:
            return
        if not await domain_claims.claim(self._tx, state.domain, state.organisation, self._now, most):
            raise _taken("domain")
        found = await self._tx.fetch(
            "SELECT id FROM statuspage WHERE domain = $1 AND organisation <> $2", state.domain, state.organisation
        )
        others = Pages(self._tx, CLAIMS, self._on_event, self._now)
        for row in await others.edit_many([each["id"] for each in found]):
            row.state.domain = ""
            await others.save(row)

    async def add(self, state: StatusPage, *, unique: bool = False, version: int = 1) -> Row[StatusPage]:
        """As everywhere; raises Conflict when the subdomain or the domain is taken."""
        async with _names():
            return await super().add(state, unique=unique, version=version)

    async def save(self, row: Row[StatusPage], what: str = "updated") -> None:
        """As everywhere; raises Conflict when the subdomain or the domain is taken."""
        async with _names():
            await super().save(row, what)

    async def read(self, id_: UUID) -> StatusPage:
        """One that is there, without a lock: whoever needs it must not keep the page's own commands waiting."""
        state = await self._tx.fetchval("SELECT state FROM statuspage WHERE id = $1", id_)
        page: StatusPage = msgspec.json.decode(state, type=StatusPage)
        return page

    async def set_password(self, page: UUID, hash_: str | None) -> None:
        """Keeps the hash of a page's password; None: it has none."""
        if hash_ is None:
            await self._tx.execute("DELETE FROM page_password WHERE page = $1", page)
            return
        await self._tx.execute(
            "INSERT INTO page_password VALUES ($1, $2) ON CONFLICT (page) DO UPDATE SET hash = $2", page, hash_
        )


async def password_of(tx: Connection, page: UUID) -> str | None:
    """The hash of a page's password; None when it has none."""
    hash_: str | None = await tx.fetchval("SELECT hash FROM page_password WHERE page = $1", page)
    return hash_


@asynccontextmanager
async def _names() -> AsyncIterator[None]:
    try:
        yield
    except UniqueViolationError as error:
        field = "domain" if error.constraint_name == "statuspage_domain" else "subdomain"
        raise _taken(field) from None


def _taken(field: str) -> Conflict:
    return Conflict(f"This {field} is taken by another status page; choose another one.")
