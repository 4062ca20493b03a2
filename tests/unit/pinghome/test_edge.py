"""The edge hands each request to the right service, over real HTTP, whatever the form of its host and path."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from addressed import CLOSED, NOT_FOUND, SAMPLES
from pinghome.edge import Edge
from running import free_port

NAMES = [
    "resource-cmd", "resource-query", "statistic-query", "statuspage-cmd", "statuspage-query", "data-gateway",
    "prober-eu-central-1",
]  # fmt: skip


class Answer(NamedTuple):
    status: int
    body: dict
    head: str


class Raw:
    """A hot path in front of FastAPI, which reads the scope itself as the data-gateway does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/ping/"):
            body = {"service": "data-gateway", "raw": scope["raw_path"].decode("latin-1"), "path": scope["path"]}
            await JSONResponse(body)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class Service:
    """A small real service that tells what reached it."""

    def __init__(self, name: str, story: list[str]) -> None:
        self.ready: str | None = None

        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            story.append(f"start {name}")
            try:
                yield
            finally:
                story.append(f"stop {name}")

        self.app = FastAPI(lifespan=lifespan)
        if name == "data-gateway":
            self.app.add_middleware(Raw)

        @self.app.get("/readyz")
        async def readyz() -> JSONResponse:
            if self.ready == "raise":
                raise ValueError("broken")
            if self.ready == "hang":
                await asyncio.sleep(60)
            return JSONResponse({"problems": {"database": self.ready}}, 503 if self.ready else 200)

        @self.app.get("/v1/link", name="link")
        async def link(request: Request) -> dict:
            return {"link": str(request.url_for("link")), "base": str(request.base_url)}

        @self.app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE", "PATCH"], include_in_schema=False)
        async def echo(request: Request, path: str) -> dict:
            scope = request.scope
            raw = scope["raw_path"].decode("latin-1")
            return {"service": name, "path": path, "root": scope["root_path"], "raw": raw, "query": request.url.query}


class Running:
    def __init__(self, *, public_metrics: bool = False, more: tuple[str, ...] = ()) -> None:
        self.story: list[str] = []
        self.services = {name: Service(name, self.story) for name in (*NAMES, *more)}
        self.edge = Edge({name: service.app for name, service in self.services.items()}, public_metrics=public_metrics)
        self.port = 0

    async def raw(self, request: bytes) -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        text = body.decode()
        return Answer(int(head.split()[1]), json.loads(text) if text[:1] == "{" else {"text": text}, head.decode())

    async def ask(self, target: str, host: str = "127.0.0.1:8000", method: str = "GET", accept: str = "*/*") -> Answer:
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
        return await self.raw(head.encode())


@asynccontextmanager
async def serving(*, public_metrics: bool = False, more: tuple[str, ...] = ()) -> AsyncIterator[Running]:
    running = Running(public_metrics=public_metrics, more=more)
    server = uvicorn.Server(uvicorn.Config(running.edge, port=free_port(), lifespan="on", ws="none", log_config=None))
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(60):
        while not server.started:  # uvicorn has no event for it
            await asyncio.sleep(0.01)
    running.port = server.servers[0].sockets[0].getsockname()[1]
    yield running
    server.should_exit = True
    await task


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[Running]:
    async with serving() as running:
        yield running


@pytest.mark.parametrize(
    "host",
    ["resource-cmd", "resource-cmd:8000", "RESOURCE-CMD.example.com", "Resource-Cmd.localhost:80", "resource-cmd.a.b."],
)
async def test_first_label_of_the_host_names_the_service(shared, host):
    status, body, _ = await shared.ask("/v1/resource?limit=1", host)
    assert status == 200
    assert body == {
        "service": "resource-cmd",
        "path": "v1/resource",
        "root": "",
        "raw": "/v1/resource",
        "query": "limit=1",
    }


@pytest.mark.parametrize("host", ["pinghome.test", "[::1]:8000", "resource-cmdx", "x.resource-cmd", "", "\xff:1:2"])
async def test_other_hosts_need_a_prefix(shared, host):
    assert (await shared.ask("/v1/resource", host)).body == {"message": "Not found"}
    assert (await shared.ask("/resource-cmd/v1/resource", host)).body["service"] == "resource-cmd"


async def test_a_request_without_host_is_answered(shared):
    assert (await shared.raw(b"GET /healthz HTTP/1.0\r\n\r\n")).status == 200


async def test_host_wins_over_prefix_and_dialect(shared):
    assert (await shared.ask("/api/v3/checks/", "data-gateway.x")).body["service"] == "data-gateway"
    body = (await shared.ask("/resource-cmd/x", "resource-query.x")).body
    assert (body["service"], body["path"]) == ("resource-query", "resource-cmd/x")


@pytest.mark.parametrize("name", NAMES[:4])
async def test_prefix_moves_from_path_to_root_path(shared, name):
    body = (await shared.ask(f"/{name}/v1/a%2Fb%20c?q=%2F")).body
    assert body == {"service": name, "path": "v1/a/b c", "root": f"/{name}", "raw": "/v1/a%2Fb%20c", "query": "q=%2F"}
    assert (await shared.ask(f"/{name}")).body["path"] == ""
    assert (await shared.ask(f"/{name}/")).body["raw"] == "/"


async def test_an_encoded_prefix_is_the_same_prefix(shared):
    body = (await shared.ask("/%72esource-cmd/v1/a%20b")).body
    assert (body["service"], body["path"], body["raw"]) == ("resource-cmd", "v1/a b", "/v1/a%20b")


async def test_a_raw_application_reads_the_same_path_in_every_form(shared):
    answers = [
        await shared.ask("/ping/abc/fail?x=1"),
        await shared.ask("/ping/abc/fail?x=1", "data-gateway.test"),
        await shared.ask("/data-gateway/ping/abc/fail?x=1"),
    ]
    assert [answer.body for answer in answers] == [
        {"service": "data-gateway", "raw": "/ping/abc/fail", "path": "/ping/abc/fail"}
    ] * 3


async def test_links_and_documentation_know_the_prefix(shared):
    link = (await shared.ask("/resource-cmd/v1/link", "pinghome.test:8000")).body
    assert link == {
        "link": "http://pinghome.test:8000/resource-cmd/v1/link",
        "base": "http://pinghome.test:8000/resource-cmd/",
    }
    document = (await shared.ask("/resource-cmd/openapi.json")).body
    assert document["servers"] == [{"url": "/resource-cmd"}]
    assert "/v1/link" in document["paths"]
    assert "servers" not in (await shared.ask("/openapi.json", "resource-cmd.test")).body


@pytest.mark.parametrize(("methods", "target", "service"), SAMPLES)
async def test_dialects_are_told_by_path_and_method(shared, methods, target, service):
    for method in methods.split():
        answer = await shared.ask(target, method=method)
        if method == "OPTIONS":  # the little services do not allow it; the edge found one of them nevertheless
            assert (answer.status, answer.body) == (405, {"detail": "Method Not Allowed"})
        else:
            assert (answer.body["service"], answer.body.get("root", "")) == (service, "")


@pytest.mark.parametrize(
    "target",
    [
        "/api/v4/checks/",
        "/api",
        "/api/v1",
        "/pingx/1",
        "/ping",
        "/x",
        "//resource-cmd/x",
        "/%00",
        "/%ff/%fe",
        "/..",
        "/?",
    ],
)
async def test_a_wrong_path_is_never_an_error_of_ours(shared, target):
    for method in ("GET", "POST", "DELETE", "BREW", "OPTIONS") if target != "/?" else ("POST", "BREW"):
        answer = await shared.ask(target, method=method)
        assert (answer.status, answer.body) in [(404, {"message": "Not found"}), (400, answer.body)], method


async def test_own_addresses(shared):
    assert (await shared.ask("/healthz")).body == {"text": "ok"}
    services = (await shared.ask("/")).body["services"]
    assert services == {name: {"docs": f"/{name}/docs"} for name in NAMES if not name.startswith("prober")}
    assert (await shared.ask("/healthz", method="POST")).status == 404
    assert (await shared.ask("/healthz", method="HEAD")).status == 200


async def test_browsers_are_sent_to_the_console_where_there_is_one():
    html = "text/html, */*"
    async with serving(more=("console",)) as with_it:
        sent = await with_it.ask("/", accept=html)
        assert sent.status == 302
        assert "location: /console/" in sent.head.lower()
        listed = await with_it.ask("/")
        assert "console" not in listed.body["services"]
        assert "vary: accept" in listed.head.lower()
        assert (await with_it.ask("/console/x")).status == 200
    async with serving() as without:
        assert (await without.ask("/", accept=html)).body["services"]


HIDDEN = [
    ("/metrics", ""),
    ("/resource-cmd/metrics", ""),
    ("/resource-cmd/%6detrics", ""),
    ("/metrics", "resource-cmd.test"),
    *((f"/resource-cmd{path}", "") for path in CLOSED),
    *((path, "statuspage-query.test") for path in CLOSED),
    ("/prober-eu-central-1/docs", ""),
    ("/healthz", "prober-eu-central-1.test"),
    ("/prober-eu-central-1", ""),
]


@pytest.mark.parametrize(("target", "host"), HIDDEN)
async def test_metrics_and_probers_are_not_for_everybody(shared, target, host):
    answer = await shared.ask(target, host)
    assert (answer.status, answer.body) == (404, NOT_FOUND)


async def test_metrics_and_probers_are_shown_where_the_operator_wants_it():
    async with serving(public_metrics=True) as public:
        metrics = await public.ask("/metrics")
        assert "python_info" in metrics.body["text"]
        assert "text/plain" in metrics.head
        assert "prober-eu-central-1" in (await public.ask("/")).body["services"]
        for target, host in HIDDEN[1:]:
            assert (await public.ask(target, host)).status == (404 if "/internal/" in target else 200)


async def test_ready_only_when_every_service_is_and_says_which_is_not(monkeypatch):
    monkeypatch.setattr("pinghome.edge.READINESS_TIMEOUT", 0.2)
    async with serving(public_metrics=True) as running:
        assert (await running.ask("/readyz"))[:2] == (200, {"ready": True, "problems": {}})
        running.services["resource-query"].ready = "not reachable"
        running.services["data-gateway"].ready = "raise"
        running.services["statistic-query"].ready = "hang"
        status, body, _ = await running.ask("/readyz")
        assert status == 503
        assert body == {
            "ready": False,
            "problems": {
                "resource-query": {"database": "not reachable"},
                "data-gateway": "ValueError('broken')",
                "statistic-query": "no answer in 0.2 s",
            },
        }


async def test_what_is_not_ready_is_not_for_everybody():
    async with serving() as running:
        assert (await running.ask("/readyz"))[:2] == (200, {"ready": True})
        running.services["resource-query"].ready = "not reachable"
        assert (await running.ask("/readyz"))[:2] == (503, {"ready": False})


async def test_every_lifespan_is_entered_before_the_first_request_and_left_at_the_end():
    async with serving() as running:
        assert sorted(running.story) == sorted(f"start {name}" for name in NAMES)
    assert sorted(running.story[len(NAMES) :]) == sorted(f"stop {name}" for name in NAMES)


async def test_a_service_that_does_not_start_stops_those_before_it():
    story: list[str] = []

    @asynccontextmanager
    async def broken(_: FastAPI) -> AsyncIterator[None]:
        raise RuntimeError("no database")
        yield

    edge = Edge({"resource-cmd": Service("resource-cmd", story).app, "prober": FastAPI(lifespan=broken)})
    server = uvicorn.Server(uvicorn.Config(edge, port=free_port(), lifespan="on", log_config=None))
    with pytest.raises(SystemExit):
        await server.serve()
    assert story == ["start resource-cmd", "stop resource-cmd"]
