"""Commands on groups of components: contract C9 and C11, pingpong.txt lines 166 to 198; their paths are inferred."""

from fastapi import Request, Response

from pinghome_common.dialects import pingpong_documents as documents
from pinghome_common.dialects.pingpong import Router, answer, identified
from pinghome_common.dialects.pingpong_documents import shows, takes
from pinghome_common.dialects.pingpong_fields import Field, read, text
from statuspage_cmd.api.pingpong.change import changing
from statuspage_cmd.pages import components

routes = Router()

BODY = takes({"name": "System", "description": None})
FIELDS = {
    "name": Field(text(50), "name", required=True),
    "description": Field(text(255, blank=True, lines=True), "description", null=""),
}


@routes.post("/component-groups", status_code=201, responses=shows(documents.GROUP, 201), openapi_extra=BODY)
async def create(request: Request) -> Response:
    """Creates a group of components (C9)."""
    async with changing(request) as it:
        settings, most = read(it.document, FIELDS, partial=False), it.command.settings.components_limit
        page, made = components.add_group(it.page, settings, it.command.now, most)
        await it.save(page)
        return answer((await it.project()).group(made), 201)


@routes.api_route(
    "/component-groups/{id}", methods=["PUT", "PATCH"], responses=shows(documents.GROUP), openapi_extra=BODY
)
async def update(request: Request, id: str) -> Response:  # noqa: A002  # the document's word
    """Changes what is sent of a group (C11)."""
    async with changing(request) as it:
        group = components.find(it.page.groups, identified(id))
        page, changed = components.edit_group(
            it.page, group.id, read(it.document, FIELDS, partial=True), it.command.now
        )
        await it.save(page)
        return answer((await it.project()).group(changed))
