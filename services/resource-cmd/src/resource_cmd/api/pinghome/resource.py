"""Commands on uptime monitors: contract A1 to A5, pinghome-monitoring.txt lines 30 to 290."""

import json
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError, from_json
from uuid_utils.compat import uuid7

from pinghome_common import cron
from pinghome_common.dialects import pinghome_documents as documents
from pinghome_common.dialects.pinghome import MASK, Flag, Id, Ids, Int, Name, Router, Text
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.guard import Forbidden
from pinghome_common.secret import derive
from resource_cmd import resource
from resource_cmd.command import Command, Commanded, Creating

routes = Router(tags=["Uptime monitors"])

INTERVALS = (5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
EVALUATED = ("http",)
_LATER = {"tcp", "icmp", "ping", "smtp", "udp", "pop", "pop3", "imap"}
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d", re.ASCII)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}", re.ASCII)
_OURS = {"host", "content-length", "transfer-encoding", "connection", "metadata-flavor", "x-aws-ec2-metadata-token"}


def _headers(value: Any) -> Any:
    """An object, or a JSON string of one: the document shows both (lines 91 and 264)."""
    if isinstance(value, str):
        try:
            value = from_json(value, allow_inf_nan=False) if value.strip() else {}
        except ValueError:
            raise PydanticCustomError("headers", "must be an object, or a JSON string of an object") from None
    if not isinstance(value, dict):
        raise PydanticCustomError("headers", "must be an object, or a JSON string of an object")
    if len(value) > 20 or len(json.dumps(value)) > 4096:
        raise PydanticCustomError("headers", "must be at most 20 headers and 4096 characters in all")
    for name, text in value.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OURS:
            raise PydanticCustomError("headers", "has a name that is not allowed")
        if not isinstance(text, str) or not text.isprintable() or not text.isascii():
            raise PydanticCustomError("headers", "values must be printable ASCII strings")
    return {name: None if text == MASK else text for name, text in value.items()}


def _port(value: Any) -> Any:
    """A string or a number; empty means none."""
    if value == "" or value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65535:
        raise PydanticCustomError("port", "must be a port from 1 to 65535, or empty")
    return value


class Condition(BaseModel):
    """A condition on the answer."""

    type: Text
    operator: Text
    values: list[str] = []
    key: Text = ""


class Settings(BaseModel):
    """A monitor's settings as a client may send them; an absent field is unchanged on PUT."""

    model_config = ConfigDict(extra="ignore")

    name: Name = Field("", description="1 to 255 characters")
    type: Text = Field("http", description="http")
    url: Text = Field("", max_length=2048, description="absolute http or https URL")
    host: Text = Field("", max_length=255)
    port: Annotated[int | None, BeforeValidator(_port)] = None
    data: Text = Field("", max_length=4096)
    grace_period: Int = Field(0, ge=0, le=10080, description="minutes a failure must last before the monitor is down")
    recovery_period: Int = Field(0, ge=0, le=10080, description="minutes of success before it is up again")
    maintenance_cron_expression: Text | None = Field(None, description="five fields, UTC; empty: none")
    maintenance_duration: Int = Field(0, ge=0, le=10080, description="minutes")
    skip_ssl_error: Flag = False
    not_follow_redirect: Flag = False
    method: Text = Field("GET", description=", ".join(METHODS))
    body: Text | None = Field(None, max_length=65536)
    is_advanced: Flag = False
    headers: Annotated[dict[str, str | None], BeforeValidator(_headers)] | None = None
    service_id: Id | None = None
    conditions: list[Condition] = Field([], max_length=0, description="not evaluated yet: must be empty")
    regions: list[Text] = Field([], min_length=1, max_length=50)
    interval: Literal[INTERVALS] = Field(60, description="our extension: seconds between checks")  # type: ignore[valid-type]

    @field_validator("type")
    @classmethod
    def _type(cls, value: str) -> str:
        if value not in EVALUATED:
            known = "is not evaluated yet" if value in _LATER else "is unknown"
            raise PydanticCustomError("type", f"the type {known}; use one of: {', '.join(EVALUATED)}")
        return value

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fine = False
        if not fine or not value.isprintable() or " " in value or parts.username is not None:
            raise PydanticCustomError("url", "must be an absolute http or https URL without user and password")
        return value

    @field_validator("maintenance_cron_expression")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        if not value:
            return None
        cron.check(value)
        return value

    @field_validator("method")
    @classmethod
    def _method(cls, value: str) -> str:
        if value.upper() not in METHODS:
            raise PydanticCustomError("method", "must be one of " + ", ".join(METHODS))
        return value.upper()

    @field_validator("data")
    @classmethod
    def _data(cls, value: str) -> str:
        if value:
            raise PydanticCustomError("data", "keywords are not evaluated yet: must be empty")
        return value

    @field_validator("regions")
    @classmethod
    def _regions(cls, value: list[str]) -> list[str]:
        if not all(_REGION.fullmatch(region) for region in value):
            raise PydanticCustomError("regions", "must be names such as eu-central-1")
        return list(dict.fromkeys(value))


EXAMPLE: JsonDict = {
    "name": "Pinghome",
    "type": "http",
    "port": "",
    "data": "",
    "grace_period": 0,
    "recovery_period": 0,
    "maintenance_cron_expression": "*/8 * * * *",
    "maintenance_duration": 5,
    "skip_ssl_error": False,
    "not_follow_redirect": False,
    "method": "POST",
    "body": "param1=value1&param2=value2",
    "is_advanced": True,
    "headers": {"Authorization": "Bearer sometoken"},
    "service_id": "14ab74bf-87a0-4565-a291-ad5c9733c53f",
    "url": "https://website-stage.ping-home.com",
    "conditions": [],
    "regions": ["eu-central-1"],
}
"""pinghome-monitoring.txt lines 75 to 100; its condition waits for the evaluation of conditions."""


class NewResource(Settings):
    """A monitor to be created."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: Name
    type: Text
    service_id: Id
    regions: list[Text] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _target(self) -> "NewResource":
        if self.type == "http" and not self.url:
            raise PydanticCustomError("url", "url is required for type http")
        return self


class Enabled(BaseModel):
    """`{"enabled": true}` (line 171)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": True}]})

    enabled: Flag


def _checked(command: Command, body: Settings) -> dict[str, Any]:
    """The fields that were sent, checked against the platform's own settings."""
    settings = command.state.settings
    if unknown := [region for region in body.regions if region not in settings.regions]:
        raise Invalid(FieldError("regions", f"{unknown[0]} is not probed here; use {', '.join(settings.regions)}"))
    if body.url:
        try:
            command.state.guard.check_literal(urlsplit(body.url).hostname or "")
        except Forbidden as error:
            raise Invalid(FieldError("url", str(error))) from None
    sent = body.model_dump(include=body.model_fields_set, exclude={"headers", "body", "conditions"})
    if sent.get("service_id", ...) is None:
        del sent["service_id"]
    return sent


def _secrets(body: Settings) -> tuple[dict[str, str | None] | None, str | None]:
    return body.headers, None if body.body == MASK else body.body


@routes.post("/v1/resource", status_code=201, responses=documents.made("resource", documents.RESOURCE, 201))
async def create(body: NewResource, command: Creating) -> Response:
    """Creates a monitor; its first check starts at once (A1)."""
    state = resource.create(uuid7(), command.caller.organisation, _checked(command, body), command.now)
    state = resource.with_secrets(state, derive(command.state.settings.secret_key, "resource"), *_secrets(body))
    _windowed(state)
    row = await command.resources.add(state, unique=True)
    document = documents.resource(row.state)
    return command.answer({"message": "Resource created", "resource": document, "id": state.id}, 201, row.version)


@routes.put("/v1/resource/{id}", responses=documents.made("resource", documents.RESOURCE))
async def update(id: Id, body: Settings, command: Commanded) -> Response:  # noqa: A002  # the document's word
    """Changes the settings that are sent and returns the monitor (A5)."""
    row = await command.resources.edit(id, command.wanted)
    state = resource.edit(row.state, _checked(command, body), command.now)
    row.state = resource.with_secrets(state, derive(command.state.settings.secret_key, "resource"), *_secrets(body))
    _windowed(row.state)
    await command.resources.refuse_twin(row.state)
    await command.resources.save(row)
    await command.resources.reschedule([id])
    document = documents.resource(row.state)
    return command.answer({"message": "Resource updated", "resource": document, "id": id}, version=row.version)


@routes.put("/v1/resource/{id}/status", responses=documents.made("resource", documents.RESOURCE))
async def status(id: Id, body: Enabled, command: Commanded) -> Response:  # noqa: A002
    """Switches a monitor on or off (A3)."""
    row = await command.resources.edit(id, command.wanted)
    row.state = resource.enable(row.state, row.version + 1, command.now, enabled=body.enabled)
    await command.resources.save(row, "enabled" if body.enabled else "disabled")
    await command.resources.forget(id)
    await command.resources.reschedule([id])
    document = documents.resource(row.state)
    return command.answer({"message": "Resource status updated", "resource": document, "id": id}, version=row.version)


@routes.delete("/v1/resource/{id}", responses=documents.gone("resource"))
async def delete(id: Id, command: Commanded) -> Response:  # noqa: A002
    """Deletes a monitor (A4)."""
    await command.resources.remove(await command.resources.edit(id, command.wanted))
    await command.resources.reschedule([id])
    return command.answer({"message": "Resource deleted", "id": id})


@routes.delete("/v1/resource", responses=documents.all_gone("resource"))
async def delete_many(ids: Ids, command: Commanded) -> Response:
    """Deletes all of some monitors, or none when one is missing (A2)."""
    await command.resources.remove_many(ids)
    await command.resources.reschedule(ids)
    return command.answer({"message": "Resources deleted", "ids": ids})


def _windowed(state: Any) -> None:
    if state.maintenance_duration and not state.maintenance_cron_expression:
        raise Invalid(FieldError("maintenance_duration", "needs maintenance_cron_expression, too"))
