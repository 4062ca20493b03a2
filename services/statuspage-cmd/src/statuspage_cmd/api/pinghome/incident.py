"""Commands on incidents and their updates: our extension (contract H)."""

from typing import Any

from fastapi import Response
from uuid_utils.compat import uuid7

from pinghome_common.dialects import pinghome_incidents as documents
from pinghome_common.dialects.pinghome import Router
from pinghome_common.dialects.pinghome_documents import gone, made
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.events.incident import Incident
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.store import Row
from statuspage_cmd.api.pinghome.command import Commanded, PageCommand
from statuspage_cmd.api.pinghome.incident_body import (
    CreateIncident,
    CreateUpdate,
    Postmortem,
    UpdateIncident,
    UpdateUpdate,
)
from statuspage_cmd.incidents import incident as rules
from statuspage_cmd.subscriptions import announce

routes = Router(tags=["Incidents"], bare=True)

_PATH = "/v1/statuspage/{id}/incident"


@routes.post(_PATH, status_code=201, responses=made("incident", documents.INCIDENT, 201))
async def create(id: Id, body: CreateIncident, command: Commanded) -> Response:  # noqa: A002
    """Opens an incident (our extension)."""
    page = (await command.pages.edit(id)).state
    state = rules.create(uuid7(), page, command.sent(body), command.author, command.now)
    await command.incidents.check_limit(id)
    row = await command.incidents.add(state)
    await announce.incident(command.tx, page, state, None, "published")
    return _answer(command, "created", row, 201)


@routes.put(_PATH + "/{incident}", responses=made("incident", documents.INCIDENT))
async def update(id: Id, incident: Id, body: UpdateIncident, command: Commanded) -> Response:  # noqa: A002
    """Changes an incident; another status, or other components, make an update without a message (our extension)."""
    page = (await command.pages.edit(id)).state
    row = await command.incidents.of(id, incident, command.wanted)
    settings = command.sent(body)
    changed = rules.changes(row.state, settings)
    row.state = rules.edit(row.state, settings, command.now)
    if changed:
        await _write(command, row, page, changed | {"notify": body.notify})
    elif settings:
        await announce.incident(command.tx, page, row.state, None, "edited")
    await command.incidents.save(row)
    return _answer(command, "updated", row)


@routes.delete(_PATH + "/{incident}", responses=gone("incident"))
async def delete(id: Id, incident: Id, command: Commanded) -> Response:  # noqa: A002
    """Deletes an incident with its updates: it leaves no trace (our extension)."""
    await command.pages.edit(id)
    await command.incidents.remove(await command.incidents.of(id, incident, command.wanted))
    return command.answer({"message": "Incident deleted", "id": incident})


@routes.post(_PATH + "/{incident}/update", status_code=201, responses=made("update", documents.UPDATE, 201))
async def create_update(id: Id, incident: Id, body: CreateUpdate, command: Commanded) -> Response:  # noqa: A002
    """Writes an update, which gives the incident its status and its components (our extension)."""
    page = (await command.pages.edit(id)).state
    row = await command.incidents.of(id, incident)
    written = await _write(command, row, page, command.sent(body))
    await command.incidents.save(row)
    return command.answer(written, 201, 1)


@routes.put(_PATH + "/{incident}/update/{update}", responses=made("update", documents.UPDATE))
async def edit_update(id: Id, incident: Id, update: Id, body: UpdateUpdate, command: Commanded) -> Response:  # noqa: A002
    """Corrects an update, from its own time on (our extension)."""
    page = (await command.pages.edit(id)).state
    row = await command.incidents.of(id, incident)
    changed = await command.updates.of_incident(incident, update, command.wanted)
    changed.state = rules.edit_update(changed.state, page, command.sent(body), command.now)
    await command.updates.save(changed)
    await _settle(command, row, page)
    await announce.incident(command.tx, page, row.state, changed.state, "edited")
    answer = {"message": "Update updated", "update": documents.update(changed.state), "id": update}
    return command.answer(answer, version=changed.version)


@routes.delete(_PATH + "/{incident}/update/{update}", responses=gone("update"))
async def delete_update(id: Id, incident: Id, update: Id, command: Commanded) -> Response:  # noqa: A002
    """Deletes an update; without the newest one the incident is as it was before (our extension)."""
    page = (await command.pages.edit(id)).state
    row = await command.incidents.of(id, incident)
    await command.updates.remove(await command.updates.of_incident(incident, update, command.wanted))
    await _settle(command, row, page)
    return command.answer({"message": "Update deleted", "id": update})


@routes.put(_PATH + "/{incident}/postmortem", responses=made("incident", documents.INCIDENT))
async def postmortem(id: Id, incident: Id, body: Postmortem, command: Commanded) -> Response:  # noqa: A002
    """Publishes what was learnt of an incident, or takes it back (our extension)."""
    await command.pages.edit(id)
    row = await command.incidents.of(id, incident, command.wanted)
    row.state = rules.with_postmortem(row.state, command.sent(body)["message"], command.now)
    await command.incidents.save(row)
    return _answer(command, "updated", row)


async def _write(
    command: PageCommand, row: Row[Incident], page: StatusPage, settings: dict[str, Any]
) -> dict[str, Any]:
    """Adds an update of a person, which ends the automatism; the incident is still to be saved."""
    await command.updates.check_updates(row.state.id, command.settings.updates_limit)
    written = rules.update(uuid7(), row.state, page, settings, command.author, command.now)
    await command.updates.add(written)
    row.state.automatic = False
    row.state = rules.settle(row.state, written, page, command.now)
    await announce.incident(command.tx, page, row.state, written, "published")
    return {"message": "Update created", "update": documents.update(written), "id": written.id}


async def _settle(command: PageCommand, row: Row[Incident], page: StatusPage) -> None:
    newest = await command.updates.newest(row.state.id)
    row.state.automatic = False
    row.state = rules.settle(row.state, newest, page, command.now)
    await command.incidents.save(row)


def _answer(command: PageCommand, word: str, row: Row[Incident], status: int = 200) -> Response:
    body = {"message": f"Incident {word}", "incident": documents.incident(row.state), "id": row.state.id}
    return command.answer(body, status, row.version)
