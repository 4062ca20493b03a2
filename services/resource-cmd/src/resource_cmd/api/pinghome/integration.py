"""Commands on integrations: contract A12 to A14, pinghome-monitoring.txt lines 797 to 915."""

import hashlib
import re
import secrets
import string
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field
from uuid_utils.compat import uuid7

from pinghome_common.dialects import pinghome_alerts as documents
from pinghome_common.dialects.pinghome import MASK, Router
from pinghome_common.dialects.pinghome_documents import gone, made
from pinghome_common.dialects.pinghome_fields import Id, Name, Text
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.integration import Integration
from pinghome_common.secret import derive
from pinghome_common.store import Row
from pinghome_delivery.confirm import expect
from pinghome_delivery.email import Email
from pinghome_delivery.message import Kind
from pinghome_delivery.providers import INTEGRATIONS, opened, sealed
from pinghome_delivery.slack import Slack
from pinghome_delivery.statuspage_io import StatuspageIo
from pinghome_delivery.webhook import Webhook, new_secret
from resource_cmd.api.pinghome.command import Commanded, PingHomeCommand
from resource_cmd.delivery.audience import usable

routes = Router(tags=["Integrations"])

_ALPHABET = string.ascii_lowercase + string.digits
_KEY = re.compile(r"[a-z0-9]{12}", re.ASCII)

Item = Annotated[Text, Field(min_length=1, max_length=255)]


class UpdateIntegration(BaseModel):
    """An integration's settings as a client may send them; an absent field is unchanged on PUT."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Incident name",
                    "status": "Incident status",
                    "message": "Integration message",
                    "items": ["ggs24084vt79"],
                }
            ]
        }
    )

    name: Name = Field("", description="the incident's name")
    status: Text = Field("", max_length=255, description="of an opened incident, where it is one of Atlassian's")
    message: Text = Field("", max_length=4096, description="of an opened incident; empty: what happened")
    items: list[Item] = Field([], max_length=100, description="ids of the components there")
    token: Text = Field("", max_length=255, description="our extension: a token of statuspage.io, a webhook's secret")


class CreateIntegration(UpdateIntegration):
    """An integration to be created."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Incident name",
                    "status": "Incident status",
                    "integration": "r276xxt51c23",
                    "type": "statuspageIo",
                    "items": ["ggs24084vt79"],
                }
            ]
        }
    )

    name: Name = Field(description="the incident's name")
    type: Text = Field(description=", ".join(INTEGRATIONS))
    integration: Text = Field(min_length=1, max_length=2048, description="a page's id; else a URL or a mail address")


def _target(integration: str) -> bytes:
    return hashlib.sha256(integration.encode()).digest()


def _kind(type_: str, integration: str, token: str) -> Kind:
    if type_ == "statuspageIo":
        return StatuspageIo(page=integration, name="", token=token)
    if type_ == "email":
        return Email(to=[integration])
    return Slack(url=integration) if type_ == "slack" else Webhook(url=integration, secret=token)


async def _with(it: Integration, kind: Kind, command: PingHomeCommand) -> Integration:
    """The integration with its kind's configuration, which follows its own settings.

    Raises:
        Invalid: that cannot work.
    """
    if isinstance(kind, StatuspageIo):
        kind = replace(kind, name=it.name, status=it.status, message=it.message, items=it.items)
    try:
        await kind.check(command.state.transports)
    except Invalid as error:
        raise Invalid(*(FieldError(_ours(each.field), each.message) for each in error.errors)) from None
    await expect(command.tx, it.organisation, kind, command.state.transports)
    _, problem = await usable(command.tx, kind, it.organisation, command.state.transports)
    key = derive(command.state.settings.secret_key, "channel")
    return replace(it, sealed=sealed(key, kind), problem=problem, updated_at=command.now)


def _ours(field: str) -> str:
    """The field of this body that a field of the configuration comes from."""
    if field.startswith("items."):
        return field
    return {"config.secret": "token"}.get(field, "integration")


def _answer(
    command: PingHomeCommand, row: Row[Integration], message: str, status: int = 200, token: str = ""
) -> Response:
    kept = {"message": message, "integration": documents.integration(row.state), "id": row.state.key}
    return command.answer(kept | {"integration": documents.integration(row.state, token)}, status, row.version, kept)


@routes.post(
    "/v1/resource/{id}/integration", status_code=201, responses=made("integration", documents.INTEGRATION, 201)
)
async def create(id: Id, body: CreateIntegration, command: Commanded) -> Response:  # noqa: A002  # the document's word
    """Has an outside system follow a monitor (A12). A webhook's secret is made where none is sent, and shown once."""
    await command.resources.edit(id)
    if body.type not in INTEGRATIONS:
        raise Invalid(FieldError("type", "must be one of " + ", ".join(INTEGRATIONS)))
    if body.token == MASK:
        raise Invalid(FieldError("token", "there is no earlier value to keep"))
    made_here = new_secret() if body.type == "webhook" and not body.token else ""
    kind = _kind(body.type, body.integration, body.token or made_here)
    state = Integration(
        id=uuid7(),
        organisation=command.caller.organisation,
        resource=id,
        key="".join(secrets.choice(_ALPHABET) for _ in range(12)),
        type=body.type,
        integration=body.integration,
        target=_target(body.integration),
        name=body.name,
        status=body.status,
        message=body.message,
        items=body.items,
        has_token=bool(body.token or made_here),
        created_at=command.now,
        updated_at=command.now,
    )
    state = await _with(state, kind, command)
    state.integration = str(kind.shown(MASK).get("url", body.integration))  # now that it is known to be a URL
    row = await command.integrations.add(state, unique=True)
    return _answer(command, row, "Integration created", 201, made_here)


async def _row(command: PingHomeCommand, resource: Any, integration: str) -> Row[Integration]:
    """One of a monitor's, by our id or by that of the place outside."""
    await command.resources.edit(resource)
    return await command.integrations.of(
        resource, integration if _KEY.fullmatch(integration) else "", _target(integration)
    )


@routes.put("/v1/resource/{id}/integration/{integration}", responses=made("integration", documents.INTEGRATION))
async def update(id: Id, integration: str, body: UpdateIntegration, command: Commanded) -> Response:  # noqa: A002
    """Changes the settings that are sent (A13); `integration` is our id, or the page's."""
    row = await _row(command, id, integration)
    sent = body.model_dump(include=body.model_fields_set, exclude={"token"})
    kind = opened(derive(command.state.settings.secret_key, "channel"), row.state)
    state = replace(row.state, **sent)
    if body.token and body.token != MASK:
        if isinstance(kind, StatuspageIo):
            kind = replace(kind, token=body.token)
        elif isinstance(kind, Webhook):
            kind = replace(kind, secret=body.token)
        state = replace(state, has_token=isinstance(kind, StatuspageIo | Webhook))
    row.state = await _with(state, kind, command)
    await command.integrations.save(row)
    return _answer(command, row, "Integration updated")


@routes.delete("/v1/resource/{id}/integration/{integration}", responses=gone("integration"))
async def delete(id: Id, integration: str, command: Commanded) -> Response:  # noqa: A002
    """Ends an integration (A14)."""
    row = await _row(command, id, integration)
    await command.integrations.remove(row)
    return command.answer({"message": "Integration deleted", "id": row.state.key})
