"""Commands on incidents and their updates: our extension (contract H)."""

from fastapi import Response

from pinghome_common.dialects import pinghome_incidents as documents
from pinghome_common.dialects.pinghome import Router
from pinghome_common.dialects.pinghome_documents import gone, made
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.events.incident import Incident
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
from statuspage_cmd.incidents import publishing

routes = Router(tags=["Incidents"], bare=True)

_PATH = "/v1/statuspage/{id}/incident"


@routes.post(_PATH, status_code=201, responses=made("incident", documents.INCIDENT, 201))
async def create(id: Id, body: CreateIncident, command: Commanded) -> Response:  # noqa: A002
    """Opens an incident (our extension)."""
    page = (await command.pages.edit(id)).state
    return _answer(command, "created", await publishing.open_(command, page, command.sent(body)), 201)


@routes.put(_PATH + "/{incident}", responses=made("incident", documents.INCIDENT))
async def update(id: Id, incident: Id, body: UpdateIncident, command: Commanded) -> Response:  # noqa: A002
    """Changes an incident; another status, or other components, make an update without a message (our extension)."""
    page = (await command.pages.edit(id)).state
    row = await command.incidents.of(id, incident, command.wanted)
    await publishing.edit(command, page, row, command.sent(body), notify=body.notify)
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
    written = await publishing.write(command, page, row, command.sent(body))
    answer = {"message": "Update created", "update": documents.update(written), "id": written.id}
    return command.answer(answer, 201, 1)


@routes.put(_PATH + "/{incident}/update/{update}", responses=made("update", documents.UPDATE))
async def edit_update(id: Id, incident: Id, update: Id, body: UpdateUpdate, command: Commanded) -> Response:  # noqa: A002
    """Corrects an update, from its own time on (our extension)."""
    page = (await command.pages.edit(id)).state
    row = await command.incidents.of(id, incident)
    changed = await command.updates.of_incident(incident, update, command.wanted)
    await publishing.correct(command, page, row, changed, command.sent(body))
    answer = {"message": "Update updated", "update": documents.update(changed.state), "id": update}
    return command.answer(answer, version=changed.version)


@routes.delete(_PATH + "/{incident}/update/{update}", responses=gone("update"))
async def delete_update(id: Id, incident: Id, update: Id, command: Commanded) -> Response:  # noqa: A002
    """Deletes an update; without the newest one the incident is as it was before (our extension)."""
    page = (await command.pages.edit(id)).state
    row = await command.incidents.of(id, incident)
    changed = await command.updates.of_incident(incident, update, command.wanted)
    await publishing.take_back(command, page, row, changed)
    return command.answer({"message": "Update deleted", "id": update})


@routes.put(_PATH + "/{incident}/postmortem", responses=made("incident", documents.INCIDENT))
async def postmortem(id: Id, incident: Id, body: Postmortem, command: Commanded) -> Response:  # noqa: A002
    """Publishes what was learnt of an incident, or takes it back (our extension)."""
    await command.pages.edit(id)
    row = await command.incidents.of(id, incident, command.wanted)
    row.state = rules.with_postmortem(row.state, command.sent(body)["message"], command.now)
    await command.incidents.save(row)
    return _answer(command, "updated", row)


def _answer(command: PageCommand, word: str, row: Row[Incident], status: int = 200) -> Response:
    body = {"message": f"Incident {word}", "incident": documents.incident(row.state), "id": row.state.id}
    return command.answer(body, status, row.version)
