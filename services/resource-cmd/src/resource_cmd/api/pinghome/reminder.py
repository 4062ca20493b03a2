"""Commands on reminders: contract A6 to A11, pinghome-monitoring.txt lines 284 to 510, in all shapes that it shows."""

from typing import Annotated, Any

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from pinghome_common.dialects import pinghome_documents as documents
from pinghome_common.dialects.pinghome import Router
from pinghome_common.dialects.pinghome_fields import Id, Int
from pinghome_common.store import Row
from resource_cmd.api.pinghome.command import Commanded, PingHomeCommand
from resource_cmd.expiry.reminder import with_reminder

routes = Router(tags=["Reminders"])


class Days(BaseModel):
    """`{"days_before": [1, 3, 7]}` (lines 310 and 349)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"days_before": [1, 3, 7]}]})

    days_before: list[Annotated[Int, Field(ge=1, le=365)]] = Field(
        min_length=1, max_length=365, description="days before the expiry, each once; a reminder is sent on each"
    )

    @field_validator("days_before")
    @classmethod
    def _distinct(cls, value: list[int]) -> list[int]:
        if len(set(value)) != len(value):
            raise PydanticCustomError("distinct", "must not have a day twice")
        return value


def _answer(
    command: PingHomeCommand, row: Row[Any], kind: str, days: list[int], word: str, status: int = 200
) -> Response:
    shown = documents.reminder(row.state.id, kind, sorted(days))
    body = {"message": f"Reminder {word}", "reminder": shown, "id": row.state.id}
    return command.answer(body, status, row.version)


def _example(kind: str, word: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    shown = documents.reminder(documents.RESOURCE["id"], kind, [1, 3, 7])
    return documents.shows({"message": f"Reminder {word}", "reminder": shown, "id": shown["id"]}, status)


def _serve(kind: str, what: str) -> None:
    """The routes of one kind: the first path is the canonical one, the others are those of the document's examples."""

    async def create(id: Id, body: Days, command: Commanded) -> Response:  # noqa: A002  # the document's word
        row = await command.resources.edit(id, command.wanted)
        row.state = with_reminder(row.state, kind, body.days_before, command.now, first=True)
        await command.resources.save(row, f"{kind}-reminder-set")
        return _answer(command, row, kind, body.days_before, "created", 201)

    async def update(id: Id, body: Days, command: Commanded) -> Response:  # noqa: A002
        row = await command.resources.edit(id, command.wanted)
        row.state = with_reminder(row.state, kind, body.days_before, command.now, first=False)
        await command.resources.save(row, f"{kind}-reminder-set")
        return _answer(command, row, kind, body.days_before, "updated")

    async def delete(id: Id, command: Commanded) -> Response:  # noqa: A002
        row = await command.resources.edit(id, command.wanted)
        row.state = with_reminder(row.state, kind, [], command.now, first=False)
        await command.resources.save(row, f"{kind}-reminder-removed")
        return command.answer({"message": "Reminder deleted", "id": id}, version=row.version)

    paths = (f"/v1/resource/{{id}}/{kind}/reminder", f"/v1/{{id}}/{kind}/reminder", f"/v1/{kind}/reminder/{{id}}")
    gone = documents.gone("reminder")
    for path in paths:
        shown = path == paths[0]
        routes.add_api_route(
            path, create, methods=["POST"], status_code=201, include_in_schema=shown,
            summary=f"Remind of the expiry of the {what}", responses=_example(kind, "created", 201),
        )  # fmt: skip
        routes.add_api_route(
            path, update, methods=["PUT"], include_in_schema=shown,
            summary=f"Remind of the expiry of the {what} on other days", responses=_example(kind, "updated"),
        )  # fmt: skip
        routes.add_api_route(
            path, delete, methods=["DELETE"], include_in_schema=shown,
            summary=f"Remind of the expiry of the {what} no more", responses=gone,
        )  # fmt: skip


_serve("tld", "domain")
_serve("ssl", "certificate")
