"""Commands on many of one noun at once, on all of them or on none (contract K, our extension)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from pinghome_common.dialects.pinghome import Router
from pinghome_common.dialects.pinghome_documents import shows, words
from pinghome_common.dialects.pinghome_fields import Flag, Id, Tags
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.store import Row, Store
from resource_cmd.api.pinghome.channel_body import ChannelIds
from resource_cmd.api.pinghome.command import Commanded, PingHomeCommand

_EXAMPLE: list[Any] = ["cc7e4e8b-417d-4be0-9bde-85e353a20fa4", "6766163a-568d-47b4-a1fa-91a0957e06d4"]

_tags = TypeAdapter(Tags)


class Many(BaseModel):
    """Some of a noun."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": _EXAMPLE}]})

    ids: Annotated[list[Id], Field(min_length=1, max_length=500), AfterValidator(lambda ids: list(dict.fromkeys(ids)))]


class ManyEnabled(Many):
    """Some of a noun, to be switched on or off."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": _EXAMPLE, "enabled": False}]})

    enabled: Flag


class ManyChannels(Many):
    """Some of a noun, and who shall be told of them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ids": _EXAMPLE, "channels": ["906a3444-15ce-4410-8041-89a238e9e91f"]}]}
    )

    channels: ChannelIds | None = Field(description="null: the channels of its service")


class ManyTags(Many):
    """Some of a noun, and the tags that they shall have, or have no longer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": _EXAMPLE, "add": ["prod"], "remove": ["test"]}]})

    add: Tags = []
    remove: Tags = []

    @model_validator(mode="after")
    def _something(self) -> "ManyTags":
        if not self.add and not self.remove:
            raise PydanticCustomError("tags", "add or remove has to name a tag")
        if set(self.add) & set(self.remove):
            raise PydanticCustomError("tags", "add and remove must not name the same tag")
        return self


@dataclass(frozen=True, slots=True)
class Bulk:
    """What is different for each noun.

    Attributes:
        path: of the noun, such as `/v1/server-resource`.
        name: in messages, such as `Server resources`.
        store: of a command.
        enable: switches loaded ones on or off, and saves them.
        delete: deletes all of some ids.
        check: raises Conflict for one that must not be changed.
    """

    path: str
    name: str
    store: Callable[[PingHomeCommand], Store[Any]]
    enable: Callable[[PingHomeCommand, list[Row[Any]], bool], Awaitable[None]]
    delete: Callable[[PingHomeCommand, Sequence[UUID]], Awaitable[None]]
    check: Callable[[Any], None] = lambda _: None

    async def _rows(self, command: PingHomeCommand, ids: Sequence[UUID]) -> list[Row[Any]]:
        rows = await self.store(command).edit_all(ids)
        for row in rows:
            self.check(row.state)
        return rows

    def add_to(self, routes: Router) -> None:
        """Adds the routes; to be called before those of the same form with an id."""
        updated, deleted = (f"{self.name} {what}" for what in ("updated", "deleted"))

        @routes.put(f"{self.path}/status", responses=shows({"message": updated, "ids": _EXAMPLE}))
        async def status_of_many(body: ManyEnabled, command: Commanded) -> Response:
            """Switches up to 500 on or off, all or none (our extension)."""
            await self.enable(command, await self._rows(command, body.ids), body.enabled)
            return command.answer({"message": updated, "ids": body.ids})

        @routes.put(f"{self.path}/channels", responses=shows({"message": updated, "ids": _EXAMPLE}))
        async def channels_of_many(body: ManyChannels, command: Commanded) -> Response:
            """Says who is told of up to 500, all or none (our extension)."""
            rows = await self._rows(command, body.ids)
            await command.channels.check(body.channels)
            for row in rows:
                row.state = replace(row.state, channels=body.channels, updated_at=command.now)
            await self.store(command).save_many(rows)
            return command.answer({"message": updated, "ids": body.ids})

        @routes.put(f"{self.path}/tags", responses=shows({"message": updated, "ids": _EXAMPLE}))
        async def tags_of_many(body: ManyTags, command: Commanded) -> Response:
            """Adds tags to up to 500 and takes tags from them, all or none (our extension)."""
            rows = await self._rows(command, body.ids)
            for row in rows:
                row.state = replace(row.state, tags=_retagged(row.state, body), updated_at=command.now)
            await self.store(command).save_many(rows)
            return command.answer({"message": updated, "ids": body.ids})

        @routes.post(f"{self.path}/delete", responses=shows({"message": deleted, "ids": _EXAMPLE}))
        async def delete_many_of_body(body: Many, command: Commanded) -> Response:
            """Deletes up to 500, all or none (our extension)."""
            await self.delete(command, body.ids)
            return command.answer({"message": deleted, "ids": body.ids})


def _retagged(it: Any, body: ManyTags) -> str:
    """The tags of one as they shall be; as they were written where they are the same words."""
    before = words(it.tags)
    after = [tag for tag in before if tag not in body.remove]
    if new := [tag for tag in body.add if tag not in after]:
        try:
            _tags.validate_python(after := after + new)
        except ValidationError as error:
            raise Invalid(FieldError("add", f"of {it.id}: {error.errors()[0]['msg']}")) from None
    return it.tags if after == before else " ".join(after)
