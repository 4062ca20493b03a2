"""What incidents have given components over time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from pinghome_common.events.incident import Affected, Incident, IncidentStatus, IncidentUpdate
from pinghome_common.events.statuspage import ComponentStatus as Status


def course(it: Incident, updates: Sequence[IncidentUpdate]) -> Iterator[tuple[UUID, datetime, Status | None]]:
    """What an incident has given components: from a time on a status, or None for nothing any more.

    What nobody reported gives nothing: those components show what they follow.

    Args:
        it: the incident.
        updates: all of its updates, oldest first.
    """
    steps = [(it.occurred_at, _given(it.opened_with, it.reported_by))]
    for each in updates:
        resolved = each.status is IncidentStatus.resolved
        steps.append((each.created_at, {} if resolved else _given(each.components, each.reported_by)))
    if it.resolved_at:
        steps.append((it.resolved_at, {}))
    had: dict[UUID, Status] = {}
    told: dict[tuple[UUID, datetime], Status | None] = {}
    for at, given in steps:
        for component in had.keys() | given.keys():
            if had.get(component) is not given.get(component):
                told[component, at] = given.get(component)
        had = given
    for (component, at), status in told.items():
        yield component, at, status


def _given(affected: Sequence[Affected], by: str) -> dict[UUID, Status]:
    """`operational` is nothing to be given: an incident hides no outage."""
    return {each.component: each.status for each in affected if by and each.status is not Status.operational}
