"""A monitor under test and the ways to look at it."""

from typing import Any

from contract.client import Client
from contract.target import Target, eventually

QUICK = {"interval": 5, "grace_period": 0, "recovery_period": 0}


class Watched:
    """A monitor and the ways to look at it."""

    def __init__(self, client: Client, made: dict[str, Any]) -> None:
        self.client, self.id = client, made["id"]
        self.path = f"v1/resource/{self.id}"

    async def read(self) -> dict[str, Any]:
        return await self.client.get(f"resource-query/v1/resource/{self.id}")

    async def regions(self) -> list[dict[str, Any]]:
        return (await self.client.get(f"resource-query/v1/resource/{self.id}/regions"))["data"]

    async def log(self, **query: Any) -> list[dict[str, Any]]:
        return (await self.client.get(f"statistic-query/v1/resource/{self.id}/state-changed-logs", **query))["data"]

    async def statistic(self, **query: Any) -> dict[str, Any]:
        return await self.client.get(f"statistic-query/v1/resource/{self.id}/statistic", **query)

    async def until(self, state: str, within: float = 12) -> dict[str, Any]:
        return await eventually(self.read, lambda it: it["state"] == state, within)

    async def change(self, **settings: Any) -> dict[str, Any]:
        answer = await self.client("PUT", f"resource-cmd/v1/resource/{self.id}", json=settings)
        assert answer.status_code == 200, answer.text
        return answer.json()["resource"]

    async def switch(self, *, enabled: bool) -> None:
        url = f"resource-cmd/v1/resource/{self.id}/status"
        assert (await self.client("PUT", url, json={"enabled": enabled})).status_code == 200

    async def delete(self) -> None:
        assert (await self.client("DELETE", f"resource-cmd/v1/resource/{self.id}")).status_code == 200


async def watched(client: Client, target: Target, **settings: Any) -> Watched:
    return Watched(client, await client.resource(url=target.url, **{**QUICK, **settings}))
