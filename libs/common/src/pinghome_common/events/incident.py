"""What a status page tells of: incidents with their updates, and maintenance."""

from collections.abc import Mapping, Sequence
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

    `message` is clean HTML. `status` and `components` are those of the newest update, else `opened_as` and
    `opened_with`; `impact` None: by the worst of them. `automatic`: opened by the clock, until a person writes an
    update. `composed` are those of title and message that are the clock's words. `reported_by` is the name of a key,
    empty when nobody reported it. `occurred_at` is when it began; `resolved_at` is set exactly while it is resolved.
    """

    id: UUID
    organisation: UUID
    page: UUID
    title: str
    message: str = ""
    opened_as: IncidentStatus = IncidentStatus.investigating
    opened_with: list[Affected] = field(default_factory=list)
    status: IncidentStatus = IncidentStatus.investigating
    impact: Impact | None = None
    components: list[Affected] = field(default_factory=list)
    notify: bool = False
    automatic: bool = False
    composed: list[str] = field(default_factory=list)
    reported_by: str = ""
    postmortem: str = ""
    postmortem_at: datetime | None = None
    occurred_at: datetime
    monitoring_at: datetime | None = None
    resolved_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


def outage(names: Sequence[str], how: str = "down") -> str:
    """`Shop is down`, `Shop and Bank are down`, `Shop, Bank and 3 more are down`."""
    listed = [*names] or ["Something"]
    if len(listed) > 3:
        listed = [*listed[:2], f"{len(listed) - 2} more"]
    said = " and ".join(filter(None, (", ".join(listed[:-1]), listed[-1])))
    return f"{said} {'is' if len(listed) == 1 else 'are'} {how}"


def public_title(it: Incident, names: Mapping[UUID, str]) -> str:
    """The title as the public may read it: the clock's words of then name components that may be hidden now.

    Args:
        it: the incident.
        names: the components that are shown.
    """
    shown = [names[each.component] for each in it.opened_with if each.component in names]
    if "title" not in it.composed or len(shown) == len(it.opened_with):
        return it.title
    return outage(shown or [names[each.component] for each in it.components if each.component in names])


def impact(it: Incident) -> Impact:
    """How bad an incident is: as somebody said, else by the worst status that it gives (contract H)."""
    if it.impact is not None:
        return it.impact
    return min(
        (_IMPACTS.get(each.status, Impact.none) for each in it.components), key=_WORST.index, default=Impact.none
    )


_WORST = [Impact.critical, Impact.major, Impact.minor, Impact.none]
_IMPACTS = {
    ComponentStatus.major_outage: Impact.critical,
    ComponentStatus.unavailable: Impact.critical,
    ComponentStatus.partial_outage: Impact.major,
    ComponentStatus.degraded: Impact.minor,
}


@dataclass(slots=True, kw_only=True)
class IncidentUpdate:
    """One update of an incident; `components` is what they have had since it, `message` is clean HTML.

    `reported_by` is empty when nobody wrote it: such an update gives components no status, they show what they follow.
    `composed` has `message` while that is the clock's words. `silent`: it only gives components another status, and
    its own is that of the update before it.
    """

    id: UUID
    organisation: UUID
    page: UUID
    incident: UUID
    status: IncidentStatus
    message: str = ""
    components: list[Affected] = field(default_factory=list)
    notify: bool = False
    composed: list[str] = field(default_factory=list)
    silent: bool = False
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
