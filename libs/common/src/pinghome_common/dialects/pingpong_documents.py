"""PingPong's documents of status pages (contract C.2): what the page's project, components and events look like."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any
from uuid import UUID

from pinghome_common.dialects.pingpong import moment, short
from pinghome_common.events.incident import Incident, IncidentStatus, IncidentUpdate, Maintenance, MaintenanceStatus
from pinghome_common.events.statuspage import Component, ComponentStatus, Group, StatusPage
from pinghome_common.html import clean

Document = dict[str, Any]

STATUSES = {
    "Unknown": ComponentStatus.unknown,
    "Operational": ComponentStatus.operational,
    "Minor issues": ComponentStatus.degraded,
    "Major issues": ComponentStatus.partial_outage,
    "Critical state": ComponentStatus.major_outage,
    "Maintenance mode": ComponentStatus.maintenance,
    "Unavailable": ComponentStatus.unavailable,
}
"""The words for a component's status."""
WORDS = {status: word for word, status in STATUSES.items()}
COLORS = {
    ComponentStatus.unknown: "gray",
    ComponentStatus.operational: "green",
    ComponentStatus.degraded: "orange",
    ComponentStatus.partial_outage: "orange",
    ComponentStatus.major_outage: "red",
    ComponentStatus.maintenance: "gray",
    ComponentStatus.unavailable: "red",
}

PROGRESS = {
    "Investigating": IncidentStatus.investigating,
    "Identified": IncidentStatus.identified,
    "Verifying": IncidentStatus.monitoring,
    "Resolved": IncidentStatus.resolved,
}
"""The words for an incident's status; one without updates is `In progress`."""
_PROGRESS = {status: word for word, status in PROGRESS.items()}
_MAINTENANCE = {
    MaintenanceStatus.scheduled: "Upcoming",
    MaintenanceStatus.in_progress: "In progress",
    MaintenanceStatus.completed: "Complete",
}

PROJECT = 50
"""Characters of a project's name, at most."""


def component_status(status: ComponentStatus) -> Document:
    """A component's status and its colour."""
    return {"status": WORDS[status], "status_color": COLORS[status]}


def overall(statuses: Iterable[ComponentStatus]) -> Document:
    """The status of a page, by those of the components that it shows (contract F)."""
    found = {*statuses}
    down = {ComponentStatus.major_outage, ComponentStatus.unavailable}
    if ComponentStatus.maintenance in found and found <= {ComponentStatus.maintenance, ComponentStatus.operational}:
        return {"status": "Under maintenance", "status_color": "gray"}
    if found and found <= down:
        return {"status": "All systems down", "status_color": "red"}
    if found - {ComponentStatus.operational}:
        return {"status": "Some systems have issues", "status_color": "orange"}
    return {"status": "All systems operational", "status_color": "green"}


@dataclass(frozen=True, slots=True)
class Project:
    """A page as this dialect shows it; `statuses` is what each component shows now, by id."""

    page: StatusPage
    statuses: Mapping[UUID, ComponentStatus]

    @property
    def name(self) -> str:
        """The project's name."""
        return self.page.name[:PROJECT]

    def group(self, it: Group) -> Document:
        """A group of components."""
        return {
            "id": short(it.id),
            "project": self.name,
            "name": it.name,
            "created_at": moment(it.created_at),
            "description": it.description or None,
        }

    def component(self, it: Component) -> Document:
        """A component with its group."""
        group = next((each for each in self.page.groups if each.id == it.group), None)
        return {
            "id": short(it.id),
            "project": self.name,
            "name": it.name,
            "group": self.group(group) if group else None,
            "created_at": moment(it.created_at),
            **component_status(self.statuses[it.id]),
            "description": it.description or None,
            "showcased": it.showcased,
        }

    def components(self, ids: Iterable[UUID], *, showcased: bool = False) -> list[Document]:
        """Some of the page's components in its order; `showcased`: only of those that the public sees."""
        wanted = {*ids}
        return [
            self.component(each)
            for each in self.page.components
            if each.id in wanted and (each.showcased or not showcased)
        ]

    def incident(self, it: Incident, updates: Sequence[IncidentUpdate], *, public: bool = False) -> Document:
        """An incident with its updates, oldest first; `public`: as in the live view, without a `<div>`."""
        said = [each for each in updates if not each.silent]
        resolved = it.status is IncidentStatus.resolved
        return {
            "id": short(it.id),
            "project": self.name,
            "title": it.title,
            "created_at": moment(it.created_at),
            "status": _PROGRESS[said[-1].status if said else it.status] if said or resolved else "In progress",
            "affected_components": self.components((each.component for each in it.components), showcased=public),
            "reported_by": it.reported_by,
            "occurred_at": moment(it.occurred_at),
            "message": _inner(it.message) if public else wrapped(it.message),
            "updates": [update(each, public=public) for each in said],
        }

    def maintenance(self, it: Maintenance, *, public: bool = False) -> Document:
        """A maintenance; `public`: as in the live view."""
        return {
            "id": short(it.id),
            "project": self.name,
            "name": it.title,
            "created_at": moment(it.created_at),
            "status": _MAINTENANCE[it.status],
            "affected_components": self.components(it.components, showcased=public),
            "reported_by": it.reported_by,
            "scheduled_for": moment(it.scheduled_for),
            "ends_at": moment(it.ends_at),
            "message": _inner(it.message) if public else wrapped(it.message),
        }


def update(it: IncidentUpdate, *, public: bool = False) -> Document:
    """An update of an incident."""
    return {
        "id": short(it.id),
        "created_at": moment(it.created_at),
        "reported_by": it.reported_by,
        "status": _PROGRESS[it.status],
        "message": _inner(it.message) if public else wrapped(it.message),
    }


_DIV = re.compile(r"<(/?)div\s*>")


def wrapped(message: str) -> str:
    """A message as HTML in just one `<div>`."""
    return f"<div>{_inner(message)}</div>"


def _inner(message: str) -> str:
    """A message as clean HTML, without the `<div>` that holds all of it, if there is one."""
    html = clean(message) if "<" in message else escape(message, quote=False)
    if not (html.startswith("<div>") and html.endswith("</div>")):
        return html
    depth, inner = 0, html[len("<div>") : -len("</div>")]
    for each in _DIV.finditer(inner):
        depth += -1 if each[1] else 1
        if depth < 0:  # it was closed before the end
            return html
    return inner


_AT = datetime(2020, 2, 7, 18, 35, 9, tzinfo=UTC)
_OWN: dict[str, Any] = {"organisation": UUID(int=0), "page": UUID(int=0), "created_at": _AT, "updated_at": _AT}
_GROUP = Group(id=UUID("14ab74bf-87a0-4565-a291-ad5c9733c53f"), name="System", created_at=_AT)
_COMPONENT = Component(
    id=UUID("906a3444-15ce-4410-8041-89a238e9e91f"), name="API", group=_GROUP.id, created_at=_AT
)  # fmt: skip
_PAGE = StatusPage(
    id=UUID(int=0), organisation=UUID(int=0), name="ACME", subdomain="acme", type="public", domain_token="",
    shields_key="", components=[_COMPONENT], groups=[_GROUP], created_at=_AT, updated_at=_AT,
)  # fmt: skip
_SHOWN = Project(_PAGE, {_COMPONENT.id: ComponentStatus.operational})
_BY: dict[str, Any] = {"reported_by": "Donald Duck"}
_UPDATE = IncidentUpdate(
    **_OWN, **_BY, id=UUID("445a5c1f-c0eb-403a-96d7-3976e5dc74ed"), incident=UUID(int=1),
    status=IncidentStatus.investigating, message="Our devs are looking into the issue.",
)  # fmt: skip
_INCIDENT = Incident(
    **_OWN, **_BY, id=UUID("c03b02ec-244f-4d2c-8f68-3910071ed5c8"), title="Database replica connection failure",
    message="<b>Summary</b><br>API can not connect to the database replica.", occurred_at=_AT,
)  # fmt: skip
_WORK = Maintenance(
    **_OWN, **_BY, id=UUID("c03b02ec-244f-4d2c-8f68-3910071ed5c9"), title="Database migration planned",
    message="MySQL replica will be moved to a different server.", components=[_COMPONENT.id],
    scheduled_for=datetime(2020, 2, 10, 22, tzinfo=UTC), ends_at=datetime(2020, 2, 10, 23, tzinfo=UTC),
)  # fmt: skip
COMPONENT, GROUP = _SHOWN.component(_COMPONENT), _SHOWN.group(_GROUP)
UPDATE, INCIDENT, MAINTENANCE = update(_UPDATE), _SHOWN.incident(_INCIDENT, [_UPDATE]), _SHOWN.maintenance(_WORK)
STATUS = overall([])
LIVE = {
    "project": "ACME",
    "url": "https://status.example.com",
    "incidents": [],
    "maintenance": [_SHOWN.maintenance(_WORK, public=True)],
}
"""Examples for OpenAPI."""


def shows(example: Any, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The example answer of a route, for OpenAPI."""
    return {status: {"description": "OK", "content": {"application/json": {"example": example}}}}


def takes(example: Document) -> dict[str, Any]:
    """The example body of a route, for OpenAPI."""
    return {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}, "example": example}}}}
