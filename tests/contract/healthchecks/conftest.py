"""Projects of Healthchecks' dialect: services with keys, of two organisations."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from contract.client import Client
from contract.target import eventually
from pinghome_common.events.key import Kind, Scope
from pinghome_common.secret import new_key
from resource_cmd.accounts.key import issue, of_all
from resource_cmd.accounts.organisation import resolve
from running import Platform


@dataclass
class Project:
    """A service and its keys; `project("POST", "checks/", json={…})` asks `/api/v1/checks/`."""

    http: httpx.AsyncClient
    service: str
    key: str
    reading: str
    pinging: str
    version: int = 1

    async def __call__(self, method: str, path: str, key: str | None = None, **more: Any) -> httpx.Response:
        """The answer, by the read-write key unless another is given; an empty one sends no header."""
        sent = {"X-Api-Key": self.key if key is None else key} if key != "" else {}
        headers = sent | more.pop("headers", {})
        return await self.http.request(method, f"/api/v{self.version}/{path}", headers=headers, **more)

    async def create(self, **fields: Any) -> dict[str, Any]:
        """A new check."""
        answer = await self("POST", "checks/", json=fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def get(self, path: str, key: str | None = None, **query: Any) -> Any:
        """The body of a GET that must succeed."""
        answer = await self("GET", path, key, params=query or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ping(self, check: dict[str, Any], *kinds: str) -> None:
        """Pings a check by PingHome's check-in, which every heartbeat has; kinds are PingHome's."""
        for kind in kinds:
            url = f"/data-gateway/v1/heartbeat/{check['uuid']}"
            assert (await self.http.get(url, params={"result": kind})).status_code == 200


async def made(platform: Platform, http: httpx.AsyncClient, client: Client, organisation: str) -> Project:
    """A new service of an organisation, with a key of each kind that every service knows."""
    service = (await client.service())["id"]
    project = Project(http, service, new_key(32), new_key(32), new_key(22))
    wanted = [(Kind.checks, Scope.write, project.key), (Kind.checks, Scope.read, project.reading),
              (Kind.ping, Scope.write, project.pinging)]  # fmt: skip
    async with platform.sql("resource_cmd") as tx, tx.transaction():
        owner = await resolve(tx, organisation)
        for kind, scope, key in wanted:
            await issue(of_all(tx), owner, kind, scope, key, "test", UUID(service))

    async def known() -> list[int]:
        asked = [("GET", "checks/", project.reading), ("POST", "checks/", project.key)]
        asked += [("GET", f"checks/{service}/flips/", key) for key in (project.reading, project.key)]
        return [(await project(method, path, key, content="0")).status_code for method, path, key in asked]

    await eventually(known, lambda seen: 401 not in seen)
    return project


@pytest.fixture(scope="session")
async def project(platform: Platform, http: httpx.AsyncClient, client: Client) -> Project:
    """A project of the first organisation."""
    return await made(platform, http, client, "First organisation")


@pytest.fixture
async def empty(platform: Platform, http: httpx.AsyncClient, client: Client) -> Project:
    """A project of this test alone."""
    return await made(platform, http, client, "First organisation")


@pytest.fixture(scope="session")
async def neighbour(platform: Platform, http: httpx.AsyncClient, client: Client) -> Project:
    """Another project of the first organisation."""
    return await made(platform, http, client, "First organisation")


@pytest.fixture(scope="session")
async def other(platform: Platform, http: httpx.AsyncClient, foreign: Client) -> Project:
    """A project of the stranger."""
    return await made(platform, http, foreign, "Stranger")


@pytest.fixture
def name() -> str:
    """A name that nothing else has."""
    return f"check {uuid4()}"
