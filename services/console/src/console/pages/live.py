"""What open pages listen to."""

from fastapi import APIRouter
from fastapi.responses import Response

from console.live import Changes
from console.viewer import Somebody

routes = APIRouter(include_in_schema=False)


@routes.get("/events")
async def events(v: Somebody) -> Response:
    """The nouns of which something has changed, as they do; 204 where there is no room: the page polls."""
    live, client = v.request.app.state.live, v.request.scope.get("client")
    viewer = client[0] if client else ""
    if live.streams.full(viewer):
        return Response(status_code=204)
    return Changes(live, v.session.token, viewer)
