"""A status page with everything that one can have, for tests of what the public sees of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pinghome_common.events.incident import (
    Affected,
    Incident,
    IncidentStatus,
    IncidentUpdate,
    Maintenance,
    MaintenanceStatus,
)
from pinghome_common.events.statuspage import Component, ComponentStatus, Group, StatusPage
from statuspage_query.public.material import Material
from statuspage_query.statuses import Since

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=200)
ORGANISATION = uuid4()


def page(**settings: Any) -> StatusPage:
    """A page without components."""
    own = {"name": "Acme", "subdomain": "acme", "type": "public", "domain_token": "t", "shields_key": "s"}
    times = {"created_at": LONG_AGO, "updated_at": LONG_AGO}
    return StatusPage(**{"id": uuid4(), "organisation": ORGANISATION, **own, **times, **settings})


def component(name: str, **settings: Any) -> Component:
    """A component, made long ago."""
    return Component(**{"id": uuid4(), "name": name, "created_at": LONG_AGO, **settings})


def group(name: str) -> Group:
    """A group."""
    return Group(id=uuid4(), name=name, created_at=LONG_AGO)


def material(components: dict[str, Any] | list[Component], groups: list[Group] | None = None, **more: Any) -> Material:
    """A page with components: named with what they show since long ago, or with `timelines` among `more`."""
    named = components if isinstance(components, dict) else {}
    listed = [component(name) for name in named] if isinstance(components, dict) else components
    timelines = {each.id: [Since(LONG_AGO, ComponentStatus(named.get(each.name, "operational")))] for each in listed}
    it = Material(page=page(components=listed, groups=groups or []), timelines=timelines, changed_at=NOW)
    settings = {name: more.pop(name) for name in list(more) if hasattr(it.page, name)}
    it.page = replace(it.page, **settings)
    return replace(it, **more)


def affected(it: Component | UUID, status: str) -> Affected:
    """What an incident gives a component."""
    return Affected(component=it if isinstance(it, UUID) else it.id, status=ComponentStatus(status))


def incident(title: str, ago: timedelta = timedelta(hours=2), **settings: Any) -> Incident:
    """An incident that somebody reported."""
    at = NOW - ago
    own = {"id": uuid4(), "organisation": ORGANISATION, "page": uuid4(), "reported_by": "somebody"}
    return Incident(**{**own, "title": title, "occurred_at": at, "created_at": at, "updated_at": at, **settings})


def resolved(title: str, ago: timedelta, lasting: timedelta = timedelta(hours=1), **settings: Any) -> Incident:
    """An incident that is over."""
    end = NOW - ago + lasting
    return incident(title, ago, status=IncidentStatus.resolved, resolved_at=end, updated_at=end, **settings)


def update(
    of: Incident, status: str, message: str = "", ago: timedelta = timedelta(hours=1), **settings: Any
) -> IncidentUpdate:
    """An update of an incident."""
    at = NOW - ago
    own = {"id": uuid4(), "organisation": ORGANISATION, "page": of.page, "incident": of.id, "created_at": at}
    return IncidentUpdate(**{**own, "status": IncidentStatus(status), "message": message, "updated_at": at, **settings})


def maintenance(title: str, begins: timedelta, lasting: timedelta = timedelta(hours=1), **settings: Any) -> Maintenance:
    """A maintenance that begins some time from now, before now when that is negative."""
    start, end = NOW + begins, NOW + begins + lasting
    status = "scheduled" if start > NOW else "in_progress" if end > NOW else "completed"
    own = {"id": uuid4(), "organisation": ORGANISATION, "page": uuid4(), "title": title, "scheduled_for": start}
    times = {"ends_at": end, "created_at": LONG_AGO, "updated_at": LONG_AGO}
    times |= {"started_at": start if start <= NOW else None, "ended_at": end if end <= NOW else None}
    return Maintenance(**{**own, **times, "status": MaintenanceStatus(status), **settings})
