"""Each request finds the route that it would find among all."""

import re
from importlib import import_module

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Match, Route

from pinghome.services import SERVICES
from pinghome_common.routing import Places
from pinghome_common.settings import Settings

BUILT = [service for service in SERVICES if service != "prober"]


@pytest.fixture(scope="module", params=BUILT)
def app(request, tmp_path_factory) -> FastAPI:
    settings = Settings(data=tmp_path_factory.mktemp("routing"), secret_key="x" * 32, _env_file=None)
    module = SERVICES[request.param].partition(":")[0]
    return import_module(module).create_app(settings)


def chosen(router: APIRouter, method: str, path: str) -> tuple[BaseRoute | None, Match]:
    """The route that a router takes, and how it matches."""
    scope = {"type": "http", "method": method, "path": path, "headers": []}
    found = [(route, route.matches(scope)[0]) for route in router.routes]
    for wanted in (Match.FULL, Match.PARTIAL):
        for route, match in found:
            if match == wanted:
                return route, match
    return None, Match.NONE


def test_every_route_is_found_where_its_paths_lead(app: FastAPI):
    places = Places(app.router)
    routes = [route for route in app.router.routes if isinstance(route, Route)]
    assert len(routes) > 5
    for route in routes:
        for text in ("x", "a.b"):
            path = re.sub(r"\{\w+(:\w+)?\}", text, route.path)
            later = path.replace("/api/v1/", "/api/v3/")
            for at in (path, later, path + "/", path + "/more", path.removesuffix("/")):
                for method in ("GET", "POST", "DELETE"):
                    assert chosen(places.near(at), method, at) == chosen(app.router, method, at), (method, at)
    assert chosen(places.near("/nowhere"), "GET", "/nowhere") == (None, Match.NONE)


def test_what_may_be_anywhere_comes_where_it_was_put():
    async def answer() -> str:
        return "asked for"

    router = APIRouter()
    for path in ("/a/b", "/{rest:path}", "/a/c", "/{x}/b/c", "/a/{x}/d"):
        router.add_api_route(path, answer)
    mounted = FastAPI()
    mounted.mount("/files", FastAPI())
    router.routes += mounted.routes[-1:]
    places = Places(router)
    for at in ("/a/b", "/a/c", "/a/b/c", "/a/x/d", "/files/one/two", "/files", "/", ""):
        assert chosen(places.near(at), "GET", at) == chosen(router, "GET", at), at
