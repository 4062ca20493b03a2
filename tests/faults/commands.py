"""Commands as a client sends them: a bearer token, JSON, and the version that the answer names."""

import asyncio
import json
import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from under_test import Platform
from wire import Answer, LostError, NotSentError, Wire


class Client:
    """A connection to one service with the platform's token."""

    def __init__(self, platform: Platform, service: str = "resource-cmd") -> None:
        self._wire = Wire(platform.ports[service])
        self._headers = {"Authorization": f"Bearer {platform.token}", "Content-Type": "application/json"}

    async def ask(self, method: str, path: str, body: object = None, wait: float = 15.0, **headers: str) -> Answer:
        """One request; NotSentError or LostError as `Wire.ask`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = b"" if body is None else json.dumps(body).encode()
        return await self._wire.ask(method, path, self._headers | named, data, wait)

    async def until_done(self, method: str, path: str, body: object, within: float = 30.0) -> Any:
        """Repeat until it is answered 2xx, with one Idempotency-Key; the document."""
        key, deadline = str(uuid4()), time.monotonic() + within
        while True:
            try:
                answer = await self.ask(method, path, body, Idempotency_Key=key)
                if 200 <= answer.status < 300:
                    return answer.document
                problem = f"{answer.status} {answer.body[:200]!r}"
            except (NotSentError, LostError) as error:
                problem = repr(error)
            if time.monotonic() > deadline:
                raise RuntimeError(f"{method} {path} is not done: {problem}")
            await asyncio.sleep(0.1)

    def close(self) -> None:
        """Drop the connection."""
        self._wire.close()


async def make_all(platform: Platform, path: str, bodies: Iterable[dict[str, Any]]) -> list[UUID]:
    """Create things in one new service, eight at a time; their ids, in the order of the bodies."""
    service, waiting = str(uuid4()), enumerate(bodies)
    made: dict[int, UUID] = {}

    async def make() -> None:
        client = Client(platform)
        for number, body in waiting:
            made[number] = UUID((await client.until_done("POST", path, {"service_id": service, **body}))["id"])
        client.close()

    await asyncio.gather(*(make() for _ in range(8)))
    return [made[number] for number in sorted(made)]


async def unmake_all(platform: Platform, path: str, ids: list[UUID]) -> None:
    """Delete things."""
    client = Client(platform)
    for begin in range(0, len(ids), 100):
        query = "&".join(f"id={id_}" for id_ in ids[begin : begin + 100])
        await client.until_done("DELETE", f"{path}?{query}", None)
    client.close()


async def make_heartbeats(platform: Platform, name: str, count: int) -> list[UUID]:
    """New heartbeats that may stay silent for a day."""
    bodies = ({"name": f"{name} {number}", "interval": 86400} for number in range(count))
    return await make_all(platform, "/v1/heartbeat", bodies)
