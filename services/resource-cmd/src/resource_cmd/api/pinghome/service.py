"""Commands on services: our own noun for the `service_id` that the documents use and never define (contract A.0)."""

from fastapi import Response
from pydantic import BaseModel, ConfigDict
from uuid_utils.compat import uuid7

from pinghome_common.dialects import pinghome_documents as documents
from pinghome_common.dialects.pinghome import Name, Router
from pinghome_common.events.service import Service
from resource_cmd.command import Creating

routes = Router(tags=["Services"])


class NewService(BaseModel):
    """A service to be created."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Web shop"}]})

    name: Name


@routes.post("/v1/service", status_code=201, responses=documents.made("service", documents.SERVICE, 201))
async def create(body: NewService, command: Creating) -> Response:
    """Creates a service, the folder that monitors and heartbeats name as `service_id` (our extension)."""
    organisation = command.caller.organisation
    state = Service(
        id=uuid7(), organisation=organisation, name=body.name, created_at=command.now, updated_at=command.now
    )
    row = await command.services.add(state)
    document = documents.service(state)
    return command.answer({"message": "Service created", "service": document, "id": state.id}, 201, row.version)
