"""The load of commands, and the ledger of what was answered to each."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self
from uuid import UUID, uuid4

from commands import Client
from run import Run
from under_test import REGION, Platform
from wire import Answer, LostError, NotSentError

PATHS = {"heartbeat": "/v1/heartbeat", "resource": "/v1/resource"}


@dataclass(slots=True)
class Sent:
    """One command and its answer; `status` 0: none came, so nobody knows whether it took effect."""

    what: str
    noun: str
    ids: list[UUID]
    name: str = ""
    status: int = 0
    version: int = 0
    request: str = ""
    document: Any = None
    replayed: bool = False
    at: float = field(default_factory=time.monotonic)
    took: float = 0.0


@dataclass
class Orders:
    """All commands of a scenario, and what the platform should never have answered."""

    sent: list[Sent] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    """What answers of 400 and more said."""
    wrong: list[str] = field(default_factory=list)
    keyed: set[str] = field(default_factory=set)
    """Names whose creation was repeated with one Idempotency-Key until it was answered."""
    heartbeats: set[UUID] = field(default_factory=set)
    """Those that live as far as we know, for check-ins."""

    def between(self, begin: float, end: float) -> list[Sent]:
        """Those sent in a span of the monotonic clock."""
        return [it for it in self.sent if begin <= it.at < end]

    @property
    def done(self) -> int:
        """Commands answered 2xx."""
        return sum(200 <= it.status < 300 for it in self.sent)


class Commanding:
    """`async with Commanding(run, orders, name, count, pause)`: so many commanders at work until it is left."""

    def __init__(self, run: Run, orders: Orders, name: str, count: int, pause: float) -> None:
        self._commanders = [
            Commander(run.platform, orders, f"{name} {n}", run.rng(f"commander {n}")) for n in range(count)
        ]
        self._pause = pause
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(it.run(self._pause)) for it in self._commanders]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Send no more; returns when all that are under way have ended."""
        for it in self._commanders:
            it.going = False
        await asyncio.gather(*self._tasks)


class Commander:
    """Creates, changes and deletes heartbeats and monitors of its own, one command after another."""

    def __init__(self, platform: Platform, orders: Orders, name: str, rng: Random) -> None:
        self._orders, self._name, self._rng = orders, name, rng
        self._client = Client(platform)
        self._target = f"http://127.0.0.1:{platform.ports['data-gateway']}/healthz"
        self._service = str(uuid4())
        self._own: dict[str, list[UUID]] = {"heartbeat": [], "resource": []}
        self._number = 0
        self.going = True

    async def run(self, pause: float) -> None:
        """Command until `going` is False, `pause` seconds apart on average."""
        while self.going:
            noun = self._rng.choice(("heartbeat", "resource"))
            own = self._own[noun]
            dice = self._rng.random()
            if dice < 0.35 or len(own) < 8:
                await self._create(noun)
            elif dice < 0.8:
                await self._change(noun, self._rng.choice(own))
            elif dice < 0.92:
                await self._delete(noun, [self._rng.choice(own)])
            else:
                await self._delete(noun, self._rng.sample(own, self._rng.randint(2, 5)))
            await asyncio.sleep(self._rng.uniform(0, 2 * pause))
        self._client.close()

    def _body(self, noun: str) -> dict[str, Any]:
        self._number += 1
        body = {"name": f"{self._name} {self._number}", "service_id": self._service}
        if noun == "heartbeat":
            return body | {"interval": 86400}
        headers = {"X-Secret": "s" * self._rng.randint(1, 20)}
        return body | {"type": "http", "url": self._target, "regions": [REGION], "interval": 60, "headers": headers}

    async def _create(self, noun: str) -> None:
        body = self._body(noun)
        keyed = self._rng.random() < 0.3
        headers = {"Idempotency_Key": str(uuid4())} if keyed else {}
        while True:
            sent = Sent("create", noun, [], body["name"])
            answer = await self._ask(sent, "POST", PATHS[noun], body, **headers)
            if answer and sent.status == 201:
                sent.ids = [UUID(answer.document["id"])]
                self._own[noun] += sent.ids
                if noun == "heartbeat":
                    self._orders.heartbeats.update(sent.ids)
                if keyed:
                    self._orders.keyed.add(body["name"])
            if not keyed or sent.status == 201 or not self.going:
                return
            await asyncio.sleep(0.1)

    async def _change(self, noun: str, id_: UUID) -> None:
        if noun == "resource" and self._rng.random() < 0.4:
            path, body = f"/v1/resource/{id_}/status", {"enabled": self._rng.random() < 0.6}
        else:
            path, body = f"{PATHS[noun]}/{id_}", self._body(noun)
            if noun == "heartbeat" and self._rng.random() < 0.4:
                body = {"enabled": self._rng.random() < 0.6}
        sent = Sent("change", noun, [id_])
        await self._ask(sent, "PUT", path, body)
        if sent.status in {404, 409, 412}:
            self._orders.wrong.append(f"PUT {path}: {sent.status}, though it was created and never deleted")

    async def _delete(self, noun: str, ids: list[UUID]) -> None:
        one = len(ids) == 1
        path = f"{PATHS[noun]}/{ids[0]}" if one else f"{PATHS[noun]}?" + "&".join(f"id={id_}" for id_ in ids)
        self._orders.heartbeats.difference_update(ids)
        sent = Sent("delete", noun, ids)
        await self._ask(sent, "DELETE", path)
        if sent.status == 404:
            self._orders.wrong.append(f"DELETE {path}: 404, though it was created and never deleted")
        # Whatever the answer, they are not used again: nobody knows whether they live, until the end.
        self._own[noun] = [id_ for id_ in self._own[noun] if id_ not in ids]

    async def _ask(self, sent: Sent, method: str, path: str, body: object = None, **headers: str) -> Answer | None:
        try:
            answer = await self._client.ask(method, path, body, **headers)
        except NotSentError:
            await asyncio.sleep(0.05)
            return None
        except LostError:
            self._orders.sent.append(sent)
            return None
        sent.took = time.monotonic() - sent.at
        self._orders.sent.append(sent)
        self._orders.statuses[answer.status] = self._orders.statuses.get(answer.status, 0) + 1
        sent.status = answer.status
        sent.request = answer.headers.get("x-request-id", "")
        sent.version = int(answer.headers.get("etag", '"v0"').strip('"v'))
        sent.replayed = "idempotency-replayed" in answer.headers
        if answer.status < 300:
            sent.document = answer.document
        else:
            self._orders.reasons[f"{answer.status} {answer.document.get('message')}"[:60]] += 1
        return answer
