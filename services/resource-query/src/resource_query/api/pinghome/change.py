"""Changes of an organisation's records as they happen: contract K, our extension."""

from fastapi import Request, Response

from pinghome_common.dialects import pinghome_changes
from pinghome_common.dialects.pinghome import Authorized, Router

routes = Router(tags=["Overview"])


@routes.get("/v1/changes", response_class=Response, responses=pinghome_changes.FEED)
async def changes(request: Request, caller: Authorized) -> Response:
    """What is created, changed, deleted or changes its state, as server-sent events (our extension).

    `id` is the position in the event log, `data` has `noun`, `id`, `version`, `state` and `deleted`; what it was can be
    read by then. `Last-Event-ID` goes on after that position, without gap or double, for an hour or 10,000 changes of
    the platform, whichever ends first; else, and after the records were mended, `event: reset` says that everything has
    to be read again. The stream ends within five seconds after its token is revoked. A token may have ten at a time.
    """
    state = request.app.state
    return await pinghome_changes.follow(request, caller, state.feed, state.event_streams)
