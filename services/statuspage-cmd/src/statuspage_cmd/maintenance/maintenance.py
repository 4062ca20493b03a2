"""What may be done with a maintenance; no I/O, the time is an argument."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pinghome_common.errors import Conflict, FieldError, Invalid
from pinghome_common.events.incident import Maintenance, MaintenanceStatus
from pinghome_common.events.statuspage import StatusPage
from statuspage_cmd.pages import components

LONGEST = timedelta(days=90)


def create(
    id_: UUID, page: StatusPage, settings: dict[str, Any], by: str, now: datetime, *, past: bool = False
) -> Maintenance:
    """A new maintenance; one that should have begun already is in progress, with `past` one may have ended, too.

    Raises:
        Invalid: it names what is not the page's, or does not end after its beginning and, without `past`, in the
            future.
    """
    it = Maintenance(
        id=id_, organisation=page.organisation, page=page.id, reported_by=by, created_at=now, updated_at=now, **settings
    )
    components.check(page, it.components)
    _check_times(it, None if past else now)
    while (at := due(it)) and at <= now:
        it = by_clock(it, now)
    return it


def edit(it: Maintenance, page: StatusPage, settings: dict[str, Any], now: datetime) -> Maintenance:
    """The maintenance with other settings.

    Raises:
        Invalid: it names what is not the page's, or does not end after its beginning and in the future.
        Conflict: a time would change that has passed.
    """
    changed = replace(it, **settings, updated_at=now)
    if "components" in settings:
        components.check(page, changed.components)
    if (changed.scheduled_for, changed.ends_at) != (it.scheduled_for, it.ends_at):
        if it.status is MaintenanceStatus.completed:
            raise Conflict("The maintenance has ended; its times stay.")
        if it.status is MaintenanceStatus.in_progress and changed.scheduled_for != it.scheduled_for:
            raise Conflict("The maintenance has begun; only its end may change.")
        _check_times(changed, now)
    return changed


def start(it: Maintenance, now: datetime) -> Maintenance:
    """The maintenance, begun by hand.

    Raises:
        Conflict: it has begun already.
    """
    if it.status is not MaintenanceStatus.scheduled:
        raise Conflict("The maintenance has begun already.")
    return replace(it, status=MaintenanceStatus.in_progress, started_at=now, updated_at=now)


def end(it: Maintenance, now: datetime) -> Maintenance:
    """The maintenance, ended by hand.

    Raises:
        Conflict: it is not in progress.
    """
    if it.status is not MaintenanceStatus.in_progress:
        raise Conflict("The maintenance is not in progress.")
    return replace(it, status=MaintenanceStatus.completed, ended_at=now, updated_at=now)


def due(it: Maintenance) -> datetime | None:
    """When the clock begins or ends it next; None once it has ended."""
    match it.status:
        case MaintenanceStatus.scheduled:
            return it.scheduled_for
        case MaintenanceStatus.in_progress:
            return it.ends_at
        case _:
            return None


def by_clock(it: Maintenance, now: datetime) -> Maintenance:
    """The maintenance after the step that is due: it began, or ended, when it should have, however late this is."""
    if it.status is MaintenanceStatus.scheduled:
        return replace(it, status=MaintenanceStatus.in_progress, started_at=it.scheduled_for, updated_at=now)
    return replace(it, status=MaintenanceStatus.completed, ended_at=it.ends_at, updated_at=now)


def _check_times(it: Maintenance, now: datetime | None) -> None:
    if it.ends_at <= it.scheduled_for:
        raise Invalid(FieldError("ends_at", "must be after scheduled_for"))
    if now and it.ends_at <= now:
        raise Invalid(FieldError("ends_at", "must be in the future"))
    if it.ends_at - it.scheduled_for > LONGEST:
        raise Invalid(FieldError("ends_at", f"must be at most {LONGEST.days} days after scheduled_for"))
