"""Commands on components: contract C4, C6 and C7, pingpong.txt lines 71 to 151; their paths are inferred."""

from typing import Any
from uuid import UUID

from fastapi import Request, Response

from pinghome_common.dialects import pingpong_documents as documents
from pinghome_common.dialects.pingpong import Router, answer, identified, short
from pinghome_common.dialects.pingpong_documents import STATUSES, shows, takes
from pinghome_common.dialects.pingpong_fields import Field, boolean, choice, one_of, read, text
from pinghome_common.events.statuspage import Component, ComponentStatus, StatusPage
from statuspage_cmd.api.pingpong.change import Change, changing
from statuspage_cmd.pages import components

routes = Router()

BODY = takes(
    {
        "name": "API",
        "group": "0bkpJkjJwkR80hPNFXHtFv",
        "description": None,
        "status": "Operational",
        "showcased": True,
    }
)
STATUS = {"status": Field(choice(STATUSES), "status", null=None, required=True)}


def _fields(page: StatusPage) -> dict[str, Field]:
    return {
        "name": Field(text(50), "name", required=True),
        "group": Field(one_of({each.id for each in page.groups}), "group", null=None),
        "description": Field(text(255, blank=True, lines=True), "description", null=""),
        "status": Field(choice(STATUSES), "status", null=None),
        "showcased": Field(boolean, "showcased"),
    }


@routes.post("/components", status_code=201, responses=shows(documents.COMPONENT, 201), openapi_extra=BODY)
async def create(request: Request) -> Response:
    """Creates a component (C4)."""
    async with changing(request) as it:
        settings = _meant(read(it.document, _fields(it.page), partial=False), None)
        page, made = components.add(it.page, settings, it.command.now, it.command.settings.components_limit)
        await it.save(page)
        return answer((await it.project()).component(made), 201)


@routes.api_route(
    "/components/{id}", methods=["PUT", "PATCH"], responses=shows(documents.COMPONENT), openapi_extra=BODY
)
async def update(request: Request, id: str) -> Response:  # noqa: A002  # the document's word
    """Changes what is sent of a component (C6)."""
    async with changing(request) as it:
        before = components.find(it.page.components, identified(id))
        changed = await _change(it, before, read(it.document, _fields(it.page), partial=True))
        return answer((await it.project()).component(changed))


@routes.api_route(
    "/components/{id}/status",
    methods=["PUT", "PATCH", "POST"],
    responses=shows({"id": documents.COMPONENT["id"], **documents.component_status(ComponentStatus.operational)}),
    openapi_extra=takes({"status": "Operational"}),
)
async def set_status(request: Request, id: str) -> Response:  # noqa: A002
    """Changes the status of a component; what it shows now is answered (C7)."""
    async with changing(request) as it:
        before = components.find(it.page.components, identified(id))
        changed = await _change(it, before, read(it.document, STATUS, partial=False))
        shown = (await it.project()).statuses[changed.id]
        return answer({"id": short(changed.id), **documents.component_status(shown)})


async def _change(it: Change, before: Component, settings: dict[str, Any]) -> Component:
    page, changed = components.edit(it.page, before.id, _meant(settings, before.resource_id), it.command.now)
    await it.save(page)
    return changed


def _meant(settings: dict[str, Any], followed: UUID | None) -> dict[str, Any]:
    """The settings with what a status of null means: as what is followed; where nothing is, it is unknown."""
    if "status" in settings and settings["status"] is None:
        settings["status"] = ComponentStatus.operational if followed else ComponentStatus.unknown
    return settings
