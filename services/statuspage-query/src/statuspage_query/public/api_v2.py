"""The JSON that thousands of tools read from status pages: `/api/v2/….json`, in the form that they know."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from pinghome_common.events.incident import MaintenanceStatus
from pinghome_common.events.statuspage import ComponentStatus
from statuspage_query.public.plain import text
from statuspage_query.public.reports import AffectedView, IncidentReport, MaintenanceReport, UpdateView
from statuspage_query.public.view import ComponentView, Indicator, Section, View

NEWEST = 50
"""Incidents, and maintenances, of one answer."""

_INDICATORS = {
    Indicator.none: ("none", "All Systems Operational"),
    Indicator.unknown: ("none", "All Systems Operational"),
    Indicator.minor: ("minor", "Partially Degraded Service"),
    Indicator.major: ("major", "Partial System Outage"),
    Indicator.critical: ("critical", "Major System Outage"),
    Indicator.maintenance: ("maintenance", "Service Under Maintenance"),
}
_STATUSES = {
    ComponentStatus.operational: "operational",
    ComponentStatus.unknown: "operational",  # there is no other word for it
    ComponentStatus.degraded: "degraded_performance",
    ComponentStatus.partial_outage: "partial_outage",
    ComponentStatus.major_outage: "major_outage",
    ComponentStatus.unavailable: "major_outage",
    ComponentStatus.maintenance: "under_maintenance",
}

Document = dict[str, Any]


def summary(view: View, url: str) -> Document:
    """All that is now."""
    return {
        **page(view, url),
        **status(view),
        **components(view),
        "incidents": [_incident(each, view, url) for each in view.open[:NEWEST]],
        "scheduled_maintenances": [_maintenance(each, view, url) for each in [*view.running, *view.upcoming][:NEWEST]],
    }


def page(view: View, url: str) -> Document:
    """What every answer begins with."""
    it = view.page
    about = {"id": it.id, "name": it.name, "url": url, "time_zone": it.timezone, "updated_at": _moment(view.updated_at)}
    return {"page": about}


def status(view: View) -> Document:
    """The banner."""
    indicator, description = _INDICATORS[view.indicator]
    return {"status": {"indicator": indicator, "description": description}}


def components(view: View) -> Document:
    """The components and, in the same list, their groups."""
    found = []
    for section in view.sections:
        if section.group:
            found.append(_group(section, view))
        found += [_component(each, view) for each in section.components]
    return {"components": found}


def _incidents(found: Sequence[IncidentReport], view: View, url: str) -> Document:
    return {"incidents": [_incident(each, view, url) for each in found[:NEWEST]]}


def _maintenances(found: Sequence[MaintenanceReport], view: View, url: str) -> Document:
    return {"scheduled_maintenances": [_maintenance(each, view, url) for each in found[:NEWEST]]}


_BODIES: dict[str, Callable[[View, str], Document]] = {
    "summary": summary,
    "status": lambda view, url: page(view, url) | status(view),
    "components": lambda view, url: page(view, url) | components(view),
    "incidents": lambda view, url: page(view, url) | _incidents(view.incidents, view, url),
    "incidents/unresolved": lambda view, url: page(view, url) | _incidents(view.open, view, url),
    "scheduled-maintenances": lambda view, url: page(view, url) | _maintenances(view.maintenances, view, url),
    "scheduled-maintenances/upcoming": lambda view, url: page(view, url) | _maintenances(view.upcoming, view, url),
    "scheduled-maintenances/active": lambda view, url: page(view, url) | _maintenances(view.running, view, url),
}
NAMES = tuple(_BODIES)
"""What may be asked for, without `.json`."""


def body(name: str, view: View, url: str) -> bytes:
    """The answer to one of `NAMES`; `url` is the page's own address."""
    return msgspec.json.encode(_BODIES[name](view, url))


def _group(it: Section, view: View) -> Document:
    assert it.group  # noqa: S101  # only such sections come here
    position = min(each.position for each in it.components)
    return {
        "id": it.group.id,
        "name": it.group.name,
        "status": _STATUSES[it.status],
        "created_at": _moment(it.group.created_at),
        "updated_at": _moment(view.updated_at),
        "position": position,
        "description": it.group.description or None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": view.page.id,
        "group": True,
        "only_show_if_degraded": False,
        "components": [each.id for each in it.components],
    }


def _component(it: ComponentView, view: View) -> Document:
    return {
        "id": it.id,
        "name": it.name,
        "status": _STATUSES[it.status],
        "created_at": _moment(it.created_at),
        "updated_at": _moment(max(it.since, it.created_at)),
        "position": it.position,
        "description": it.description or None,
        "showcase": True,
        "start_date": it.created_at.date().isoformat(),
        "group_id": it.group,
        "page_id": view.page.id,
        "group": False,
        "only_show_if_degraded": False,
    }


def _incident(it: IncidentReport, view: View, url: str) -> Document:
    touched = {each.id for each in it.components}
    return {
        "id": it.id,
        "name": it.title,
        "status": "postmortem" if it.postmortem else it.status.value,
        "created_at": _moment(it.created_at),
        "updated_at": _moment(it.updated_at),
        "monitoring_at": _moment(it.monitoring_at),
        "resolved_at": _moment(it.ended_at),
        "impact": it.impact.value,
        "shortlink": f"{url}/incidents/{it.id}",
        "started_at": _moment(it.starts_at),
        "page_id": view.page.id,
        "incident_updates": [_update(each, it) for each in it.updates],
        "components": [_component(each, view) for each in view.components if each.id in touched],
    }


def _update(it: UpdateView, of: IncidentReport) -> Document:
    return {
        "id": it.id,
        "status": it.status,
        "body": text(it.message),
        "incident_id": of.id,
        "created_at": _moment(it.at),
        "updated_at": _moment(it.updated_at),
        "display_at": _moment(it.at),
        "affected_components": [_affected(each) for each in it.components] or None,
        "deliver_notifications": it.notified,
    }


def _affected(it: AffectedView) -> Document:
    return {
        "code": it.id,
        "name": it.name,
        "old_status": _STATUSES[it.before],
        "new_status": _STATUSES[it.status],
    }


def _maintenance(it: MaintenanceReport, view: View, url: str) -> Document:
    touched = {id_ for id_, _ in it.components}
    over = it.status is MaintenanceStatus.completed
    update = {
        "id": it.id,
        "status": it.status.value,
        "body": text(it.message),
        "incident_id": it.id,
        "created_at": _moment(it.created_at),
        "updated_at": _moment(it.updated_at),
        "display_at": _moment(it.created_at),
        "affected_components": [
            {"code": id_, "name": name, "old_status": "operational", "new_status": "under_maintenance"}
            for id_, name in it.components
        ]
        or None,
        "deliver_notifications": it.notified,
    }
    return {
        "id": it.id,
        "name": it.title,
        "status": it.status.value,
        "created_at": _moment(it.created_at),
        "updated_at": _moment(it.updated_at),
        "monitoring_at": None,
        "resolved_at": _moment(it.ended_at) if over else None,
        "impact": "maintenance",
        "shortlink": f"{url}/maintenances/{it.id}",
        "started_at": _moment(it.starts_at),
        "page_id": view.page.id,
        "incident_updates": [update],
        "components": [_component(each, view) for each in view.components if each.id in touched],
        "scheduled_for": _moment(it.scheduled_for),
        "scheduled_until": _moment(it.scheduled_until),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
