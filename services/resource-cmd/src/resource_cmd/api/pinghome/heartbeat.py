"""Commands on heartbeats: contract A31 to A34, pinghome-monitoring.txt lines 1183 to 1372."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError
from uuid_utils.compat import uuid7

from pinghome_common.clock import micros
from pinghome_common.cron import check_schedule
from pinghome_common.dialects import pinghome_documents as documents
from pinghome_common.dialects.pinghome import Router, gateway_url
from pinghome_common.dialects.pinghome_fields import Flag, Id, Ids, Int, Name, Tags, Text, Zone
from pinghome_common.store import Row
from resource_cmd.api.pinghome.channel_body import ChannelIds
from resource_cmd.api.pinghome.command import Commanded, Creating, Creation, PingHomeCommand
from resource_cmd.api.pinghome.many import Bulk
from resource_cmd.api.pinghome.resource_body import METHODS
from resource_cmd.heartbeats import heartbeat
from resource_cmd.heartbeats.service_heartbeats import ANY_METHOD

routes = Router(tags=["Heartbeats"])


_OURS = {"interval": "period", "timezone": "tz", "description": "desc"}


def _schedule(value: str) -> str:
    try:
        if value:
            check_schedule(value)
    except ValueError as error:
        raise PydanticCustomError("schedule", "{what}", {"what": str(error)}) from None
    return value


Schedule = Annotated[Text, AfterValidator(_schedule)]


class UpdateHeartbeat(BaseModel):
    """A heartbeat's settings as a client may send them; an absent field is unchanged on PUT."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "My heartbeat",
                    "service_id": "cc7e4e8b-417d-4be0-9bde-85e353a20fa4",
                    "methods": ["GET"],
                    "interval": 60,
                    "enabled": True,
                }
            ]
        }
    )

    name: Name = ""
    tags: Tags = []
    service_id: Id | None = None
    interval: Int = Field(
        60, ge=1, le=31_536_000, description="seconds between check-ins; one later than that is a miss"
    )
    enabled: Flag = True
    methods: list[Text] = Field([], min_length=1, max_length=7, description="verbs a check-in may use")
    channels: ChannelIds | None = Field(None, description="our extension: who is told; null: the service's channels")
    schedule: Schedule = Field(
        "", description="our extension: a cron or OnCalendar expression, in place of the interval; empty: none"
    )
    timezone: Zone = Field("UTC", description="our extension: of the schedule, such as Europe/Berlin")
    grace: Int = Field(0, ge=0, le=31_536_000, description="our extension: seconds that a check-in may be late")
    description: Text = Field("", max_length=1000, description="our extension")

    @field_validator("methods")
    @classmethod
    def _methods(cls, value: list[str]) -> list[str]:
        verbs = [verb.upper() for verb in value]
        if not set(verbs) <= set(METHODS):
            raise PydanticCustomError("methods", "must be some of " + ", ".join(METHODS))
        return list(dict.fromkeys(verbs))

    def sent(self, tags: str = "") -> dict[str, Any]:
        """The settings that were sent, in our words; `tags` stay as they are written unless they are other words."""
        sent = self.model_dump(include=self.model_fields_set, exclude={"enabled"})
        sent = {_OURS.get(name, name): value for name, value in sent.items()}
        if "tags" in sent:
            same = set(sent["tags"]) == set(documents.words(tags))
            sent["tags"] = tags if same else " ".join(sent["tags"])
        if sent.get("service_id", ...) is None:
            del sent["service_id"]
        return heartbeat.with_slug(sent)


class CreateHeartbeat(UpdateHeartbeat):
    """A heartbeat to be created."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "service_id": "6766163a-568d-47b4-a1fa-91a0957e06d4",
                    "name": "Pinghome",
                    "interval": 60,
                    "enabled": True,
                }
            ]
        }
    )

    name: Name
    service_id: Id
    interval: Int = Field(ge=1, le=31_536_000, description="seconds between check-ins; one later than that is a miss")


def _answer(
    command: PingHomeCommand | Creation, request: Request, row: Row[Any], message: str, status: int = 200
) -> Response:
    document = documents.heartbeat(row.state, gateway_url(request), micros(command.now))
    return command.answer({"message": message, "heartbeat": document, "id": row.state.id}, status, row.version)


@routes.post("/v1/heartbeat", status_code=201, responses=documents.made("heartbeat", documents.HEARTBEAT, 201))
async def create(body: CreateHeartbeat, command: Creating, request: Request) -> Response:
    """Creates a heartbeat; the answer holds the URL to check in at (A31)."""
    settings = {"methods": ANY_METHOD, **body.sent()}
    organisation = command.caller.organisation
    await command.check_channels(body.channels)
    state = heartbeat.create(uuid7(), organisation, settings, command.now, enabled=body.enabled)
    return _answer(command, request, await command.heartbeat(state), "Heartbeat created", 201)


async def _enable_many(command: PingHomeCommand, rows: list[Row[Any]], enabled: bool) -> None:  # noqa: FBT001
    for row in rows:
        row.state = heartbeat.enable(row.state, row.version + 1, command.now, enabled=enabled)
    await command.heartbeats.save_many(rows)


async def _delete_many(command: PingHomeCommand, ids: Sequence[UUID]) -> None:
    await command.heartbeats.remove_many(ids)


Bulk("/v1/heartbeat", "Heartbeats", lambda command: command.heartbeats, _enable_many, _delete_many).add_to(routes)


@routes.put("/v1/heartbeat/{id}", responses=documents.made("heartbeat", documents.HEARTBEAT))
async def update(id: Id, body: UpdateHeartbeat, command: Commanded, request: Request) -> Response:  # noqa: A002
    """Changes the settings that are sent (A34)."""
    row = await command.heartbeats.edit(id, command.wanted)
    state = heartbeat.edit(row.state, body.sent(row.state.tags), command.now)
    if "enabled" in body.model_fields_set:
        state = heartbeat.enable(state, row.version + 1, command.now, enabled=body.enabled)
    row.state = state
    await command.channels.check(body.channels)
    await command.heartbeats.refuse_duplicate(state)
    await command.heartbeats.save(row)
    return _answer(command, request, row, "Heartbeat updated")


@routes.delete("/v1/heartbeat/{id}", responses=documents.gone("heartbeat"))
async def delete(id: Id, command: Commanded) -> Response:  # noqa: A002
    """Deletes a heartbeat; its check-in URL is inactive from now on (A33)."""
    await command.heartbeats.remove(await command.heartbeats.edit(id, command.wanted))
    return command.answer({"message": "Heartbeat deleted", "id": id})


@routes.delete("/v1/heartbeat", responses=documents.all_gone("heartbeat"))
async def delete_many(ids: Ids, command: Commanded) -> Response:
    """Deletes all of some heartbeats, or none when one is missing (A32)."""
    await _delete_many(command, ids)
    return command.answer({"message": "Heartbeats deleted", "ids": ids})
