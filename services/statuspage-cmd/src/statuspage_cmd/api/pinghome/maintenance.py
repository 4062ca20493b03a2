"""Commands on maintenance, single and recurring: our extension (contract H)."""

from datetime import timedelta
from typing import Any

from fastapi import Response
from uuid_utils.compat import uuid7

from pinghome_common.dialects import pinghome_incidents as documents
from pinghome_common.dialects.pinghome import Router
from pinghome_common.dialects.pinghome_documents import gone, made
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.incident import Maintenance, Recurrence
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.store import Row
from statuspage_cmd.api.pinghome.command import Commanded, PageCommand
from statuspage_cmd.api.pinghome.maintenance_body import CreateMaintenance, UpdateMaintenance
from statuspage_cmd.maintenance import maintenance as rules
from statuspage_cmd.maintenance import publishing, recurrence
from statuspage_cmd.subscriptions import announce

routes = Router(tags=["Maintenance"], bare=True)

_PATH = "/v1/statuspage/{id}/maintenance"


@routes.post(_PATH, status_code=201, responses=made("maintenance", documents.MAINTENANCE, 201))
async def create(id: Id, body: CreateMaintenance, command: Commanded) -> Response:  # noqa: A002
    """Announces a maintenance; with `rrule` one that comes again and again (our extension)."""
    page = (await command.pages.edit(id)).state
    if body.rrule:
        return await _create_rule(page, command.sent(body), command)
    settings = _single(command.sent(body), None)
    if "ends_at" not in settings:
        raise Invalid(FieldError("ends_at", "is required, or a duration"))
    return _answer(command, "created", await publishing.plan(command, page, settings), 201)


@routes.put(_PATH + "/{maintenance}", responses=made("maintenance", documents.MAINTENANCE))
async def update(id: Id, maintenance: Id, body: UpdateMaintenance, command: Commanded) -> Response:  # noqa: A002
    """Changes a maintenance; of a rule, those of its occurrences that have not begun, too (our extension)."""
    page = (await command.pages.edit(id)).state
    if rule := await command.recurrences.find(id, maintenance, command.wanted):
        return await _edit_rule(rule, page, command.sent(body), command)
    row = await command.maintenances.of(id, maintenance, command.wanted)
    await publishing.edit(command, page, row, _single(command.sent(body), row.state))
    return _answer(command, "updated", row)


@routes.delete(_PATH + "/{maintenance}", responses=gone("maintenance"))
async def delete(id: Id, maintenance: Id, command: Commanded) -> Response:  # noqa: A002
    """Deletes a maintenance; of a rule, those of its occurrences that have not begun, too (our extension)."""
    await command.pages.edit(id)
    if rule := await command.recurrences.find(id, maintenance, command.wanted):
        for row in await command.maintenances.scheduled(maintenance):
            await command.maintenances.remove(row)
        await command.recurrences.remove(rule)
    else:
        await command.maintenances.remove(await command.maintenances.of(id, maintenance, command.wanted))
    return command.answer({"message": "Maintenance deleted", "id": maintenance})


@routes.post(_PATH + "/{maintenance}/start", responses=made("maintenance", documents.MAINTENANCE))
async def start(id: Id, maintenance: Id, command: Commanded) -> Response:  # noqa: A002
    """Begins a maintenance by hand (our extension)."""
    page = (await command.pages.edit(id)).state
    row = await command.maintenances.of(id, maintenance, command.wanted)
    row.state = rules.start(row.state, command.now)
    await command.maintenances.save(row)
    await announce.maintenance(command.tx, page, row.state, "started")
    return _answer(command, "updated", row)


@routes.post(_PATH + "/{maintenance}/end", responses=made("maintenance", documents.MAINTENANCE))
async def end(id: Id, maintenance: Id, command: Commanded) -> Response:  # noqa: A002
    """Ends a maintenance by hand (our extension)."""
    page = (await command.pages.edit(id)).state
    row = await command.maintenances.of(id, maintenance, command.wanted)
    row.state = rules.end(row.state, command.now)
    await command.maintenances.save(row)
    await announce.maintenance(command.tx, page, row.state, "ended")
    return _answer(command, "updated", row)


async def _create_rule(page: StatusPage, settings: dict[str, Any], command: PageCommand) -> Response:
    if "duration" not in settings:
        raise Invalid(FieldError("duration", "is required with rrule"))
    _refuse(settings, "ends_at", "of a rule is given by its duration")
    settings = {"timezone": page.timezone} | settings
    state = recurrence.create(uuid7(), page, settings, command.author, command.now)
    await command.recurrences.check_limit(page.id)
    row = await command.recurrences.add(state)
    await command.recurrences.begin(state, command.maintenances)
    if occurrences := await command.maintenances.scheduled(state.id):  # of the others the clock tells
        first = min((each.state for each in occurrences), key=lambda it: it.scheduled_for)
        await announce.maintenance(command.tx, page, first, "scheduled")
        await command.maintenances.tell_ahead([first.id], untold=False)
    return _answer(command, "created", row, 201)


async def _edit_rule(
    row: Row[Recurrence], page: StatusPage, settings: dict[str, Any], command: PageCommand
) -> Response:
    _refuse(settings, "ends_at", "of a rule is given by its duration")
    before, row.state = row.state, recurrence.edit(row.state, page, settings, command.now)
    await command.recurrences.save(row)
    if any(getattr(before, name) != getattr(row.state, name) for name in recurrence.TIMES):
        await command.recurrences.retime(row.state, command.maintenances)
    else:
        for occurrence in await command.maintenances.scheduled(row.state.id):
            occurrence.state = recurrence.with_texts(occurrence.state, row.state, command.now)
            await command.maintenances.save(occurrence)
    return _answer(command, "updated", row)


def _single(settings: dict[str, Any], before: Maintenance | None) -> dict[str, Any]:
    """The settings of a single maintenance: its end, where a duration was sent."""
    for name in ("rrule", "timezone"):
        _refuse(settings, name, "belongs to a rule; delete this maintenance and announce a new one")
    if minutes := settings.pop("duration", None):
        _refuse(settings, "ends_at", "and duration exclude each other")
        begins = settings.get("scheduled_for") or (before.scheduled_for if before else None)
        if begins:
            settings["ends_at"] = begins + timedelta(minutes=minutes)
    return settings


def _refuse(settings: dict[str, Any], name: str, why: str) -> None:
    if settings.get(name):
        raise Invalid(FieldError(name, why))
    settings.pop(name, None)


def _answer(command: PageCommand, word: str, row: Row[Any], status: int = 200) -> Response:
    it = row.state
    document = documents.recurrence(it) if isinstance(it, Recurrence) else documents.maintenance(it)
    answer = {"message": f"Maintenance {word}", "maintenance": document, "id": it.id}
    return command.answer(answer, status, row.version)
