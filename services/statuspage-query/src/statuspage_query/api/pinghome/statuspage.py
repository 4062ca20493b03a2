"""Records of status pages: contract A40 to A45, pinghome-statuspages.txt lines 32 to 231."""

from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Path, Query, Request, Response

from pinghome_common.clock import now
from pinghome_common.dialects import pinghome_pages as documents
from pinghome_common.dialects.pinghome import Router, answer
from pinghome_common.dialects.pinghome_documents import shows
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.errors import DomainError
from pinghome_common.hosts import to_ascii
from statuspage_query.api.pinghome.reading import Reading
from statuspage_query.domains import target
from statuspage_query.statuses import days as by_day
from statuspage_query.statuses import span

routes = Router(tags=["Status pages"], bare=True)

WINDOWS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}


@routes.get("/v1/statuspages", responses=shows({"data": [documents.page(documents.EXAMPLE)]}))
async def collection(read: Reading) -> Response:
    """The organisation's status pages, oldest first (A40)."""
    return answer({"data": [documents.page(it) for it in await read.pages()]})


@routes.get("/v1/statuspage/{id}", responses=shows(documents.page(documents.EXAMPLE)))
async def one(id: Id, read: Reading) -> Response:  # noqa: A002  # the document's word
    """A status page (A41)."""
    it, version = await read.page(id)
    return answer(documents.page(it), version=version)


@routes.get("/v1/statuspage/{id}/components", responses=shows({"data": documents.components(documents.EXAMPLE, {})}))
async def components(id: Id, read: Reading) -> Response:  # noqa: A002
    """The components of a page in their order, with the status that each shows now (A42)."""
    it, _ = await read.page(id)
    return answer({"data": documents.components(it, await read.statuses(it))})


@routes.get("/v1/statuspage/{id}/unified", responses=shows(documents.unified(documents.EXAMPLE, {})))
async def unified(id: Id, read: Reading) -> Response:  # noqa: A002
    """A page with its theme, its components and groups (A44)."""
    it, version = await read.page(id)
    return answer(documents.unified(it, await read.statuses(it)), version=version)


@routes.get("/v1/component/{id}/statistics", responses=shows(documents.STATISTICS))
async def statistics(
    id: Id,  # noqa: A002
    read: Reading,
    days: Annotated[int, Query(ge=1, le=365, description="days back, with today, in the page's time zone")] = 90,
) -> Response:
    """What a component shows, since when, and its uptime by window and by day (A43).

    Time that nobody watched, and maintenance, are not counted; of a partial outage three tenths are.
    """
    page, it = await read.component(id)
    at = now()
    since = at - timedelta(days=max(days, *WINDOWS.values()) + 1)  # days begin at midnight
    changes = (await read.timelines(page, [it], since))[it.id]
    incidents = await read.incidents(page.id, open_only=True)
    affecting = [each for each in incidents if any(affected.component == it.id for affected in each.components)]
    spans = {name: span(changes, at - timedelta(days=count), at) for name, count in WINDOWS.items()}
    shown = by_day(changes, days, ZoneInfo(page.timezone), at)
    uptimes = {name: each.uptime for name, each in spans.items()}
    lines = [(date, each.uptime, each.downtime, each.status) for date, each in shown]
    return answer(documents.statistics(it, changes[-1].status, changes[-1].at, at, affecting, uptimes, lines))


@routes.get("/v1/domain/{domain}/cname", responses=shows(documents.CNAME))
async def cname(
    domain: Annotated[str, Path(max_length=253, examples=["status.pinghome.dev"])],
    read: Reading,
    request: Request,
) -> Response:
    """Where a page's own domain has to point, and whether it does (A45)."""
    try:
        name = to_ascii(domain).removesuffix(".")
    except ValueError as error:
        raise DomainError(f"The domain is not valid: {error}.") from None
    page = next((it for it in await read.pages() if it.domain == name), None)
    wanted = target(request.app.state.settings, page)
    configured = page is not None and await request.app.state.claims.configured(page)
    return answer({"domain": name, "cname": wanted, "configured": configured})
