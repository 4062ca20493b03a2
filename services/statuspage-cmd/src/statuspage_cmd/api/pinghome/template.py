"""Commands on templates of incidents: our extension (contract H)."""

from fastapi import Response
from uuid_utils.compat import uuid7

from pinghome_common.dialects import pinghome_incidents as documents
from pinghome_common.dialects.pinghome import Router
from pinghome_common.dialects.pinghome_documents import gone, made
from pinghome_common.dialects.pinghome_fields import Id
from statuspage_cmd.api.pinghome.command import Commanded
from statuspage_cmd.api.pinghome.incident_body import CreateTemplate, UpdateTemplate
from statuspage_cmd.incidents import incident as rules

routes = Router(tags=["Incidents"], bare=True)


@routes.post("/v1/statuspage/{id}/template", status_code=201, responses=made("template", documents.TEMPLATE, 201))
async def create(id: Id, body: CreateTemplate, command: Commanded) -> Response:  # noqa: A002
    """Makes a template (our extension)."""
    page = (await command.pages.edit(id)).state
    state = rules.template(uuid7(), page, command.sent(body), command.now)
    await command.templates.check_limit(id)
    row = await command.templates.add(state)
    answer = {"message": "Template created", "template": documents.template(state), "id": state.id}
    return command.answer(answer, 201, row.version)


@routes.put("/v1/statuspage/{id}/template/{template}", responses=made("template", documents.TEMPLATE))
async def update(id: Id, template: Id, body: UpdateTemplate, command: Commanded) -> Response:  # noqa: A002
    """Changes a template (our extension)."""
    page = (await command.pages.edit(id)).state
    row = await command.templates.of(id, template, command.wanted)
    row.state = rules.edit_template(row.state, page, command.sent(body), command.now)
    await command.templates.save(row)
    answer = {"message": "Template updated", "template": documents.template(row.state), "id": template}
    return command.answer(answer, version=row.version)


@routes.delete("/v1/statuspage/{id}/template/{template}", responses=gone("template"))
async def delete(id: Id, template: Id, command: Commanded) -> Response:  # noqa: A002
    """Deletes a template (our extension)."""
    await command.pages.edit(id)
    await command.templates.remove(await command.templates.of(id, template, command.wanted))
    return command.answer({"message": "Template deleted", "id": template})
