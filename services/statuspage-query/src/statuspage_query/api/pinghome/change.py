"""Changes of an organisation's pages, and of what these tell of, as they happen: contract K, our extension."""

from fastapi import Request, Response

from pinghome_common.dialects import pinghome_changes
from pinghome_common.dialects.pinghome import Authorized, Router

routes = Router(tags=["Status pages"])


@routes.get("/v1/changes", response_class=Response, responses=pinghome_changes.FEED)
async def changes(request: Request, caller: Authorized) -> Response:
    """Changes of pages, incidents, their updates, maintenance and templates as server-sent events (our extension).

    As `GET resource-query /v1/changes`, with positions of its own.
    """
    state = request.app.state
    return await pinghome_changes.follow(request, caller, state.feed, state.event_streams)
