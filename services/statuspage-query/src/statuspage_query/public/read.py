"""Reads all that a public page shows, whoever asks: what may be seen of it is decided later."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from pinghome_common.db import Database
from pinghome_common.events.statuspage import Picture, StatusPage
from statuspage_query.public.material import Material
from statuspage_query.read import Read
from statuspage_query.statuses import Since

KEPT = timedelta(days=92)
"""How far back timelines go: 90 days, whatever the time zone."""
TOLD = 500
"""Incidents, and maintenances, of one page that are shown: the open ones, and the newest."""


async def pages(db: Database) -> list[UUID]:
    """The ids of all pages."""
    return [row["id"] for row in await db.fetch("SELECT id FROM statuspage")]


async def material(db: Database, id_: UUID, now: datetime) -> Material | None:
    """All that is known of a page; None when there is none."""
    row = await db.fetchrow(
        "SELECT p.version, p.state, c.verified_at FROM statuspage p"
        " LEFT JOIN claim c ON c.page = p.id AND c.domain = p.state->>'domain' WHERE p.id = $1",
        id_,
    )
    if row is None:
        return None
    page = msgspec.json.decode(row["state"], type=StatusPage)
    read = Read(db, page.organisation)
    incidents = {each.id: each for each in await read.incidents(id_, open_only=True)}
    incidents |= {each.id: each for each in await read.incidents(id_, limit=TOLD)}
    maintenances = {each.id: each for each in await read.maintenances(id_, open_only=True)}
    maintenances |= {each.id: each for each in await read.maintenances(id_, limit=TOLD)}
    pictures = [
        msgspec.json.decode(each["state"], type=Picture)
        for each in await db.fetch("SELECT state FROM picture WHERE page = $1", id_)
    ]
    timelines = await read.timelines(page, page.components)
    return Material(
        page=page,
        version=row["version"],
        verified=row["verified_at"] is not None,
        timelines={id_: _since(now - KEPT, changes) for id_, changes in timelines.items()},
        incidents=sorted(incidents.values(), key=lambda each: each.occurred_at, reverse=True),
        updates=await read.updates([*incidents]),
        maintenances=sorted(maintenances.values(), key=lambda each: each.scheduled_for, reverse=True),
        pictures={f"{each.name}.png": each.png for each in pictures},
        changed_at=now,
    )


def _since(start: datetime, changes: list[Since]) -> list[Since]:
    """The changes since a time, with what was last before it."""
    first = max((place for place, each in enumerate(changes) if each.at <= start), default=0)
    return changes[first:]
