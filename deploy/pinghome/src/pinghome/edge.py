"""The port of the all-in-one: routes requests to services by host name, path prefix or the table of addresses."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pinghome import console_part
from pinghome.addresses import INTERNAL, OPERATORS, PAGES, PLATFORM, READS, service_at

_NOT_FOUND = JSONResponse({"message": "Not found"}, 404)
READINESS_TIMEOUT = 5.0
"""Seconds for a service's readiness checks."""


class Edge:
    """An ASGI application in front of the services `apps`, by name; it runs their lifespans.

    Metrics, what is not ready, and probers, which serve nothing else, are shown only with `public_metrics`.

    A service always sees the path that it has under its own host: `/resource-cmd/v1/x` arrives as path `/v1/x` with
    root_path `/resource-cmd`. (ASGI would leave the prefix in `path`, and every raw ASGI application would have to
    remove it; Starlette's routes, `url_for`, `base_url` and FastAPI's documentation work with either.)
    """

    def __init__(self, apps: Mapping[str, FastAPI], *, public_metrics: bool = False) -> None:
        self.apps = apps
        self._public_metrics = public_metrics
        self.public = [
            name for name in apps if (public_metrics or not name.startswith("prober")) and name != console_part.NAME
        ]
        self._hidden = {id(app) for name, app in apps.items() if name not in (*self.public, console_part.NAME)}
        pages = apps.get("statuspage-query")
        self._is_page: Callable[[str], bool] = getattr(pages and pages.state, "is_page_host", lambda _: False)
        self._lifespan = Router(lifespan=self._run_lifespans)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the lifespan of all services."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
            return
        host = _host(scope)
        app: ASGIApp | None = None
        if self._is_page(host):
            app = self.apps.get(service_at(PAGES, scope["path"], scope["method"]) or "")
        app = app or self.apps.get(_first_label(host)) or self._by_prefix(scope) or self._by_path(scope)
        if app is not None and self._closed(app, scope["path"]):
            app = _NOT_FOUND
        await (app or await self._answer(scope))(scope, receive, send)

    def _closed(self, app: ASGIApp, path: str) -> bool:
        """Whether a service's path is not for the public."""
        if INTERNAL.fullmatch(path):
            return True
        return id(app) in self._hidden or (not self._public_metrics and OPERATORS.fullmatch(path) is not None)

    def _by_prefix(self, scope: Scope) -> ASGIApp | None:
        """The service named by the first path segment, which moves to root_path."""
        name, slash, rest = scope["path"][1:].partition("/")
        app = self.apps.get(name)
        if app:
            prefix, raw = f"/{name}", scope.get("raw_path") or b""
            scope["path"] = "/" + rest
            scope["root_path"] = scope.get("root_path", "") + prefix
            literal = slash and raw.startswith(f"{prefix}/".encode())
            scope["raw_path"] = raw[len(prefix) :] if literal else quote(scope["path"]).encode()
        return app

    def _by_path(self, scope: Scope) -> ASGIApp | None:
        return self.apps.get(service_at(PLATFORM, scope["path"], scope["method"]) or "")

    async def _answer(self, scope: Scope) -> Response:
        match scope["path"] if scope["method"] in READS else "":
            case "/healthz":
                return PlainTextResponse("ok")
            case "/readyz":
                problems = await self.problems()
                details = {"problems": problems} if self._public_metrics else {}
                return JSONResponse({"ready": not problems} | details, 503 if problems else 200)
            case "/metrics" if self._public_metrics:
                await self.problems()  # which is measured
                return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
            case "/":
                listed = JSONResponse({"services": {name: {"docs": f"/{name}/docs"} for name in self.public}})
                return console_part.home(scope, listed, console=console_part.NAME in self.apps)
            case _:
                return _NOT_FOUND

    async def problems(self) -> dict[str, object]:
        """The problems of services that are not ready, by service."""
        # In turn, resource-cmd first: the others must then have read what it has published.
        answers = {name: await _readiness(app) for name, app in self.apps.items()}
        return {name: answer for name, answer in answers.items() if answer is not None}

    @asynccontextmanager
    async def _run_lifespans(self, _: object) -> AsyncIterator[None]:
        """Run all services' lifespans concurrently, as Starlette runs none of a mounted application."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            started = [asyncio.Event() for _ in self.apps]
            for app, event in zip(self.apps.values(), started, strict=True):
                tasks.create_task(_run_lifespan(app, event, stop))
            for event in started:
                await event.wait()
            try:
                yield
            finally:
                stop.set()


async def _run_lifespan(app: FastAPI, started: asyncio.Event, stop: asyncio.Event) -> None:
    async with app.router.lifespan_context(app):
        started.set()
        await stop.wait()


def _host(scope: Scope) -> str:
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return str(host.decode("latin-1")).lower()


def _first_label(host: str) -> str:
    return host.partition(":")[0].partition(".")[0]


async def _readiness(app: ASGIApp) -> object:
    """None if the service's /readyz answers 200, else its problems."""
    status, body = 0, b""

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, body
        status = message.get("status", status)
        body += message.get("body", b"")

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/readyz",
        "raw_path": b"/readyz",
        "root_path": "",
        "query_string": b"",
        "headers": [],
        "client": None,
        "server": None,
        "state": {},
    }
    try:
        async with asyncio.timeout(READINESS_TIMEOUT):
            await app(scope, receive, send)
        return None if status == 200 else json.loads(body).get("problems", f"status {status}")
    except TimeoutError:
        return f"no answer in {READINESS_TIMEOUT:g} s"
    except Exception as error:  # noqa: BLE001  # a service that raises is not ready
        return repr(error)
