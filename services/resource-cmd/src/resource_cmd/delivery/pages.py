"""Tells the team what somebody has published on a status page: each channel, once for each event."""

from datetime import datetime
from uuid import UUID, uuid5

import msgspec

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.events import Envelope
from pinghome_common.events.incident import Incident, IncidentUpdate, Maintenance, MaintenanceStatus, Recurrence
from pinghome_common.events.notification import Notification
from pinghome_common.items import Item
from pinghome_common.plain import plain
from pinghome_common.store import no_wait
from pinghome_delivery.outbox import OUTBOX, Notifications
from pinghome_delivery.throttling import GIVE_UP

NOUNS = ("incident", "incident_update", "maintenance", "recurrence")
MOST = 4000
"""Characters of a message; the page has the rest."""


class News(msgspec.Struct):
    """What there is to tell of an incident or a maintenance."""

    noun: str
    about: UUID
    page: UUID
    what: str
    title: str
    message: str
    at: datetime
    by: str


async def hear(tx: Connection, items: list[Item]) -> None:
    """Notes what channels have to be told of some events; what is older than a day is no news."""
    stamp = now()
    for item in items:
        event: Envelope = item.value
        if not _by_a_person(event) or event.time < stamp - GIVE_UP or (it := news(event)) is None:
            continue
        text = "\n\n".join(part for part in (plain(it.message, MOST), it.by and f"Reported by {it.by}.") if part)
        rows = await tx.fetch(_CHANNELS, event.organisation)
        found = [
            Notification(
                id=uuid5(row["id"], str(event.id)), organisation=event.organisation, channel=row["id"],
                channel_name=row["name"], channel_kind=row["kind"], noun=it.noun, about=it.about,
                about_version=event.version, what=it.what, at=it.at, title=it.title, text=text or it.title,
                page=it.page, at_once=True, created_at=stamp,
            )
            for row in rows
        ]  # fmt: skip
        await Notifications(tx, OUTBOX, no_wait, stamp).add_many(found)


def news(event: Envelope) -> News | None:
    """What an event of `NOUNS` says; None when it is nothing that was published."""
    match event.type:
        case "incident.created":
            it = msgspec.json.decode(event.data, type=Incident)
            title = f"Incident ({it.opened_as}): {it.title}"
            return News("incident", it.id, it.page, "incident", title, it.message, it.created_at, it.reported_by)
        case "incident_update.created":
            update = msgspec.json.decode(event.data, type=IncidentUpdate)
            title = f"Incident update: {update.status}"
            return News(
                "incident", update.incident, update.page, "update", title, update.message, update.created_at,
                update.reported_by,
            )  # fmt: skip
        case "recurrence.created":
            rule = msgspec.json.decode(event.data, type=Recurrence)
            return _of_maintenance(rule, "scheduled", rule.created_at)
        case "maintenance.created" | "maintenance.updated":
            return _single(msgspec.json.decode(event.data, type=Maintenance), created=event.type.endswith("created"))
    return None


def _single(it: Maintenance, *, created: bool) -> News | None:
    """Of the occurrences of a rule only what is begun or ended by hand is news."""
    if created:
        what = "scheduled" if it.status is MaintenanceStatus.scheduled else "started"
        over = it.status is MaintenanceStatus.completed  # it was noted down afterwards
        return None if it.recurrence or over else _of_maintenance(it, what, it.created_at)
    if it.updated_at == it.ended_at:
        return _of_maintenance(it, "ended", it.updated_at)
    return _of_maintenance(it, "started", it.updated_at) if it.updated_at == it.started_at else None


def _of_maintenance(it: Maintenance | Recurrence, what: str, at: datetime) -> News:
    title = f"Maintenance {what}: {it.title}"
    return News("maintenance", it.id, it.page, f"maintenance-{what}", title, it.message, at, it.reported_by)


def _by_a_person(event: Envelope) -> bool:
    """Keys act for people, and are named by their ids; workers have names."""
    try:
        UUID(event.actor)
    except ValueError:
        return False
    return True


_CHANNELS = "SELECT id, state->>'name' AS name, state->>'kind' AS kind FROM channel WHERE organisation = $1"
