"""A heartbeat under test: its check-ins and the ways to look at it."""

from dataclasses import replace
from typing import Any

import httpx

from contract.client import Client


class Job:
    """A heartbeat of `client`; `gate` calls without a token."""

    def __init__(self, client: Client, made: dict[str, Any]) -> None:
        self.client, self.id, self.gate = client, made["id"], replace(client, token=None)

    async def call(self, method: str = "GET", **query: Any) -> httpx.Response:
        return await self.gate(method, f"data-gateway/v1/heartbeat/{self.id}", params=query)

    async def ping(self, *results: str) -> None:
        for result in results:
            answer = await self.call(result=result)
            assert (answer.status_code, answer.json()) == (200, {"message": "OK"})

    async def read(self) -> dict[str, Any]:
        return await self.client.get(f"resource-query/v1/heartbeat/{self.id}")

    async def state(self) -> str:
        return (await self.read())["state"]

    async def events(self, **query: Any) -> list[dict[str, Any]]:
        return (await self.client.get(f"statistic-query/v1/heartbeat/{self.id}/events", **query))["data"]

    async def statistic(self, interval: str) -> list[dict[str, Any]]:
        return (await self.client.get(f"statistic-query/v1/heartbeat/{self.id}/statistic", interval=interval))["data"]


async def job(client: Client, **settings: Any) -> Job:
    """A new heartbeat."""
    return Job(client, await client.heartbeat(**settings))
