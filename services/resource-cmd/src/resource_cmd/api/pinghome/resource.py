"""Commands on uptime monitors: contract A1 to A5, pinghome-monitoring.txt lines 30 to 290."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict
from uuid_utils.compat import uuid7

from pinghome_common.dialects import pinghome_documents as documents
from pinghome_common.dialects.pinghome import MASK, Router
from pinghome_common.dialects.pinghome_fields import Flag, Id, Ids
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.resource import Resource
from pinghome_common.guard import AddressForbidden
from pinghome_common.origin import same_place
from pinghome_common.secret import derive
from pinghome_common.store import Row
from resource_cmd.api.pinghome.command import Commanded, Creating, PingHomeCommand
from resource_cmd.api.pinghome.many import Bulk
from resource_cmd.api.pinghome.resource_body import CreateResource, UpdateResource
from resource_cmd.monitors import resource, target

routes = Router(tags=["Uptime monitors"])


class Enabled(BaseModel):
    """`{"enabled": true}` (line 171)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": True}]})

    enabled: Flag


def checked(state: Any, body: UpdateResource) -> dict[str, Any]:
    """The fields that were sent, checked against the platform's own settings; `state` is the application's."""
    known = state.regions.names
    if unknown := [region for region in body.regions if region not in known]:
        raise Invalid(FieldError("regions", f"{unknown[0]} is not probed here; use {', '.join(known)}"))
    sent = body.model_dump(include=body.model_fields_set, exclude={"headers", "body", "conditions"})
    if "tags" in sent:
        sent["tags"] = " ".join(sent["tags"])
    if "conditions" in body.model_fields_set:
        sent["conditions"] = [demand.own() for demand in body.conditions]
    if sent.get("service_id", ...) is None:
        del sent["service_id"]
    return sent


def fits(app: Any, body: UpdateResource, state: Resource) -> None:
    """Refuses settings that do not fit the type, and a target out of bounds; `app` is the application's state."""
    target.check(state)
    if state.maintenance_duration and not state.maintenance_cron_expression:
        raise Invalid(FieldError("maintenance_duration", "needs maintenance_cron_expression, too"))
    named = {"url": body.url, "host": "" if state.type in ("http", "dns") else body.host}
    for field, text in named.items():
        if text:
            try:
                app.guard.check_literal(target.host_in(field, text).host)
            except AddressForbidden as error:
                raise Invalid(FieldError(field, str(error))) from None


def secrets_of(body: UpdateResource, *, has_body: bool = False) -> tuple[dict[str, str | None] | None, str | None]:
    """Headers and body as they were sent; None means unchanged.

    Raises:
        Invalid: a mask stands for the body of a monitor that has none.
    """
    if body.body == MASK and not has_body:
        raise Invalid(FieldError("body", "there is no earlier value to keep"))
    return body.headers, None if body.body == MASK else body.body


@routes.post("/v1/resource", status_code=201, responses=documents.made("resource", documents.RESOURCE, 201))
async def create(body: CreateResource, command: Creating) -> Response:
    """Creates a monitor; its first check starts at once (A1)."""
    state = resource.create(uuid7(), command.caller.organisation, checked(command.state, body), command.now)
    state = resource.with_secrets(state, derive(command.state.settings.secret_key, "resource"), *secrets_of(body))
    fits(command.state, body, state)
    await command.check_channels(body.channels)
    if body.parent_id:
        await command.check_parent(body.parent_id)
    row = await command.monitor(state)
    document = documents.resource(row.state)
    return command.answer({"message": "Resource created", "resource": document, "id": state.id}, 201, row.version)


async def _enable_many(command: PingHomeCommand, rows: list[Row[Resource]], enabled: bool) -> None:  # noqa: FBT001
    switched = [row.state.id for row in rows if row.state.enabled is not enabled]
    for row in rows:
        row.state = resource.enable(row.state, row.version + 1, command.now, enabled=enabled)
    await command.resources.save_many(rows, "enabled" if enabled else "disabled")
    await command.resources.forget(switched)  # else nobody would have reported lately, and it would become unknown
    await command.resources.reschedule([row.state.id for row in rows])


async def _delete_many(command: PingHomeCommand, ids: Sequence[UUID]) -> None:
    await command.resources.orphan(ids)
    await command.servers.orphan(ids)
    rows = await command.resources.edit_all(ids)
    for row in rows:
        resource.check_own(row.state)
    await command.resources.remove(*rows)
    await command.resources.reschedule(ids)


Bulk(
    "/v1/resource", "Resources", lambda command: command.resources, _enable_many, _delete_many, resource.check_own
).add_to(routes)


@routes.put("/v1/resource/{id}", responses=documents.made("resource", documents.RESOURCE))
async def update(id: Id, body: UpdateResource, command: Commanded) -> Response:  # noqa: A002  # the document's word
    """Changes the settings that are sent and returns the monitor (A5)."""
    row = await command.resources.edit(id, command.wanted)
    resource.check_own(row.state)
    state = resource.edit(row.state, checked(command.state, body), command.now)
    moved = not same_place(row.state.url or row.state.host, state.url or state.host)
    key = derive(command.state.settings.secret_key, "resource")
    kept = secrets_of(body, has_body=True)  # the mask of none changes nothing
    row.state = resource.with_secrets(state, key, *kept, moved=moved)
    fits(command.state, body, row.state)
    await command.channels.check(body.channels)
    if body.parent_id:
        await command.resources.check_parent(body.parent_id, id)
    await command.resources.refuse_duplicate(row.state)
    await command.resources.save(row)
    await command.resources.reschedule([id])
    document = documents.resource(row.state)
    return command.answer({"message": "Resource updated", "resource": document, "id": id}, version=row.version)


@routes.put("/v1/resource/{id}/status", responses=documents.made("resource", documents.RESOURCE))
async def status(id: Id, body: Enabled, command: Commanded) -> Response:  # noqa: A002
    """Switches a monitor on or off (A3)."""
    row = await command.resources.edit(id, command.wanted)
    resource.check_own(row.state)
    await _enable_many(command, [row], body.enabled)
    document = documents.resource(row.state)
    return command.answer({"message": "Resource status updated", "resource": document, "id": id}, version=row.version)


@routes.delete("/v1/resource/{id}", responses=documents.gone("resource"))
async def delete(id: Id, command: Commanded) -> Response:  # noqa: A002
    """Deletes a monitor (A4)."""
    await command.resources.orphan([id])
    await command.servers.orphan([id])
    row = await command.resources.edit(id, command.wanted)
    resource.check_own(row.state)
    await command.resources.remove(row)
    await command.resources.reschedule([id])
    return command.answer({"message": "Resource deleted", "id": id})


@routes.delete("/v1/resource", responses=documents.all_gone("resource"))
async def delete_many(ids: Ids, command: Commanded) -> Response:
    """Deletes all of some monitors, or none when one is missing (A2)."""
    await _delete_many(command, ids)
    return command.answer({"message": "Resources deleted", "ids": ids})
