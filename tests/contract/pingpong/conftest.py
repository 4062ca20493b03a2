"""Projects of PingPong's dialect: status pages with tokens, of two organisations."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from contract.client import Client
from contract.target import eventually
from pinghome_common.events.key import Kind, Scope
from pinghome_common.secret import new_key
from resource_cmd.accounts.key import issue, of_all
from resource_cmd.accounts.organisation import resolve
from running import Platform

AUTHOR = "Donald Duck"


@dataclass
class Project:
    """A page and its tokens; `project("POST", "components", json={…})` asks `/rest/v1/components`."""

    platform: Platform
    http: httpx.AsyncClient
    owner: Client
    page: dict[str, Any]
    token: str
    reading: str

    async def __call__(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        """The answer, by the read-write token unless another is given; an empty one sends no header."""
        sent = {"Authorization": f"Token {self.token if token is None else token}"} if token != "" else {}
        return await self.http.request(method, f"/rest/v1/{path}", headers=sent | more.pop("headers", {}), **more)

    async def create(self, noun: str, **fields: Any) -> dict[str, Any]:
        """A new one of a noun, such as `components`."""
        answer = await self("POST", noun, json=BODIES.get(noun.rpartition("/")[2], {}) | fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def change(self, path: str, **fields: Any) -> dict[str, Any]:
        """What a change answers."""
        answer = await self("PATCH", path, json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def get(self, path: str, token: str | None = None) -> Any:
        """The body of a GET that must succeed."""
        answer = await self("GET", path, token)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ours(self, path: str, service: str = "statuspage-query") -> Any:
        """What PingHome's API shows of the page."""
        return await self.owner.get(f"{service}/v1/statuspage/{self.page['id']}{path}")


BODIES: dict[str, dict[str, Any]] = {
    "components": {"name": "API"},
    "component-groups": {"name": "System"},
    "incidents": {"title": "Database replica connection failure"},
    "updates": {"status": "Investigating"},
    "maintenance": {
        "title": "Database migration planned",
        "scheduled_for": "2100-01-01T00:00:00Z",
        "ends_at": "2100-01-01T01:00:00Z",
    },
    "metrics": {"name": "API"},
    "custom-metrics": {"name": "Errors"},
}
"""What makes one of each noun."""


async def made(platform: Platform, http: httpx.AsyncClient, owner: Client, organisation: str) -> Project:
    """A new page of an organisation without components, with tokens that both services know."""
    page = await owner.page(name="ACME", components=[])
    project = Project(platform, http, owner, page, new_key(40), new_key(40))
    async with platform.sql("resource_cmd") as tx, tx.transaction():
        of = await resolve(tx, organisation)
        for scope, token in ((Scope.write, project.token), (Scope.read, project.reading)):
            await issue(of_all(tx), of, Kind.status, scope, token, AUTHOR, None, UUID(page["id"]))

    async def known() -> list[int]:
        asked = [(method, token) for method in ("GET", "DELETE") for token in (project.token, project.reading)]
        answers = [await project(method, "status", token) for method, token in asked]
        answers += [
            await project("POST", "custom-metrics/data", each, json={}) for each in (project.token, project.reading)
        ]
        return [each.status_code for each in answers]

    await eventually(known, lambda seen: not {401, 429} & set(seen))
    return project


@pytest.fixture(scope="session")
async def project(platform: Platform, http: httpx.AsyncClient, quiet: Client) -> Project:
    """A page of an organisation without channels."""
    return await made(platform, http, quiet, "Quiet")


@pytest.fixture
async def empty(platform: Platform, http: httpx.AsyncClient, quiet: Client) -> Project:
    """A page of this test alone."""
    return await made(platform, http, quiet, "Quiet")


@pytest.fixture(scope="session")
async def neighbour(platform: Platform, http: httpx.AsyncClient, quiet: Client) -> Project:
    """Another page of the same organisation."""
    return await made(platform, http, quiet, "Quiet")


@pytest.fixture(scope="session")
async def other(platform: Platform, http: httpx.AsyncClient, foreign: Client) -> Project:
    """A page of the stranger."""
    return await made(platform, http, foreign, "Stranger")
