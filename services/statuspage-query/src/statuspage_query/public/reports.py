"""What a public page tells of: incidents with their timeline, and maintenance, without a word of hidden components."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from pinghome_common.events.incident import (
    Affected,
    Impact,
    Incident,
    IncidentStatus,
    IncidentUpdate,
    Maintenance,
    MaintenanceStatus,
    impact,
    outage,
    public_title,
)
from pinghome_common.events.statuspage import ComponentStatus, worst
from pinghome_common.html import quoted
from statuspage_query.public.plain import as_html

Names = dict[UUID, str]
"""The names of the components that are shown, by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedView:
    """A component that is shown, and the status that an incident gave it; `before` is the one until then."""

    id: UUID
    name: str
    status: ComponentStatus
    before: ComponentStatus = ComponentStatus.operational


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateView:
    """One entry of an incident's timeline; `status` is an IncidentStatus or `postmortem`, `message` is clean HTML."""

    id: UUID
    status: str
    message: str
    at: datetime
    updated_at: datetime
    components: list[AffectedView]
    notified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReport:
    """An incident with its timeline, newest first, and all the components that it has touched."""

    id: UUID
    title: str
    status: IncidentStatus
    impact: Impact
    components: list[AffectedView]
    updates: list[UpdateView]
    postmortem: bool
    starts_at: datetime
    ended_at: datetime | None
    monitoring_at: datetime | None
    created_at: datetime
    updated_at: datetime
    kind: str = "incident"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceReport:
    """A maintenance; `starts_at` and `ends_at` are the planned times until it has really begun, or ended."""

    id: UUID
    title: str
    message: str
    status: MaintenanceStatus
    components: list[tuple[UUID, str]]
    scheduled_for: datetime
    scheduled_until: datetime
    starts_at: datetime
    ended_at: datetime | None
    notified: bool
    created_at: datetime
    updated_at: datetime
    kind: str = "maintenance"

    @property
    def ends_at(self) -> datetime:
        """When it ended, or is to end."""
        return self.ended_at or self.scheduled_until


def incident(it: Incident, updates: Sequence[IncidentUpdate], names: Names) -> IncidentReport:
    """An incident as it is shown.

    Args:
        it: the incident.
        updates: its updates, oldest first.
        names: the components that are shown.
    """
    opening = replace(_entry(it, "opening", it.message, it.occurred_at, it.opened_with), composed=it.composed)
    entries = [(opening, it.opened_as.value), *((each, each.status.value) for each in updates)]
    if it.postmortem and it.postmortem_at:
        entries.append((_entry(it, "postmortem", it.postmortem, it.postmortem_at, []), "postmortem"))
    before: dict[UUID, ComponentStatus] = {}
    timeline = []
    for each, status in entries:
        timeline.append(
            UpdateView(
                id=each.id,
                status=status,
                message=as_html(_message(each, names, before)),
                at=each.created_at,
                updated_at=each.updated_at,
                components=list(_affected(each.components, names, before)),
                notified=each.notify,
            )
        )
        before |= {one.component: one.status for one in each.components}
    resolved = it.status is IncidentStatus.resolved
    touched = _worst_of(one for each, _ in entries for one in each.components if one.component in names)
    return IncidentReport(
        id=it.id,
        title=public_title(it, names),
        status=it.status,
        impact=impact(replace(it, components=touched)),
        components=list(_affected(touched if resolved else it.components, names, {})),
        updates=timeline[::-1],
        postmortem=bool(it.postmortem and it.postmortem_at),
        starts_at=it.occurred_at,
        ended_at=it.resolved_at if resolved else None,
        monitoring_at=it.monitoring_at,
        created_at=it.created_at,
        updated_at=max([it.updated_at, *(each.updated_at for each in updates)]),
    )


def maintenance(it: Maintenance, names: Names) -> MaintenanceReport:
    """A maintenance as it is shown."""
    return MaintenanceReport(
        id=it.id,
        title=it.title,
        message=as_html(it.message),
        status=it.status,
        components=[(id_, names[id_]) for id_ in it.components if id_ in names],
        scheduled_for=it.scheduled_for,
        scheduled_until=it.ends_at,
        starts_at=it.started_at or it.scheduled_for,
        ended_at=(it.ended_at or it.ends_at) if it.status is MaintenanceStatus.completed else None,
        notified=it.notify,
        created_at=it.created_at,
        updated_at=it.updated_at,
    )


def _message(it: IncidentUpdate, names: Names, before: dict[UUID, ComponentStatus]) -> str:
    """The message of an entry: of the clock's words, which may name what is hidden, what is left of them."""
    told = [each.component for each in it.components]
    if "message" not in it.composed or it.status is IncidentStatus.resolved or all(each in names for each in told):
        return it.message
    fresh = [each for each in told if each not in before] or told
    shown = [names[each] for each in fresh if each in names]
    return quoted(f"{outage(shown)}.") if shown else ""


def _entry(it: Incident, name: str, message: str, at: datetime, components: list[Affected]) -> IncidentUpdate:
    return IncidentUpdate(
        id=uuid5(it.id, name),
        organisation=it.organisation,
        page=it.page,
        incident=it.id,
        status=it.opened_as,
        message=message,
        components=components,
        notify=it.notify,
        created_at=at,
        updated_at=at,
    )


def _affected(
    components: Iterable[Affected], names: Names, before: dict[UUID, ComponentStatus]
) -> Iterable[AffectedView]:
    for one in components:
        if one.component in names:
            old = before.get(one.component, ComponentStatus.operational)
            yield AffectedView(id=one.component, name=names[one.component], status=one.status, before=old)


def _worst_of(components: Iterable[Affected]) -> list[Affected]:
    """Each component once, with the worst status that it had."""
    found: dict[UUID, list[ComponentStatus]] = {}
    for one in components:
        found.setdefault(one.component, []).append(one.status)
    return [Affected(component=id_, status=worst(statuses)) for id_, statuses in found.items()]
