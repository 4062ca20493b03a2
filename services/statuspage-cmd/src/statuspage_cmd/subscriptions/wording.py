"""What subscribers are told, in words: titles of one line, and texts."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from pinghome_common.events.incident import Affected, Incident, IncidentStatus, IncidentUpdate, Maintenance
from pinghome_common.events.statuspage import ComponentStatus, StatusPage
from pinghome_common.plain import plain

MOST = 4000
"""Characters of a message; the page has the rest."""

_STATUSES = {
    IncidentStatus.investigating: "Investigating",
    IncidentStatus.identified: "Identified",
    IncidentStatus.monitoring: "Monitoring",
    IncidentStatus.resolved: "Resolved",
}
_COMPONENTS = {
    ComponentStatus.operational: "operational",
    ComponentStatus.degraded: "degraded performance",
    ComponentStatus.partial_outage: "partial outage",
    ComponentStatus.major_outage: "major outage",
    ComponentStatus.unavailable: "unavailable",
    ComponentStatus.maintenance: "under maintenance",
    ComponentStatus.unknown: "unknown",
}
_MAINTENANCE = {
    "scheduled": "Scheduled maintenance",
    "started": "Maintenance in progress",
    "ended": "Maintenance completed",
    "edited": "Edited: scheduled maintenance",
}


def of_incident(page: StatusPage, it: Incident, update: IncidentUpdate | None, what: str) -> tuple[str, str]:
    """Title and text of an incident, or of one of its updates."""
    status, components = (update.status, update.components) if update else (it.opened_as, it.opened_with)
    edited = "Edited: " if what == "edited" else ""
    affected = _affected(page, components, over=it.resolved_at is not None)
    return f"{edited}{_STATUSES[status]}: {it.title}", _paragraphs(plain((update or it).message, MOST), affected)


def of_maintenance(page: StatusPage, it: Maintenance, what: str) -> tuple[str, str]:
    """Title and text of a maintenance."""
    zone = ZoneInfo(page.timezone)
    begin, end = it.started_at or it.scheduled_for, it.ended_at or it.ends_at
    when = f"From {_moment(begin, zone)} to {_moment(end, zone)} ({page.timezone})."
    names = ", ".join(_names(page, it.components))
    text = _paragraphs(plain(it.message, MOST), when, f"Affected: {names}" if names else "")
    return f"{_MAINTENANCE[what]}: {it.title}", text


def _affected(page: StatusPage, affected: Iterable[Affected], *, over: bool) -> str:
    """Hidden components are not named; how the others were is of no interest when it is over."""
    statuses = {each.component: each.status for each in affected}
    lines = [it.name if over else f"{it.name} ({_COMPONENTS[statuses[it.id]]})" for it in page.components
             if it.id in statuses and it.showcased]  # fmt: skip
    return f"Affected: {', '.join(lines)}" if lines else ""


def _names(page: StatusPage, ids: Iterable[UUID]) -> list[str]:
    wanted = set(ids)
    return [it.name for it in page.components if it.id in wanted and it.showcased]


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
