"""How checks are pinged here, and what is shown of their pings."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from contract.client import Client
from contract.healthchecks.conftest import made
from running import Platform


@dataclass(frozen=True)
class Pinging:
    """A service of its own with its keys; `ping("GET", f"{id}/start")`."""

    http: httpx.AsyncClient
    client: Client
    service: str
    key: str
    write: str
    read: str

    @classmethod
    async def of(cls, platform: Platform, client: Client) -> "Pinging":
        it = await made(platform, client.http, client, "First organisation")
        return cls(client.http, client, it.service, it.pinging, it.key, it.reading)

    async def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.http.request(method, f"/ping/{path}", **more)

    async def job(self, **settings: Any) -> str:
        """The id of a new check."""
        return (await self.client.heartbeat(service_id=self.service, **settings))["id"]

    async def named(self, slug: str = "") -> tuple[str, str]:
        """The slug and the id of a check that a ping made."""
        slug = slug or f"made-{uuid4()}"
        answer = await self("GET", f"{self.key}/{slug}?create=1")
        assert (answer.status_code, answer.text) == (201, "Created")
        return slug, await self.id_of(slug)

    async def id_of(self, slug: str) -> str:
        page, found = 1, []
        while not found:
            listed = await self.client.get(f"resource-query/v1/service/{self.service}/heartbeats", page=page, limit=500)
            assert listed["data"], f"there is no check {slug}"
            found = [each["id"] for each in listed["data"] if each["name"] == slug]
            page += 1
        assert len(found) == 1
        return found[0]

    async def kept(self, path: str, key: str | None = None) -> httpx.Response:
        """GET /api/v…/checks/`path`, by default with the read-write key."""
        key = self.write if key is None else key
        return await self.http.get(f"/api/{path}", headers={"X-Api-Key": key})

    async def listed(self, check: str, version: int = 1) -> list[dict[str, Any]]:
        """Its pings, newest first."""
        answer = await self.kept(f"v{version}/checks/{check}/pings/")
        assert answer.status_code == 200, answer.text
        return answer.json()["pings"]

    async def types(self, check: str) -> list[str]:
        """What its pings were, oldest first."""
        return [each["type"] for each in await self.listed(check)][::-1]
