"""Commands on maintenance: contract C23 and C25, pingpong.txt lines 530 to 645; their paths are inferred."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from pinghome_common.dialects import pingpong_documents as documents
from pinghome_common.dialects.pingpong import Router, answer, identified
from pinghome_common.dialects.pingpong_documents import shows, takes
from pinghome_common.dialects.pingpong_fields import Field, boolean, html, many, one_of, read, text, time
from pinghome_common.events.statuspage import StatusPage
from statuspage_cmd.api.pingpong.change import changing
from statuspage_cmd.maintenance import publishing

routes = Router()

BODY = takes(
    {
        "title": "Database migration planned",
        "message": "MySQL replica will be moved to a different server.",
        "scheduled_for": "2020-02-10T22:00:00Z",
        "ends_at": "2020-02-10T23:00:00Z",
        "notify_subscribers": True,
        "affected_components": ["4Prx46Kk7Rqnq3hv8RZbmN"],
    }
)


def _fields(page: StatusPage) -> dict[str, Field]:
    return {
        "title": Field(text(100), "title", required=True),
        "message": Field(html, "message"),
        "scheduled_for": Field(time, "scheduled_for", required=True),
        "ends_at": Field(time, "ends_at", required=True),
        "notify_subscribers": Field(boolean, "notify"),
        "affected_components": Field(many(_component({each.id for each in page.components})), "components"),
    }


def _component(ids: Collection[UUID]) -> Any:
    """A component by its id, or as it is shown."""
    known = one_of(ids)
    return lambda value: known(value.get("id") if isinstance(value, dict) else value)


def _titled(document: dict[str, Any]) -> dict[str, Any]:
    """The body with its title, which the document calls `name` where it is read."""
    return {"title": document["name"], **document} if "name" in document else document


@routes.post("/maintenance", status_code=201, responses=shows(documents.MAINTENANCE, 201), openapi_extra=BODY)
async def create(request: Request) -> Response:
    """Announces a maintenance; one that is over is noted down as complete (C23)."""
    async with changing(request) as it:
        settings = it.command.checked(read(_titled(it.document), _fields(it.page), partial=False))
        row = await publishing.plan(it.command, it.page, settings, past=True)
        return answer((await it.project()).maintenance(row.state), 201)


@routes.api_route(
    "/maintenance/{id}", methods=["PUT", "PATCH"], responses=shows(documents.MAINTENANCE), openapi_extra=BODY
)
async def update(request: Request, id: str) -> Response:  # noqa: A002  # the document's word
    """Changes what is sent of a maintenance; times that have passed stay (C25)."""
    async with changing(request) as it:
        row = await it.command.maintenances.of(it.page.id, identified(id))
        settings = it.command.checked(read(_titled(it.document), _fields(it.page), partial=True))
        await publishing.edit(it.command, it.page, row, settings)
        return answer((await it.project()).maintenance(row.state))
