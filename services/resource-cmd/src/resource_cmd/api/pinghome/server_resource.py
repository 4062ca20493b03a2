"""Commands on servers: contract A25 to A27 and G, pinghome-monitoring.txt lines 934 to 1072."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from uuid_utils.compat import uuid7

from pinghome_common.dialects import pinghome_servers as documents
from pinghome_common.dialects.pinghome import Router
from pinghome_common.dialects.pinghome_documents import all_gone, gone, shows
from pinghome_common.dialects.pinghome_fields import Flag, Id, Ids, Int, Name, Tags, Text, Zone
from pinghome_common.events.metric import FIELDS, PROCESSES
from pinghome_common.events.server_resource import Threshold
from pinghome_common.store import Row
from resource_cmd.api.pinghome.channel_body import ChannelIds
from resource_cmd.api.pinghome.command import Commanded, PingHomeCommand
from resource_cmd.api.pinghome.many import Bulk
from resource_cmd.servers import server_resource

routes = Router(tags=["Servers"])

TYPES = (*FIELDS, PROCESSES)
CHARTS = ("line", "area", "bar")


def _type(value: str) -> str:
    if value not in TYPES:
        raise PydanticCustomError("type", "must be one of " + ", ".join(TYPES))
    return value


MetricTypes = Annotated[list[Annotated[Text, AfterValidator(_type)]], Field(max_length=len(TYPES))]


class ThresholdBody(BaseModel):
    """A bound of one field of one metric type (our extension)."""

    type: Text = Field(description=", ".join(FIELDS))
    field: Text = Field(description="such as total, percent or load1")
    operator: Literal["greater-than", "less-than"]
    value: float = Field(allow_inf_nan=False, description="percent, bytes, or bytes or operations per second")
    minutes: Int = Field(0, ge=0, le=1440, description="for which it has to be broken, and to hold again")

    @model_validator(mode="after")
    def _known(self) -> "ThresholdBody":
        if self.type not in FIELDS:
            raise PydanticCustomError("type", "type must be one of " + ", ".join(FIELDS))
        if self.field not in FIELDS[self.type]:
            raise PydanticCustomError("field", f"field of {self.type} must be one of " + ", ".join(FIELDS[self.type]))
        return self


class UpdateServer(BaseModel):
    """A server's settings as a client may send them; an absent field is unchanged."""

    model_config = ConfigDict(extra="ignore")

    service_id: Id | None = None
    name: Name = ""
    tags: Tags = []
    description: Text = Field("", max_length=1000)
    timezone: Zone = Field("UTC", description="of its charts, such as Europe/Berlin")
    chart_type_default: Literal[CHARTS] = "line"  # type: ignore[valid-type]
    os: Text = Field("", max_length=50)
    metric_types_basic: MetricTypes = []
    metric_types_advanced: MetricTypes = []
    metric_types_complex: MetricTypes = []
    interval: Int = Field(60, ge=10, le=3600, description="seconds between samples, in the install line")
    enabled: Flag = True
    channels: ChannelIds | None = Field(None, description="our extension: who is told; null: the service's channels")
    parent_id: Id | None = Field(
        None, description="our extension: the monitor or server without which it is not reachable"
    )
    thresholds: list[ThresholdBody] = Field([], max_length=50, description="our extension")
    reboot_alert: Annotated[Flag, Field(description="our extension: a reboot is told")] = False

    def sent(self) -> dict[str, Any]:
        """The fields that were sent, in our words."""
        sent = self.model_dump(include=self.model_fields_set, exclude={"thresholds"})
        if "tags" in sent:
            sent["tags"] = " ".join(sent["tags"])
        if "thresholds" in self.model_fields_set:
            sent["thresholds"] = [Threshold(**each.model_dump()) for each in self.thresholds]
        if sent.get("service_id", ...) is None:
            del sent["service_id"]
        return sent


class CreateServer(UpdateServer):
    """A server to be created."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "service_id": "ed45b14d-e3ea-4f40-9a4e-16c175afad98",
                    "name": "Resource name",
                    "description": "Resource description",
                    "timezone": "Europe/Berlin",
                    "chart_type_default": "line",
                    "os": "ubuntu",
                    "metric_types_basic": ["cpu-total-usage"],
                    "metric_types_advanced": ["disk-io-unified"],
                    "metric_types_complex": ["processes-unified"],
                    "interval": 60,
                    "enabled": True,
                }
            ]
        }
    )

    name: Name
    service_id: Id


@routes.post("/v1/server-resource", status_code=201, responses=documents.made(201))
async def create(body: CreateServer, command: Commanded, request: Request) -> Response:
    """Creates a server; the answer holds its agent's token, shown this once, and the line that installs it (A25)."""
    state = server_resource.create(uuid7(), command.caller.organisation, body.sent(), command.now)
    await _check(command, body)
    await command.servers.check_count(command.state.settings.servers_limit, "service_id")
    row = await command.servers.add(state, unique=True)
    token = await command.agent_keys.issue(state)
    kept = {"message": "Server resource created", "server_resource": documents.server(row.state), "id": state.id}
    shown = kept | documents.token(token, platform_url(request), state.interval)
    return command.answer(shown, 201, row.version, kept)


async def _enable_many(command: PingHomeCommand, rows: list[Row[Any]], enabled: bool) -> None:  # noqa: FBT001
    for row in rows:
        row.state = server_resource.edit(row.state, {"enabled": enabled}, row.version + 1, command.now)
    await command.servers.save_many(rows)


async def _delete_many(command: PingHomeCommand, ids: Sequence[UUID]) -> None:
    await command.servers.orphan(ids)
    await command.resources.orphan(ids)
    await command.agent_keys.withdraw(ids)
    await command.servers.remove_many(ids)


Bulk("/v1/server-resource", "Server resources", lambda command: command.servers, _enable_many, _delete_many).add_to(
    routes
)


@routes.put("/v1/server-resource/{id}", responses=documents.made(200))
async def update(id: Id, body: UpdateServer, command: Commanded) -> Response:  # noqa: A002  # the document's word
    """Changes the settings that are sent (A27)."""
    row = await command.servers.edit(id, command.wanted)
    row.state = server_resource.edit(row.state, body.sent(), row.version + 1, command.now)
    await _check(command, body, row.state.id)
    await command.servers.refuse_duplicate(row.state)
    await command.servers.save(row)
    document = documents.server(row.state)
    body_ = {"message": "Server resource updated", "server_resource": document, "id": id}
    return command.answer(body_, version=row.version)


@routes.post("/v1/server-resource/{id}/token", status_code=201, responses=shows(documents.TOKEN, 201))
async def renew(id: Id, command: Commanded, request: Request) -> Response:  # noqa: A002
    """Renews the token of a server's agent; the old one stops working (our extension)."""
    row = await command.servers.edit(id, command.wanted)
    token = await command.agent_keys.issue(row.state)
    kept = {"message": "Token renewed", "id": id}
    return command.answer(kept | documents.token(token, platform_url(request), row.state.interval), 201, kept=kept)


@routes.delete("/v1/server-resource/{id}", responses=gone("server resource"))
async def delete(id: Id, command: Commanded) -> Response:  # noqa: A002
    """Deletes a server and its agent's token (our extension)."""
    await command.servers.edit(id, command.wanted)
    await _delete_many(command, [id])
    return command.answer({"message": "Server resource deleted", "id": id})


@routes.delete("/v1/server-resource", responses=all_gone("server resource"))
async def delete_many(ids: Ids, command: Commanded) -> Response:
    """Deletes all of some servers, or none when one is missing (A26)."""
    await _delete_many(command, ids)
    return command.answer({"message": "Server resources deleted", "ids": ids})


async def _check(command: PingHomeCommand, body: UpdateServer, id_: Id | None = None) -> None:
    await command.channels.check(body.channels)
    if body.parent_id:
        await command.servers.check_parent(body.parent_id, id_)


def platform_url(request: Request) -> str:
    """Where an agent finds the platform: what the operator has set, else scheme and host of the request."""
    url: str = request.app.state.settings.public_url
    if url:
        return url.rstrip("/")
    parts = urlsplit(str(request.base_url))
    return f"{parts.scheme}://{parts.netloc}"
