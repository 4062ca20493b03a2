"""Mutes: maintenance of status pages that silences the alerts about what its components follow (contract H)."""

import json
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from pinghome_common.db import Connection
from pinghome_common.events import Envelope
from pinghome_common.events.incident import Maintenance, MaintenanceStatus
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.items import Item

NOUNS = ("statuspage", "maintenance")

MUTED = """
SELECT p.organisation, f.value::uuid FROM mute m JOIN page p ON p.id = m.page
CROSS JOIN LATERAL jsonb_each_text(p.followed) f
WHERE m.begins <= $1 AND $1 < m.ends AND m.components ? f.key
"""
"""In SQL: organisation and id of what no alerts are sent about at `$1`."""


class Followed(Protocol):
    """A monitor, a heartbeat or a server."""

    id: UUID
    organisation: UUID


class Mutes:
    """What is muted at a time, and what was not told for that."""

    def __init__(self, tx: Connection, at: datetime) -> None:
        self._tx, self._at = tx, at
        self._found: set[tuple[UUID, UUID]] | None = None

    async def cover(self, it: Followed) -> bool:
        """Whether nothing is told of one."""
        if self._found is None:
            self._found = {(organisation, id_) for organisation, id_ in await self._tx.fetch(MUTED, self._at)}
        return (it.organisation, it.id) in self._found

    async def note(self, noun: str, it: Followed) -> None:
        """Notes that one has to be looked at when it is no longer muted."""
        await self._tx.execute(_NOTE, it.id, it.organisation, noun)


async def hear(tx: Connection, items: list[Item]) -> None:
    """Keeps what pages follow, and the maintenance that silences and is not over.

    Begin and end are those of the maintenance itself: nobody waits for statuspage-cmd's clock to say so.
    """
    for item in items:
        event: Envelope = item.value
        if event.noun == "statuspage":
            await _page(tx, event)
        elif event.noun == "maintenance":
            it = msgspec.json.decode(event.data, type=Maintenance)
            if event.deleted or not it.silence_alerts or it.status is MaintenanceStatus.completed:
                await tx.execute("DELETE FROM mute WHERE maintenance = $1", it.id)
            else:
                components = json.dumps([str(each) for each in it.components])
                begins = it.started_at or it.scheduled_for
                await tx.execute(_MUTE, it.id, it.page, event.version, components, begins, it.ends_at)


async def _page(tx: Connection, event: Envelope) -> None:
    if event.deleted:
        await tx.execute("DELETE FROM mute WHERE page = $1", event.subject)
        await tx.execute("DELETE FROM page WHERE id = $1", event.subject)
        return
    components = msgspec.json.decode(event.data, type=StatusPage).components
    followed = {str(each.id): str(each.resource_id) for each in components if each.resource_id}
    await tx.execute(_PAGE, event.subject, event.organisation, event.version, json.dumps(followed))


_NOTE = "INSERT INTO muted VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
# Events that the broker has lost come again.
_PAGE = """
INSERT INTO page AS old VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET version = $3, followed = $4 WHERE old.version < $3
"""
_MUTE = """
INSERT INTO mute AS old VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (maintenance) DO UPDATE SET version = $3, components = $4, begins = $5, ends = $6 WHERE old.version < $3
"""
