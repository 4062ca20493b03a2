"""console: pages for operators, on nothing but the public API."""

import time

import httpx
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from console import errors
from console.api import Api, Away, Refused, SignedOut
from console.front import Front
from console.guard import CrossSite, Tries
from console.live import Live
from console.pages import ROUTES
from console.session import Seal
from console.viewer import Callers
from pinghome_common import app, docs
from pinghome_common.limits import PICTURES
from pinghome_common.logs import log
from pinghome_common.serve import run
from pinghome_common.settings import Settings
from pinghome_common.trust import trusted

NAME = "console"
CONNECTIONS = httpx.Limits(max_connections=600, max_keepalive_connections=32)
"""Each stream of changes holds one."""


async def _start(application: FastAPI, parts: app.ServiceParts) -> None:
    state = application.state
    state.http = await parts.stack.enter_async_context(
        httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(verify=trusted(), limits=CONNECTIONS, uds=state.socket, trust_env=False),
            timeout=15,
        )
    )
    state.live = Live(lambda token, viewer: Api(state.http, state.address, token, viewer))
    parts.stack.push_async_callback(state.live.close)


class _Unexpected:
    """ASGI middleware: a page says that something went wrong, where there is no other."""

    def __init__(self, inner: ASGIApp) -> None:
        self._app = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception:
            log.exception("page_failed", path=scope.get("path", ""))
            answer: Response = await errors.unexpected(Request(scope))
            await answer(scope, receive, send)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The console as an ASGI application; settings default to the environment."""
    settings = settings or Settings()
    application = app.build(NAME, settings, _start, ROUTES, "Pages for operators.")
    for route in docs.routes.routes:  # it has no API of its own
        application.router.routes.remove(route)
    state = application.state
    state.address = settings.console_api or f"http://127.0.0.1:{settings.port}/{{service}}"
    state.socket = None  # whoever runs it may give it a way of its own to the services
    state.seal, state.callers, state.tries = Seal(settings.console_secret), Callers(time.monotonic), Tries()
    for kind, answer in (
        (SignedOut, errors.signed_out),
        (Away, errors.away),
        (Refused, errors.refused),
        (CrossSite, errors.cross_site),
        (HTTPException, errors.http),
    ):
        application.add_exception_handler(kind, answer)
    application.user_middleware.append(Middleware(_Unexpected))  # inside of that which answers JSON
    application.front = Front(application.front)
    return application


def main() -> None:
    """Serves until SIGTERM."""
    run(create_app, PICTURES)
