"""Commands on services: our own noun for the `service_id` that the documents use and never define (contract A.0)."""

from dataclasses import replace

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field
from uuid_utils.compat import uuid7

from pinghome_common.dialects import pinghome_documents as documents
from pinghome_common.dialects.pinghome import Router
from pinghome_common.dialects.pinghome_fields import Id, Name
from pinghome_common.events.service import Service
from resource_cmd.api.pinghome.channel_body import ChannelIds
from resource_cmd.api.pinghome.command import Commanded, Creating

routes = Router(tags=["Services"])


class CreateService(BaseModel):
    """A service to be created."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Web shop"}]})

    name: Name
    channels: ChannelIds = Field([], description="who is told of what names no channels of its own")


class UpdateService(CreateService):
    """A service's settings; an absent field is unchanged."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"channels": ["906a3444-15ce-4410-8041-89a238e9e91f"]}]})

    name: Name = ""


@routes.post("/v1/service", status_code=201, responses=documents.made("service", documents.SERVICE, 201))
async def create(body: CreateService, command: Creating) -> Response:
    """Creates a service, the folder that monitors and heartbeats name as `service_id` (our extension)."""
    organisation = command.caller.organisation
    await command.check_channels(body.channels)
    state = Service(
        id=uuid7(),
        organisation=organisation,
        name=body.name,
        channels=body.channels,
        created_at=command.now,
        updated_at=command.now,
    )
    row = await command.service(state)
    document = documents.service(state)
    return command.answer({"message": "Service created", "service": document, "id": state.id}, 201, row.version)


@routes.put("/v1/service/{id}", responses=documents.made("service", documents.SERVICE))
async def update(id: Id, body: UpdateService, command: Commanded) -> Response:  # noqa: A002  # the document's word
    """Changes a service's name and its channels, which are told of all in it that names none (our extension)."""
    await command.channels.check(body.channels)
    row = await command.services.edit(id, command.wanted)
    row.state = replace(row.state, **body.model_dump(include=body.model_fields_set), updated_at=command.now)
    await command.services.save(row)
    document = documents.service(row.state)
    return command.answer({"message": "Service updated", "service": document, "id": id}, version=row.version)


@routes.delete("/v1/service/{id}", responses=documents.gone("service"))
async def delete(id: Id, command: Commanded) -> Response:  # noqa: A002
    """Deletes a service; what is in it stays, and tells only the channels that it names itself (our extension)."""
    await command.services.remove(await command.services.edit(id, command.wanted))
    return command.answer({"message": "Service deleted", "id": id})
