"""Claims of pages to domains: verified by the DNS, looked at daily, and released when they stay broken."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.events import page_domains
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.settings import Settings
from pinghome_common.worker import Worker
from statuspage_query.domains import Domains, target

AT_ONCE = 20
"""Domains that are looked at together."""


class Claims(Worker):
    """Looks whether domains point here; `changed` is told for which pages that is no longer as it was."""

    lock, every, resident = "claims", 5.0, False

    def __init__(
        self,
        db: Database,
        domains: Domains,
        settings: Settings,
        changed: Callable[[Connection, Iterable[UUID]], Awaitable[None]],
    ) -> None:
        super().__init__(db)
        self._domains, self._settings, self._changed = domains, settings, changed

    async def round(self, connection: Connection) -> bool:
        """Looks at what is due."""
        rows = await connection.fetch(_DUE, now(), AT_ONCE)
        pages = [msgspec.json.decode(row["state"], type=StatusPage) for row in rows]
        found = await asyncio.gather(*(self._configured(each) for each in pages))
        for page, configured in zip(pages, found, strict=True):
            await self._note(connection, page, now(), configured=configured)
        return len(rows) == AT_ONCE

    async def verified(self, _: bytes) -> bytes:
        """The answer to `page_domains.SUBJECT`."""
        rows = await self._db.fetch(_VERIFIED)
        return page_domains.encode({row["page"]: row["domain"] for row in rows})

    async def configured(self, page: StatusPage) -> bool:
        """Looks at once, because somebody asks; what is found counts."""
        configured = await self._configured(page)
        if configured:
            async with self._db.connection() as connection:
                await self._note(connection, page, now(), configured=True)
        return configured

    async def _configured(self, page: StatusPage) -> bool:
        return await self._domains.configured(page.domain, target(self._settings, page), page.domain_token)

    async def _note(self, connection: Connection, page: StatusPage, at: datetime, *, configured: bool) -> None:
        """Notes what was found, and tells when that changes the page."""
        async with connection.transaction():
            if await connection.fetchval(_NOTE, page.id, page.domain, at, configured):
                await self._changed(connection, [page.id])


# A new claim is looked at each minute for a day, then each hour; a verified one each day, each hour while it is broken.
_DUE = """
SELECT p.state FROM statuspage p LEFT JOIN claim c ON c.page = p.id AND c.domain = p.state->>'domain'
WHERE p.state->>'domain' <> '' AND (c.page IS NULL OR c.checked_at < $1::timestamptz - CASE
    WHEN c.verified_at IS NULL AND (p.state->>'updated_at')::timestamptz > $1::timestamptz - interval '1 day'
        THEN interval '1 minute'
    WHEN c.verified_at IS NULL OR c.broken_at IS NOT NULL THEN interval '1 hour'
    ELSE interval '1 day' END)
ORDER BY c.checked_at NULLS FIRST LIMIT $2
"""

# After a week in which it was broken a domain is released.
_NOTE = """
WITH old AS (SELECT verified_at, broken_at FROM claim WHERE page = $1 AND domain = $2), new AS (
    INSERT INTO claim AS it (page, domain, checked_at, verified_at)
    SELECT $1::uuid, $2::text, $3::timestamptz, CASE WHEN $4::boolean THEN $3::timestamptz END
    WHERE EXISTS (SELECT FROM statuspage WHERE id = $1)
    ON CONFLICT (page) DO UPDATE SET domain = $2, checked_at = $3::timestamptz,
        verified_at = CASE
            WHEN $4::boolean THEN coalesce((SELECT verified_at FROM old), $3::timestamptz)
            WHEN (SELECT broken_at FROM old) > $3::timestamptz - interval '7 days' THEN (SELECT verified_at FROM old)
            WHEN (SELECT broken_at FROM old) IS NULL THEN (SELECT verified_at FROM old) END,
        broken_at = CASE WHEN NOT $4::boolean AND (SELECT verified_at FROM old) IS NOT NULL
            THEN coalesce((SELECT broken_at FROM old), $3::timestamptz) END
    RETURNING verified_at)
SELECT coalesce((SELECT verified_at IS NOT NULL FROM new), false)
    <> coalesce((SELECT verified_at IS NOT NULL FROM old), false)
"""

_VERIFIED = """
SELECT c.page, c.domain FROM claim c JOIN statuspage p ON p.id = c.page AND p.state->>'domain' = c.domain
WHERE c.verified_at IS NOT NULL
"""
