"""Tells a prober its region's whole schedule, which it keeps for the time that it has no link."""

from uuid import UUID

import msgspec

from pinghome_common.db import Database
from pinghome_common.events.probe import SchedulePage
from pinghome_common.events.resource import Resource
from pinghome_common.secret import derive
from resource_cmd.scheduling.job import sealed_for

PAGE_BYTES = 400 << 10
"""Bytes of jobs from which on the rest is for the next page; a single one may have 256 KiB."""

PAGE_ROWS = 500


class RegionSchedules:
    """The schedules of all regions as PostgreSQL has them.

    A request, not a consumer of the stream: whoever may make a consumer can have messages delivered to any subject.
    """

    def __init__(self, db: Database, secret_key: str) -> None:
        self._db, self._own = db, derive(secret_key, "resource")

    async def page(self, region: str, key: bytes, request: bytes) -> bytes:
        """Answers a request with a `SchedulePage`; ValueError when it has neither 0 nor 16 bytes."""
        after = UUID(bytes=request) if request else UUID(int=0)
        rows = await self._db.fetch(_PAGE, region, after, PAGE_ROWS)
        page, size = SchedulePage([], None), 0
        for row in rows:
            it = msgspec.json.decode(row["state"], type=Resource)
            job = sealed_for(it, self._own, key)
            page.jobs.append(msgspec.Raw(job))
            size += len(job)
            if size > PAGE_BYTES or len(page.jobs) == PAGE_ROWS:
                page.next = it.id
                break
        return msgspec.msgpack.encode(page)


_PAGE = """
SELECT state FROM resource WHERE (state->>'enabled')::bool AND state->'regions' ? $1 AND id > $2 ORDER BY id LIMIT $3
"""
