"""Commands on incidents and their updates: contract C14, C16, C18, C20, C21, pingpong.txt lines 278 to 499.

Their paths are inferred.
"""

from typing import Any

from fastapi import Request, Response

from pinghome_common.dialects import pingpong_documents as documents
from pinghome_common.dialects.pingpong import Router, answer, identified
from pinghome_common.dialects.pingpong_documents import PROGRESS, STATUSES, shows, takes
from pinghome_common.dialects.pingpong_fields import Field, boolean, choice, html, objects, one_of, read, text, time
from pinghome_common.errors import NotFound
from pinghome_common.events.incident import Affected, Incident, IncidentUpdate
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.store import Row
from statuspage_cmd.api.pingpong.change import Change, changing
from statuspage_cmd.incidents import publishing

routes = Router()

BODY = takes(
    {
        "title": "Database replica connection failure",
        "message": "<b>Summary</b><br>API can not connect to the database replica.",
        "occurred_at": "2020-03-18T09:02:24Z",
        "notify_subscribers": True,
        "affected_components": [{"id": "4Prx46Kk7Rqnq3hv8RZbmN", "status": "Critical state"}],
    }
)
NOTE = takes({"status": "Investigating", "message": "Our devs are looking into the issue."})
SAID = {"status": Field(choice(PROGRESS), "status", required=True), "message": Field(html, "message")}

_UPDATES = "/incidents/{incident_id}/updates"


def _fields(page: StatusPage) -> dict[str, Field]:
    affected = objects(
        {
            "id": Field(one_of({each.id for each in page.components}), "component", required=True),
            "status": Field(choice(STATUSES), "status", required=True),
        }
    )
    return {
        "title": Field(text(100), "title", required=True),
        "message": Field(html, "message"),
        "occurred_at": Field(time, "occurred_at", null=None),
        "notify_subscribers": Field(boolean, "notify"),
        "affected_components": Field(lambda value: [Affected(**each) for each in affected(value)], "components"),
    }


@routes.post("/incidents", status_code=201, responses=shows(documents.INCIDENT, 201), openapi_extra=BODY)
async def create(request: Request) -> Response:
    """Opens an incident; `occurred_at` null is now (C14)."""
    async with changing(request) as it:
        settings = it.command.checked(read(it.document, _fields(it.page), partial=False))
        if settings.get("occurred_at", it) is None:
            del settings["occurred_at"]
        row = await publishing.open_(it.command, it.page, settings)
        return answer((await it.project()).incident(row.state, []), 201)


@routes.api_route("/incidents/{id}", methods=["PUT", "PATCH"], responses=shows(documents.INCIDENT), openapi_extra=BODY)
async def update(request: Request, id: str) -> Response:  # noqa: A002  # the document's word
    """Changes what is sent of an incident; `occurred_at` null is when it was reported (C16)."""
    async with changing(request) as it:
        row = await it.command.incidents.of(it.page.id, identified(id))
        settings: dict[str, Any] = it.command.checked(read(it.document, _fields(it.page), partial=True))
        if settings.get("occurred_at", it) is None:
            settings["occurred_at"] = row.state.created_at
        await publishing.edit(it.command, it.page, row, settings, notify=settings.get("notify", False))
        updates = [each.state for each in await it.command.updates.all_of(row.state.id)]
        return answer((await it.project()).incident(row.state, updates))


@routes.post(_UPDATES, status_code=201, responses=shows(documents.UPDATE, 201), openapi_extra=NOTE)
async def create_update(request: Request, incident_id: str) -> Response:
    """Writes an update of an incident; whoever was told of the incident is told of it (C18)."""
    async with changing(request) as it:
        row = await it.command.incidents.of(it.page.id, identified(incident_id))
        settings = it.command.checked(read(it.document, SAID, partial=False))
        written = await publishing.write(it.command, it.page, row, settings | {"notify": row.state.notify})
        return answer(documents.update(written), 201)


@routes.api_route(
    _UPDATES + "/{update_id}",
    methods=["PUT", "PATCH"],
    responses=shows(documents.UPDATE),
    openapi_extra=NOTE,
)
async def edit_update(request: Request, incident_id: str, update_id: str) -> Response:
    """Changes what is sent of an update (C20)."""
    async with changing(request) as it:
        row, changed = await _update_of(it, incident_id, update_id)
        settings = it.command.checked(read(it.document, SAID, partial=True))
        await publishing.correct(it.command, it.page, row, changed, settings)
        return answer(documents.update(changed.state))


@routes.delete(_UPDATES + "/{update_id}", status_code=204, response_class=Response)
async def delete_update(request: Request, incident_id: str, update_id: str) -> Response:
    """Deletes an update; without the newest one the incident is as it was before (C21)."""
    async with changing(request) as it:
        row, gone = await _update_of(it, incident_id, update_id)
        await publishing.take_back(it.command, it.page, row, gone)
        return Response(status_code=204)


async def _update_of(it: Change, incident: str, update: str) -> tuple[Row[Incident], Row[IncidentUpdate]]:
    """An incident and one of its updates that says something; the dialect has no others."""
    row = await it.command.incidents.of(it.page.id, identified(incident))
    found = await it.command.updates.of_incident(row.state.id, identified(update))
    if found.state.silent:
        raise NotFound("Update not found")
    return row, found
