"""What a status page tells of: incidents with their updates, and maintenance."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pinghome_common.events.statuspage import ComponentStatus


class IncidentStatus(StrEnum):
    """How far people are with an incident."""

    investigating = "investigating"
    identified = "identified"
    monitoring = "monitoring"
    resolved = "resolved"


class Impact(StrEnum):
    """How bad an incident is."""

    none = "none"
    minor = "minor"
    major = "major"
    critical = "critical"


@dataclass(slots=True, kw_only=True)
class Affected:
    """A component and the status that an incident gives it."""

    component: UUID
    status: ComponentStatus


@dataclass(slots=True, kw_only=True)
class Incident:
    """An incident of a page; its updates are aggregates of their own, and the first message is none of them.

    `message` is clean HTML. `status` is that of the newest update, else `opened_as`; `components` is what they have
    now; `impact` None: by the worst of them. `automatic`: opened by the clock, until a person writes an update.
    `reported_by` is the name of a key, empty when nobody reported it. `occurred_at` is when it began.
    """

    id: UUID
    organisation: UUID
    page: UUID
    title: str
    message: str = ""
    opened_as: IncidentStatus = IncidentStatus.investigating
    status: IncidentStatus = IncidentStatus.investigating
    impact: Impact | None = None
    components: list[Affected] = field(default_factory=list)
    notify: bool = False
    automatic: bool = False
    reported_by: str = ""
    postmortem: str = ""
    postmortem_at: datetime | None = None
    occurred_at: datetime
    monitoring_at: datetime | None = None
    resolved_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class IncidentUpdate:
    """One update of an incident; `components` is what they have had since it, `message` is clean HTML."""

    id: UUID
    organisation: UUID
    page: UUID
    incident: UUID
    status: IncidentStatus
    message: str = ""
    components: list[Affected] = field(default_factory=list)
    notify: bool = False
    reported_by: str = ""
    created_at: datetime
    updated_at: datetime


class MaintenanceStatus(StrEnum):
    """Where a maintenance is."""

    scheduled = "scheduled"
    in_progress = "in_progress"
    completed = "completed"


@dataclass(slots=True, kw_only=True)
class Maintenance:
    """One maintenance of a page; `recurrence` names the rule that it is an occurrence of.

    `message` is clean HTML. `started_at` and `ended_at` are when it really began and ended: by the clock or by hand.
    """

    id: UUID
    organisation: UUID
    page: UUID
    title: str
    message: str = ""
    status: MaintenanceStatus = MaintenanceStatus.scheduled
    components: list[UUID] = field(default_factory=list)
    scheduled_for: datetime
    ends_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    recurrence: UUID | None = None
    notify: bool = False
    silence_alerts: bool = False
    reported_by: str = ""
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class Recurrence:
    """A maintenance that comes again and again: an RFC 5545 rule in a time zone, from `scheduled_for` on.

    `duration` is in minutes. Its occurrences of the next 30 days are maintenances of their own.
    """

    id: UUID
    organisation: UUID
    page: UUID
    title: str
    message: str = ""
    components: list[UUID] = field(default_factory=list)
    rrule: str
    timezone: str
    scheduled_for: datetime
    duration: int
    notify: bool = False
    silence_alerts: bool = False
    reported_by: str = ""
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class Template:
    """The text of an incident, written beforehand."""

    id: UUID
    organisation: UUID
    page: UUID
    name: str
    title: str
    message: str = ""
    status: IncidentStatus = IncidentStatus.investigating
    impact: Impact | None = None
    components: list[Affected] = field(default_factory=list)
    created_at: datetime
    updated_at: datetime
