"""FastAPI with something in front of it."""

from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from pinghome_common.routing import Places


class Service(FastAPI):
    """A service; `front` is what is asked first.

    FastAPI's own layers around its middlewares cost a request more than what answers a ping, or a page that is there.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.front: ASGIApp = super().__call__
        self.router.middleware_stack = Places(self.router)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        await self.front(scope, receive, send)
