"""What may be done with an incident; no I/O, the time is an argument."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.incident import Affected, Incident, IncidentStatus, IncidentUpdate, Template
from pinghome_common.events.statuspage import StatusPage
from statuspage_cmd.pages import components


def create(id_: UUID, page: StatusPage, settings: dict[str, Any], by: str, now: datetime) -> Incident:
    """A new incident, with the status and the components that it opens with.

    Raises:
        Invalid: it names what is not the page's, or begins in the future.
    """
    settings = {"occurred_at": now} | settings
    settings["opened_as"] = settings.pop("status", IncidentStatus.investigating)
    settings["opened_with"] = settings.pop("components", [])
    it = Incident(
        id=id_, organisation=page.organisation, page=page.id, reported_by=by, created_at=now, updated_at=now, **settings
    )
    components.check(page, (each.component for each in it.opened_with))
    _check_beginning(it)
    return settle(it, None, page, now)


def edit(it: Incident, settings: dict[str, Any], now: datetime) -> Incident:
    """The incident with other settings; status and components change by updates alone.

    Raises:
        Invalid: it would begin after it was reported.
    """
    it = replace(it, **settings, composed=_composed(it, settings), updated_at=now)
    _check_beginning(it)
    return it


def settle(it: Incident, newest: IncidentUpdate | None, page: StatusPage, now: datetime) -> Incident:
    """The incident with the status and the components of its newest update, or else those that it was opened with."""
    status, affected, at = it.opened_as, it.opened_with, it.created_at
    if newest:
        status, affected, at = newest.status, newest.components, newest.created_at
    monitoring = it.monitoring_at if status is IncidentStatus.resolved else None
    if status is IncidentStatus.monitoring:
        monitoring = at if it.status is not status else it.monitoring_at or at
    return replace(
        it,
        status=status,
        components=_there(affected, page),
        monitoring_at=monitoring,
        resolved_at=(it.resolved_at or at) if status is IncidentStatus.resolved else None,
        updated_at=now,
    )


def update(
    id_: UUID, it: Incident, page: StatusPage, settings: dict[str, Any], by: str, now: datetime
) -> IncidentUpdate:
    """A new update of an incident; what is not said of status and components stays as it is, while it is there.

    Raises:
        Invalid: it names what is not the page's.
    """
    made = IncidentUpdate(
        id=id_, organisation=it.organisation, page=it.page, incident=it.id, reported_by=by, created_at=now,
        updated_at=now, **({"status": it.status, "components": _there(it.components, page)} | settings),
    )  # fmt: skip
    components.check(page, (each.component for each in made.components))
    return made


def edit_update(it: IncidentUpdate, page: StatusPage, settings: dict[str, Any], now: datetime) -> IncidentUpdate:
    """The update with other settings.

    Raises:
        Invalid: it names what is not the page's.
    """
    if "components" in settings:
        components.check(page, (each.component for each in settings["components"]))
    silent = it.silent and not settings.keys() & {"status", "message"}
    return replace(it, **settings, composed=_composed(it, settings), silent=silent, updated_at=now)


def changes(it: Incident, settings: dict[str, Any]) -> dict[str, Any]:
    """Takes status and components out of settings; those that differ from the incident's are returned."""
    told = {name: settings.pop(name) for name in ("status", "components") if name in settings}
    return {name: value for name, value in told.items() if value != getattr(it, name)}


def with_postmortem(it: Incident, text: str, now: datetime) -> Incident:
    """The incident with another postmortem, or without one; its time is that of the first."""
    return replace(it, postmortem=text, postmortem_at=(it.postmortem_at or now) if text else None, updated_at=now)


def template(id_: UUID, page: StatusPage, settings: dict[str, Any], now: datetime) -> Template:
    """A new template.

    Raises:
        Invalid: it names what is not the page's.
    """
    return edit_template(
        Template(
            id=id_, organisation=page.organisation, page=page.id, name="", title="", created_at=now, updated_at=now
        ),
        page, settings, now,
    )  # fmt: skip


def edit_template(it: Template, page: StatusPage, settings: dict[str, Any], now: datetime) -> Template:
    """The template with other settings.

    Raises:
        Invalid: it names what is not the page's.
    """
    if "components" in settings:
        components.check(page, (each.component for each in settings["components"]))
    return replace(it, **settings, updated_at=now)


def _there(affected: list[Affected], page: StatusPage) -> list[Affected]:
    """Those that are components of the page still; an incident that is over keeps what it has affected."""
    ours = {each.id for each in page.components}
    return [each for each in affected if each.component in ours]


def _composed(it: Incident | IncidentUpdate, settings: dict[str, Any]) -> list[str]:
    """What are the clock's words after settings have been changed."""
    return [name for name in it.composed if settings.get(name, getattr(it, name)) == getattr(it, name)]


def _check_beginning(it: Incident) -> None:
    if it.occurred_at > it.created_at:
        raise Invalid(FieldError("occurred_at", "must not be after the time at which the incident is reported"))
