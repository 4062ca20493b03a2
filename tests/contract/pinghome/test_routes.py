"""What is routed is guarded, takes its own verbs, and says in JSON what it is not (reliability.md S7)."""

from collections.abc import Iterator
from importlib import import_module
from uuid import uuid4

import httpx
import pytest

from contract.answers import refused
from contract.client import Client
from contract.pinghome.operations import ROUTED, filled
from pinghome.services import SERVICES
from pinghome_common.settings import Settings

OTHERS = ("/api/", "/badge/", "/confirm/", "/ping/", "/rest/", "/widget/")
"""Paths of other dialects."""
SIDE = {"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"}
UUID = "6766163a-568d-47b4-a1fa-91a0957e06d4"
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


async def test_nothing_but_health_and_documents_is_open_beside_the_check_in(http: httpx.AsyncClient):
    seen = set()
    for service, path, methods in all_routes():
        of_the_public = service == "statuspage-cmd" and "/statuspage/" not in path
        of_the_public = of_the_public and ("/subscri" in path or path.endswith("/unlock"))
        of_agents = path.rstrip("/").endswith("/metrics") and path != "/metrics"
        open_ = path in SIDE or path.startswith("/swagger/") or (service == "data-gateway" and not of_agents)
        open_ = open_ or of_the_public
        for method in methods:
            seen.add(f"{method} {service}{path.rstrip('/')}")
            answer = await http.request(
                method,
                f"/{service}{filled(path, id=str(uuid4()))}",
            )
            assert (answer.status_code == 401) is not open_, f"{method} {service}{path}"
    assert {str(each) for each in ROUTED} <= seen


def all_routes() -> Iterator[tuple[str, str, set[str]]]:
    """Every route of every service, those outside the OpenAPI document too."""
    for service, factory in SERVICES.items():
        module, name = factory.split(":")
        routes = list(getattr(import_module(module), name)(Settings(region="eu-central-1")).routes)
        while routes:
            route = routes.pop()
            if router := getattr(route, "original_router", None):
                routes += router.routes
            elif not route.path.startswith(OTHERS):
                yield service if service != "prober" else "prober-eu-central-1", route.path, route.methods


@pytest.mark.parametrize("path", sorted({f"{each.service}{each.path}" for each in ROUTED if not each.public}))
async def test_wrong_verb_is_405_and_says_so(client: Client, path: str):
    routed = {each.method for each in ROUTED if each.url == path}
    # `/v1/resource/test` has the form of `/v1/resource/{id}`, whose verbs find that `test` is no id.
    others = {each.method for each in ROUTED if path != each.url == f"{path.rpartition('/')[0]}/{{id}}"}
    for method in set(VERBS) - routed - others:
        for slash in ("", "/"):
            answer = await client(method, filled(path, id=UUID) + slash)
            assert method in refused(answer, 405)
            assert routed <= set(answer.headers["allow"].split(", ")) <= routed | others | {"HEAD"}


@pytest.mark.parametrize("method", VERBS)
async def test_unknown_route_is_404_and_says_so(client: Client, method: str):
    paths = ["", "/v1", "/v2/resource", "/v1/resources", "/v1/resource/{}/", "/v1/resource/{}/nothing", "/v1//resource"]
    paths += ["/V1/resource", "/v1/heartbeat/{}/events/1", "/v1/service/{}", "/resource", "/v1/key", "/admin", "/.env"]
    for service in ("resource-cmd", "resource-query", "statistic-query", "statuspage-query", "data-gateway", "nothing"):
        for path in paths:
            url = f"{service}{path}".format(UUID)
            if all(filled(each.url, id=UUID) != url.rstrip("/") for each in ROUTED):
                assert refused(await client(method, url), 404) == "Not found", url
