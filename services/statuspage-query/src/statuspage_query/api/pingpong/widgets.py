"""What badges of shields.io ask for: contract C.0 and H; a page's key is in the URL, and no token is needed."""

from math import floor

from fastapi import Request, Response

from pinghome_common.clock import now
from pinghome_common.dialects.pingpong import Router, answer
from pinghome_common.dialects.pingpong_documents import overall, shows
from pinghome_common.dialects.pingpong_paths import WIDGETS
from pinghome_common.errors import NotFound
from statuspage_query.public.view import View

routes = Router(WIDGETS.rstrip("/"), tags=["Badges"])

_WORDS = {
    "All systems operational": "Operational",
    "Some systems have issues": "Major issues",
    "All systems down": "Critical state",
    "Under maintenance": "Maintenance mode",
}


@routes.get("/status/{key}", responses=shows({"status": "Operational"}))
async def status(request: Request, key: str) -> Response:
    """The status of a page."""
    found = overall(each.status for each in (await _view(request, key)).components)
    return answer({"status": _WORDS[found["status"]]})


@routes.get("/uptime/{key}", responses=shows({"uptime": 99.9812}))
async def uptime(request: Request, key: str) -> Response:
    """The average uptime of a page's components over 90 days, as far as somebody watched; 100 where nobody did."""
    known = [each.uptime for each in (await _view(request, key)).components if each.uptime is not None]
    return answer({"uptime": floor(sum(known) / len(known) * 1e4) / 1e4 if known else 100.0})


async def _view(request: Request, key: str) -> View:
    publisher = request.app.state.publisher
    await publisher.settled(publisher.by_shields_key.get(key))
    found = publisher.by_shields_key.get(key)
    if found is None or not found.material.page.enabled:
        raise NotFound("Not found")
    view: View = found.view(now())
    return view
