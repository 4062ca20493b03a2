"""Commands on the organisation's keys: our extension (contract K)."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from pinghome_common.dialects import pinghome_keys as documents
from pinghome_common.dialects.pinghome import Authorized, Router
from pinghome_common.dialects.pinghome_command import commanding
from pinghome_common.dialects.pinghome_documents import gone, shows
from pinghome_common.dialects.pinghome_fields import Id, Name
from pinghome_common.errors import FieldError, Invalid, NotFound
from pinghome_common.events.key import Kind, Scope
from resource_cmd.accounts import key, organisation
from resource_cmd.api.pinghome.command import PingHomeCommand

routes = Router(tags=["Keys"])

OF_SERVICE = ("checks", "ping")


class CreateKey(BaseModel):
    """A key to be created."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "laptop", "kind": "bearer", "scope": "read"}]})

    name: Name
    kind: Literal["bearer", "checks", "ping", "status"] = Field(
        description="bearer: this API; checks, ping: Healthchecks'; status: PingPong's; a server's is made with it"
    )
    scope: Literal["read", "write"] = Field(description="what it allows; that of a ping key is write")
    service_id: Id | None = Field(
        None, description="of a checks or ping key; default: the organisation's first service"
    )
    page: Id | None = Field(None, description="the status page of a status token, which goes with it")

    def check(self) -> None:
        """Refuses what does not go together."""
        if self.service_id and self.kind not in OF_SERVICE:
            raise Invalid(FieldError("service_id", "is for the kinds checks and ping only"))
        if self.kind == "ping" and self.scope == "read":
            raise Invalid(FieldError("scope", "must be write for the kind ping"))
        if (self.page is None) is (self.kind == "status"):
            raise Invalid(FieldError("page", "is required for the kind status, and for no other"))


class KeyCommand(PingHomeCommand):
    """A command on a key; `shown` is the key, and whether it is there now: services know keys from the stream alone."""

    shown: tuple[UUID, bool] | None = None


async def _commanding(request: Request, caller: Authorized) -> AsyncIterator[KeyCommand]:
    async with commanding(request, caller, KeyCommand, in_transaction=True) as command:
        yield command
    if command.shown:
        id_, there = command.shown
        command.committed()
        await command.state.directory.shows(id_, there=there, most=command.state.progress.most)


Commanded = Annotated[KeyCommand, Depends(_commanding, scope="function")]

CREATED: dict[str, Any] = {
    "message": "Key created",
    "key": documents.KEY,
    "id": documents.KEY["id"],
    "token": "Zk3vQ8mW1xYb6Tn2o3q4Vd8eFgHjKmNp",
}


@routes.post("/v1/key", status_code=201, responses=shows(CREATED, 201))
async def create(body: CreateKey, command: Commanded) -> Response:
    """Creates a key; the answer is the only one that shows its token (our extension)."""
    body.check()
    kind, of, tx = Kind(body.kind), command.caller.organisation, command.tx
    service = None
    if body.kind in OF_SERVICE:
        service = await organisation.service_of(tx, of, str(body.service_id or ""))
    if body.page:
        await command.state.evaluated.reached("resource-cmd", "STATUS_EVENTS")
        await key.hold_page(tx, of, body.page)
    await command.keys.check_count(key.MOST, "name")
    token = key.new_token_of(kind)
    it = await key.issue(command.keys, of, kind, Scope(body.scope), token, body.name, service, body.page)
    command.shown = it.id, True
    kept = {"message": "Key created", "key": documents.key(it), "id": it.id}
    return command.answer(kept | {"token": token}, 201, 1, kept)


@routes.delete("/v1/key/{id}", responses=gone("key"))
async def delete(id: Id, command: Commanded) -> Response:  # noqa: A002
    """Revokes a key with its sessions, for ever, everywhere within five seconds (our extension).

    The key that is calling may be revoked, too; its session, or another token, is then of no use.
    """
    row = await command.keys.edit(id, command.wanted)
    if row.state.expires_at:
        raise NotFound("Key not found")  # sessions are not keys to those who call
    await command.keys.revoke(row)
    command.shown = id, False
    return command.answer({"message": "Key deleted", "id": id})
