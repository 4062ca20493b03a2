"""Records of incidents, maintenance and templates: our extension (contract H)."""

from typing import Annotated

from fastapi import Query, Response

from pinghome_common.dialects import pinghome_incidents as documents
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_documents import listed, shows
from pinghome_common.dialects.pinghome_fields import Id, Paged, listing
from pinghome_common.events.incident import Maintenance
from statuspage_query.api.pinghome.reading import Reading

routes = Router(tags=["Incidents and maintenance"], bare=True)


@routes.get("/v1/statuspage/{id}/incidents", responses=listed(documents.INCIDENT))
async def incidents(id: Id, read: Reading, at: Paged) -> Response:  # noqa: A002
    """A page's incidents without their updates, the latest first (our extension)."""
    await read.page(id)
    rows = await read.incidents(id, limit=at.limit, offset=at.offset)
    return answer(listing([documents.incident(each) for each in rows], at, await read.count("incident", id)))


@routes.get("/v1/statuspage/{id}/incidents/{incident}", responses=shows(documents.WITH_UPDATES))
async def incident(id: Id, incident: Id, read: Reading) -> Response:  # noqa: A002
    """An incident with its updates, oldest first (our extension)."""
    await read.page(id)
    it, version = await read.incident(id, incident)
    updates = await read.updates([incident])
    return answer(documents.with_updates(it, updates[incident]), version=version)


@routes.get("/v1/statuspage/{id}/maintenances", responses=listed(documents.MAINTENANCE))
async def maintenances(
    id: Id,  # noqa: A002
    read: Reading,
    at: Paged,
    recurring: Annotated[bool, Query(description="the rules in place of what they make")] = False,  # noqa: FBT002
) -> Response:
    """A page's maintenance, what is furthest ahead first; or the rules by which it comes again (our extension)."""
    await read.page(id)
    if recurring:
        rules = await read.recurrences(id, limit=at.limit, offset=at.offset)
        return answer(listing([documents.recurrence(each) for each in rules], at, await read.count("recurrence", id)))
    rows = await read.maintenances(id, limit=at.limit, offset=at.offset)
    return answer(listing([documents.maintenance(each) for each in rows], at, await read.count("maintenance", id)))


@routes.get("/v1/statuspage/{id}/maintenances/{maintenance}", responses=shows(documents.MAINTENANCE))
async def maintenance(id: Id, maintenance: Id, read: Reading) -> Response:  # noqa: A002
    """A maintenance, or the rule by which one comes again (our extension)."""
    await read.page(id)
    it, version = await read.maintenance(id, maintenance)
    document = documents.maintenance(it) if isinstance(it, Maintenance) else documents.recurrence(it)
    return answer(document, version=version)


@routes.get("/v1/statuspage/{id}/templates", responses=listed(documents.TEMPLATE))
async def templates(id: Id, read: Reading, at: Paged) -> Response:  # noqa: A002
    """A page's templates, oldest first (our extension)."""
    await read.page(id)
    rows = await read.templates(id, limit=at.limit, offset=at.offset)
    return answer(listing([documents.template(each) for each in rows], at, await read.count("template", id)))


@routes.get("/v1/statuspage/{id}/templates/{template}", responses=shows(documents.TEMPLATE))
async def template(id: Id, template: Id, read: Reading) -> Response:  # noqa: A002
    """A template (our extension)."""
    await read.page(id)
    it, version = await read.template(id, template)
    return answer(documents.template(it), version=version)
