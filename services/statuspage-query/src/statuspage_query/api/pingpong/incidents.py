"""Records of incidents, their updates, and maintenance: contract C12 to C22, pingpong.txt lines 199 to 601.

Their paths are inferred.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import Response

from pinghome_common.dialects import pingpong_documents as documents
from pinghome_common.dialects.pingpong import Router, answer, identified
from pinghome_common.dialects.pingpong_documents import shows
from pinghome_common.errors import NotFound
from pinghome_common.events.incident import Incident, IncidentUpdate, Maintenance
from statuspage_query.api.pingpong.reading import OfPage, Reading

routes = Router()

_UPDATES = "/incidents/{incident_id}/updates"


@routes.get("/incidents/ongoing", responses=shows([documents.INCIDENT]))
async def ongoing(it: Reading) -> Response:
    """The page's incidents that are not resolved, the latest first (C12)."""
    return answer(await _shown(it, await it.read.incidents(it.page.id, open_only=True)))


@routes.get("/incidents", responses=shows([documents.INCIDENT]))
async def collection(it: Reading) -> Response:
    """The page's incidents, the latest first (C13)."""
    return answer(await _shown(it, await it.read.incidents(it.page.id)))


@routes.get("/incidents/{id}", responses=shows(documents.INCIDENT))
async def one(id: str, it: Reading) -> Response:  # noqa: A002  # the document's word
    """An incident with its updates, oldest first (C15)."""
    found, _ = await it.read.incident(it.page.id, identified(id))
    return answer((await _shown(it, [found]))[0])


@routes.get(_UPDATES, responses=shows([documents.UPDATE]))
async def updates(incident_id: str, it: Reading) -> Response:
    """The updates of an incident, oldest first (C17)."""
    return answer([documents.update(each) for each in await _said(it, incident_id)])


@routes.get(_UPDATES + "/{update_id}", responses=shows(documents.UPDATE))
async def update(incident_id: str, update_id: str, it: Reading) -> Response:
    """An update of an incident (C19)."""
    id_ = identified(update_id)
    found = next((each for each in await _said(it, incident_id) if each.id == id_), None)
    if found is None:
        raise NotFound("Update not found")
    return answer(documents.update(found))


@routes.get("/maintenance", responses=shows([documents.MAINTENANCE]))
async def maintenances(it: Reading) -> Response:
    """The page's maintenance, what is furthest ahead first (C22)."""
    project = await it.project()
    return answer([project.maintenance(each) for each in await it.read.maintenances(it.page.id)])


@routes.get("/maintenance/{id}", responses=shows(documents.MAINTENANCE))
async def maintenance(id: str, it: Reading) -> Response:  # noqa: A002
    """A maintenance; the rule by which one comes again is none (C24)."""
    found, _ = await it.read.maintenance(it.page.id, identified(id))
    if not isinstance(found, Maintenance):
        raise NotFound("Maintenance not found")
    return answer((await it.project()).maintenance(found))


async def _shown(it: OfPage, incidents: Sequence[Incident]) -> list[dict[str, Any]]:
    project, said = await it.project(), await it.read.updates([each.id for each in incidents])
    return [project.incident(each, said[each.id]) for each in incidents]


async def _said(it: OfPage, incident: str) -> list[IncidentUpdate]:
    """The updates of an incident that say something; the dialect has no others."""
    found, _ = await it.read.incident(it.page.id, identified(incident))
    return [each for each in (await it.read.updates([found.id]))[found.id] if not each.silent]
