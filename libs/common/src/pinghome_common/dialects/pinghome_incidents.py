"""PingHome's documents of what a status page tells of: our own nouns (contract H)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pinghome_common.dialects.pinghome_documents import moment
from pinghome_common.dialects.pinghome_pages import WORDS
from pinghome_common.events.incident import (
    Affected,
    Incident,
    IncidentStatus,
    IncidentUpdate,
    Maintenance,
    Recurrence,
    Template,
    impact,
)
from pinghome_common.events.statuspage import ComponentStatus


def incident(it: Incident) -> dict[str, Any]:
    """An incident without its updates; `impact` is as somebody said, else by the worst of its components."""
    return {
        "id": it.id,
        "statuspage_id": it.page,
        "title": it.title,
        "message": it.message,
        "status": it.status,
        "impact": impact(it),
        "components": _affected(it.components),
        "notify": it.notify,
        "automatic": it.automatic,
        "reported_by": it.reported_by,
        "postmortem": it.postmortem,
        "postmortem_at": moment(it.postmortem_at),
        "occurred_at": moment(it.occurred_at),
        "monitoring_at": moment(it.monitoring_at),
        "resolved_at": moment(it.resolved_at),
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def with_updates(it: Incident, updates: Sequence[IncidentUpdate]) -> dict[str, Any]:
    """An incident with its updates, oldest first."""
    return incident(it) | {"updates": [update(each) for each in updates]}


def update(it: IncidentUpdate) -> dict[str, Any]:
    """An update of an incident."""
    return {
        "id": it.id,
        "incident_id": it.incident,
        "status": it.status,
        "message": it.message,
        "components": _affected(it.components),
        "notify": it.notify,
        "reported_by": it.reported_by,
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def maintenance(it: Maintenance) -> dict[str, Any]:
    """A maintenance; `recurrence` is the id of the one that it is an occurrence of."""
    return _announced(it) | {
        "status": it.status,
        "ends_at": moment(it.ends_at),
        "started_at": moment(it.started_at),
        "ended_at": moment(it.ended_at),
        "recurrence": it.recurrence,
    }


def recurrence(it: Recurrence) -> dict[str, Any]:
    """A maintenance that comes again; `duration` is in minutes."""
    return _announced(it) | {"rrule": it.rrule, "timezone": it.timezone, "duration": it.duration}


def _announced(it: Maintenance | Recurrence) -> dict[str, Any]:
    return {
        "id": it.id,
        "statuspage_id": it.page,
        "title": it.title,
        "message": it.message,
        "components": it.components,
        "scheduled_for": moment(it.scheduled_for),
        "notify": it.notify,
        "silence_alerts": it.silence_alerts,
        "reported_by": it.reported_by,
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def template(it: Template) -> dict[str, Any]:
    """The text of an incident, written beforehand."""
    return {
        "id": it.id,
        "statuspage_id": it.page,
        "name": it.name,
        "title": it.title,
        "message": it.message,
        "status": it.status,
        "impact": it.impact,
        "components": _affected(it.components),
        "created_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def _affected(affected: Sequence[Affected]) -> list[dict[str, Any]]:
    return [{"id": each.component, "status": WORDS[each.status]} for each in affected]


_AT = datetime(2026, 11, 21, 21, 50, 15, tzinfo=UTC)
_PAGE = UUID("c03b02ec-244f-4d2c-8f68-3910071ed5c8")
_COMPONENT = UUID("906a3444-15ce-4410-8041-89a238e9e91f")
_AFFECTED = [Affected(component=_COMPONENT, status=ComponentStatus.partial_outage)]
_OWN: dict[str, Any] = {
    "id": UUID("14ab74bf-87a0-4565-a291-ad5c9733c53f"),
    "organisation": UUID(int=0),
    "page": _PAGE,
    "created_at": _AT,
    "updated_at": _AT,
}
_SAID: dict[str, Any] = {"notify": True, "reported_by": "On call"}
_TEXT: dict[str, Any] = {
    "title": "Payments fail",
    "message": "<p>Some payments are <b>declined</b>; we are looking into it.</p>",
}
_WORK: dict[str, Any] = {"title": "Database upgrade", "message": "The shop is read-only meanwhile."}
UPDATE = update(
    IncidentUpdate(
        **_OWN, **_SAID, incident=_OWN["id"], status=IncidentStatus.identified, components=_AFFECTED,
        message="A certificate of our bank has expired.",
    )
)  # fmt: skip
INCIDENT = incident(Incident(**_OWN, **_SAID, **_TEXT, components=_AFFECTED, occurred_at=_AT))
WITH_UPDATES = INCIDENT | {"updates": [UPDATE]}
MAINTENANCE = maintenance(
    Maintenance(
        **_OWN, **_SAID, **_WORK, components=[_COMPONENT],
        scheduled_for=_AT + timedelta(days=1), ends_at=_AT + timedelta(days=1, hours=2),
    )
)  # fmt: skip
RECURRENCE = recurrence(
    Recurrence(
        **_OWN, **_SAID, **_WORK, components=[_COMPONENT], rrule="FREQ=WEEKLY;BYDAY=SU", timezone="Europe/Berlin",
        scheduled_for=_AT + timedelta(days=1), duration=120,
    )
)  # fmt: skip
TEMPLATE = template(Template(**_OWN, **_TEXT, name="Bank", components=_AFFECTED))
"""Examples for OpenAPI."""
