"""How a page is as a whole: contract C1 and C2, pingpong.txt lines 6 to 43 and 945 to 957, both documented."""

from dataclasses import replace

from fastapi import Request, Response

from pinghome_common.dialects import pingpong_documents as documents
from pinghome_common.dialects.pingpong import Router, answer
from pinghome_common.dialects.pingpong_documents import overall, shows
from pinghome_common.events.incident import Incident, IncidentUpdate, MaintenanceStatus
from statuspage_query.api.pingpong.reading import OfPage, Reading
from statuspage_query.public import reports
from statuspage_query.public.addresses import header
from statuspage_query.public.view import Heard

routes = Router()


@routes.get("/status", responses=shows(documents.STATUS))
async def status(it: Reading) -> Response:
    """The status of the page, by the components that it shows (C1)."""
    statuses = await it.read.statuses(it.page)
    return answer(overall(statuses[each.id] for each in it.page.components if each.showcased))


@routes.get("/live", responses=shows(documents.LIVE))
async def live(request: Request, it: Reading) -> Response:
    """What goes on now, as the public sees it: open incidents, and maintenance in progress (C2)."""
    project, page, heard = await it.project(), it.page, Heard(it.page)
    incidents = await it.read.incidents(page.id, open_only=True)
    updates = await it.read.updates([each.id for each in incidents])
    maintenances = await it.read.maintenances(page.id, open_only=True)
    body = {
        "project": project.name,
        "url": _url(request, it),
        "incidents": [
            project.incident(*_public(each, updates[each.id], it), public=True)
            for each in incidents
            if heard.incident(each, updates[each.id])
        ],
        "maintenance": [
            project.maintenance(each, public=True)
            for each in maintenances
            if each.status is MaintenanceStatus.in_progress and heard.maintenance(each)
        ],
    }
    return answer(body)


def _public(incident: Incident, updates: list[IncidentUpdate], it: OfPage) -> tuple[Incident, list[IncidentUpdate]]:
    """An incident and its updates; the clock's words without what is hidden."""
    names = {each.id: each.name for each in it.page.components if each.showcased}
    report = reports.incident(incident, updates, names)
    *told, opening = report.updates
    messages = {each.id: each.message for each in told}
    message = opening.message if "message" in incident.composed else incident.message
    return replace(incident, title=report.title, message=message), [
        replace(each, message=messages[each.id]) if "message" in each.composed else each for each in updates
    ]


def _url(request: Request, it: OfPage) -> str:
    state, scope = request.app.state, request.scope
    verified = it.page.domain in state.publisher.by_domain
    found: str = state.addresses.url(it.page, scope, header(scope, b"host"), verified=verified)
    return found
