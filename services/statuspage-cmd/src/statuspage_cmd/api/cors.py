"""Lets the pages of any site subscribe: no route here knows a cookie, and those with a bearer token stay closed."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PATHS = ("/v1/subscription", "/subscription")


class PublicCors:
    """ASGI middleware: CORS for what needs no token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app, allow_origins=["*"], allow_methods=["POST", "PUT", "DELETE"], allow_headers=["Content-Type"]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        public = scope["type"] == "http" and scope["path"].startswith(PATHS)
        await (self._open if public else self._app)(scope, receive, send)
