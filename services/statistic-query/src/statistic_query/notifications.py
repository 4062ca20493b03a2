"""Projects notifications, and whose the status pages are that some of them are about."""

from datetime import datetime
from uuid import UUID

import msgspec

from pinghome_common.db import Connection
from pinghome_common.events import Envelope
from pinghome_common.items import Item

NOUNS = ("statuspage", "notification")
"""What of STATUS_EVENTS is read."""


class _Notification(msgspec.Struct):
    about: UUID
    at: datetime
    page: UUID | None = None


async def store(tx: Connection, events: list[Envelope]) -> None:
    """Stores the notifications among some events, each as it is after the last."""
    found = {}
    for event in events:
        if event.noun == "notification":
            it = msgspec.json.decode(event.data, type=_Notification)
            state = bytes(event.data).decode()
            found[event.subject] = event.subject, it.about, it.at, event.version, state, it.page
    if found:  # executemany makes a round trip even without rows
        await tx.executemany(_NOTIFICATION, [*found.values()])


async def pages(tx: Connection, items: list[Item]) -> None:
    """Stores whose the status pages are, and what their subscribers are told."""
    events: list[Envelope] = [item.value for item in items]
    await store(tx, events)
    for event in events:
        if event.noun == "notification":
            continue
        if event.deleted:
            await tx.execute("DELETE FROM statuspage WHERE id = $1", event.subject)
            await tx.execute("DELETE FROM notification WHERE page = $1", event.subject)
        else:
            await tx.execute(_PAGE, event.subject, event.organisation)


_NOTIFICATION = """
INSERT INTO notification AS old (id, about, at, version, state, page) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET version = $4, state = $5 WHERE old.version < $4
"""

_PAGE = "INSERT INTO statuspage (id, organisation) VALUES ($1, $2) ON CONFLICT DO NOTHING"
