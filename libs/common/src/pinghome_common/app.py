"""Builds every service: lifespan, supervised workers, health, metrics, error rendering."""

import asyncio
import math
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from uuid import uuid4

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pinghome_common import docs
from pinghome_common.db import Database, is_connection_error
from pinghome_common.dialects import healthchecks, pinghome, pingpong, pingpong_paths, problems
from pinghome_common.dialects.pinghome_command import Replayed, render_replayed
from pinghome_common.directory import Directory
from pinghome_common.errors import DomainError, Unavailable
from pinghome_common.health import CURRENT, Health
from pinghome_common.logs import bound_contextvars, error_text, log
from pinghome_common.service import Service
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from pinghome_common.wrong_tokens import WrongTokens

RESTARTS = Counter("pinghome_worker_restarts_total", "restarts of failed workers", ["worker"])
SECONDS = Histogram("pinghome_request_seconds", "seconds to answer a request", ["service", "method", "status"])
READY = Gauge("pinghome_ready", "1 while every part of the service is ready", ["service"])
FREE = Gauge("pinghome_data_free_ratio", "the part of the data folder's disk that is free, 0 to 1", ["service"])

START_PATIENCE = 3.0
"""Seconds for which a service does not listen yet, at most, until it is ready: a proxy sends it requests at once."""

Worker = Callable[[], Awaitable[None]]
ReadinessCheck = Callable[[], Awaitable[str | None]]


@dataclass
class ServiceParts:
    """The parts of a running service: filled by its `start`, closed in reverse order.

    A readiness check returns None, or a sentence that says why the service is not ready.
    """

    stack: AsyncExitStack
    workers: dict[str, Worker] = field(default_factory=dict)
    checks: dict[str, ReadinessCheck] = field(default_factory=dict)


async def supervise(name: str, worker: Worker, health: Health | None = None) -> None:
    """Runs a worker forever; restarts it after a failure with a backoff of up to five seconds."""
    health = health or Health()
    CURRENT.set(health)
    pause = 0.1
    while True:
        started = time.monotonic()
        health.round_begins()
        try:
            await worker()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            if isinstance(error, Unavailable) or is_connection_error(error):  # it continues when they are back
                log.debug("worker_waiting", worker=name, error=error_text(error))
                pause = 0.1
            else:
                RESTARTS.labels(name).inc()
                health.failed(error_text(error))
                log.exception("worker_failed", worker=name)
        health.rests()
        if (task := asyncio.current_task()) and task.cancelling():
            return  # it failed while being cancelled, which must not keep the process alive
        pause = 0.1 if time.monotonic() - started > 10 else min(pause * 2, 5.0)
        await asyncio.sleep(pause)


def build(
    name: str,
    settings: Settings,
    start: Callable[[FastAPI, ServiceParts], Awaitable[None]],
    routers: Sequence[APIRouter],
    description: str,
) -> Service:
    """One service as an ASGI application.

    Args:
        name: of the service, the first label of its host name.
        settings: of the process.
        start: creates the parts, stores them on `app.state`, registers workers and readiness checks.
        routers: its routes by noun.
        description: of the service, for its OpenAPI page.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            parts = ServiceParts(stack)
            await start(app, parts)
            healths = {key: Health() for key in parts.workers}
            app.state.checks = parts.checks | {f"worker {key}": _healthy(health) for key, health in healths.items()}
            tasks = [
                asyncio.create_task(supervise(f"{name} {key}", work, healths[key]))
                for key, work in parts.workers.items()
            ]
            stack.push_async_callback(_cancel, tasks)
            await _until_ready(parts.checks.values())
            yield

    app = Service(
        title=f"Pinghome {name}",
        version="1",
        description=description,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # else FastAPI looks for them on each request
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        servers=[{"url": f"/{name}", "description": "on the platform's port"}],
    )
    app.openapi = partial(docs.document, app, problems.SCHEMAS)  # type: ignore[method-assign]  # as FastAPI documents it
    app.state.name, app.state.settings, app.state.routers = name, settings, routers
    app.state.wrong_tokens = WrongTokens(settings.wrong_tokens_per_minute)
    app.state.checks = {"starting": _starting}
    FREE.labels(name).set_function(partial(_free, settings.data))
    app.add_middleware(MetricsMiddleware, service=name)
    if any(
        pingpong_paths.is_ours(route.path) for router in routers for route in router.routes if isinstance(route, Route)
    ):
        app.add_middleware(pingpong_paths.PingPong)
    for error in (DomainError, RequestValidationError, HTTPException):
        app.add_exception_handler(error, render)
    app.add_exception_handler(Replayed, render_replayed)
    for router in (docs.routes, _health, *routers):
        app.router.routes.extend(router.routes)  # `include_router` would match each request twice
    return app


async def render(request: Request, error: Exception) -> Response:  # Starlette would take a thread for a plain one
    """Renders an error in the dialect that the path belongs to; pages may have any path."""
    pages, path = request.app.state.name.startswith("statuspage"), request.scope["path"]
    if pingpong_paths.is_ours(path):
        return pingpong.render(request, error)
    if not pages and path.startswith(("/api/", "/badge/")):
        return healthchecks.render(request, error)
    return pinghome.render(request, error)


class MetricsMiddleware:
    """ASGI middleware: measures the time to answer, answers 500 to unexpected errors, and assigns request ids.

    The id is in the request's log lines and in the header `X-Request-Id` of the answer.
    """

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), "none"
        request_id = uuid4().hex
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        with bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, answer)
            except ClientDisconnect:
                raise  # not our error
            except Exception as error:
                log.exception("request_failed")
                if status != "none":
                    raise
                rendered = await render(Request(scope), error)
                await rendered(scope, receive, answer)
            finally:
                if "streaming" not in scope:  # which says how long somebody looks
                    SECONDS.labels(self._service, scope["method"], status).observe(time.perf_counter() - started)


def readiness_checks(
    broker: Broker, directory: Directory | None = None, db: Database | None = None
) -> dict[str, ReadinessCheck]:
    """The readiness checks of a service's broker, directory and database."""

    async def nats() -> str | None:
        return None if broker.connected else "NATS is not reachable"

    async def keys() -> str | None:
        if directory is None or (directory.ready and not broker.connected):
            return None
        try:
            await directory.caught_up()
        except Unavailable:
            return "the newest keys are not known yet"
        return None if directory.ready else "the keys are not known yet"

    async def database() -> str | None:
        return None if db is None or await db.ready() else "PostgreSQL is not reachable"

    return {"broker": nats, "directory": keys, "database": database}


def _healthy(health: Health) -> ReadinessCheck:
    async def check() -> str | None:
        return health.problem()

    return check


async def _until_ready(checks: Iterable[ReadinessCheck]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(START_PATIENCE):
            for check in checks:
                while await _problem(check):
                    await asyncio.sleep(0.05)


async def _problem(check: ReadinessCheck) -> str | None:
    """What a readiness check says; one that fails says that, and must not stop a start."""
    try:
        return await check()
    except Exception as error:  # noqa: BLE001
        return error_text(error)


async def _starting() -> str | None:
    return "the service is starting"


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    pending = set(tasks)
    while pending:  # one may lose its cancellation in a time limit that ends at the same moment
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1.0)


_health = APIRouter(include_in_schema=False)


@_health.get("/healthz")
async def healthz() -> PlainTextResponse:
    """200 as long as the process responds."""
    return PlainTextResponse("ok")


@_health.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """200 if every part is ready, else 503 with the problems."""
    problems = await _problems(request.app)
    return JSONResponse({"ready": not problems, "problems": problems}, 503 if problems else 200)


@_health.get("/metrics")
async def metrics(request: Request) -> Response:
    """Prometheus' text format."""
    await _problems(request.app)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _problems(app: FastAPI) -> dict[str, str]:
    """Why each part that is not ready is not; it is measured, too."""
    found = {part: problem for part, check in app.state.checks.items() if (problem := await _problem(check))}
    READY.labels(app.state.name).set(not found)
    return found


def _free(folder: Path) -> float:
    try:
        disk = shutil.disk_usage(folder)
    except OSError:  # it does not exist yet
        return math.nan
    return disk.free / disk.total
