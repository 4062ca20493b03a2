"""Webhook receivers that keep what they are sent, and heartbeats and servers that each tell one of them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from commands import Client
from under_test import Platform
from wire import LostError, NotSentError, Wire


@dataclass
class Received:
    """One request; `at` is monotonic."""

    at: float
    path: str
    key: str
    body: bytes

    @property
    def said(self) -> list[tuple[UUID, str, UUID]]:
        """The notification's id, what it says, and of which heartbeat; of each in the message."""
        return [(UUID(it["id"]), it["what"], UUID(it["about"])) for it in json.loads(self.body)["notifications"]]


@dataclass
class Sink:
    """Answers 200, after `pause` seconds; paths in `hanging` get no answer, those in `failing` 500.

    `channels` are the ids of those that call it.
    """

    port: int = 0
    pause: float = 0.0
    received: list[Received] = field(default_factory=list)
    tried: int = 0
    hanging: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    channels: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request on one connection."""
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            path = lines[0].split(" ")[1]
            if path in self.hanging | self.failing:
                self.tried += 1
                await asyncio.sleep(3600 if path in self.hanging else 0)
                writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
                return
            self.received.append(Received(time.monotonic(), path, headers["idempotency-key"], body))
            await asyncio.sleep(self.pause)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def until(self, heartbeats: Iterable[UUID], whats: tuple[str, ...], most: float) -> set[tuple[UUID, str]]:
        """Waits until all of it was said of all of them; returns what was not after `most` seconds."""
        wanted, deadline = {(id_, what) for id_ in heartbeats for what in whats}, time.monotonic() + most
        while (left := wanted - self.said()) and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        return left

    def said(self) -> set[tuple[UUID, str]]:
        """What was said of which heartbeat."""
        return {(about, what) for it in self.received for _, what, about in it.said}


@asynccontextmanager
async def sink(platform: Platform) -> AsyncIterator[Sink]:
    """Receivers on one port, one for each path; their channels end with them, else other scenarios would tell them."""
    it = Sink()
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        serving.add(task)
        try:
            await it.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    try:
        yield it
        client = Client(platform)
        for id_ in it.channels:
            await client.until_done("DELETE", f"/v1/channel/{id_}", None)
        client.close()
    finally:
        server.close()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def make_alerted(platform: Platform, it: Sink, name: str, count: int) -> dict[UUID, str]:
    """New heartbeats, each with a channel of its own, and the path that it calls."""
    made = await _alerted(platform, it, name, count, "/v1/heartbeat", {"interval": 86400})
    return {UUID(document["id"]): path for document, path in made}


async def make_servers(platform: Platform, it: Sink, name: str, count: int, **settings: Any) -> dict[UUID, str]:
    """New servers, each with a channel of its own, and the token of its agent."""
    made = await _alerted(platform, it, name, count, "/v1/server-resource", settings)
    return {UUID(document["id"]): document["agent_token"] for document, _ in made}


async def _alerted(
    platform: Platform, it: Sink, name: str, count: int, route: str, settings: dict[str, Any]
) -> list[tuple[dict[str, Any], str]]:
    service, waiting, made = str(uuid4()), iter(range(count)), []

    async def make() -> None:
        client = Client(platform)
        for number in waiting:
            path = f"/{name}/{number}"
            config = {"url": f"http://127.0.0.1:{it.port}{path}"}
            channel = {"service_id": service, "name": f"{name} {number}", "kind": "webhook", "config": config}
            to = (await client.until_done("POST", "/v1/channel", channel))["id"]
            it.channels.append(to)
            body = {"service_id": service, "name": f"{name} {number}", "channels": [to], **settings}
            made.append((await client.until_done("POST", route, body), path))
        client.close()

    await asyncio.gather(*(make() for _ in range(8)))
    return made


async def report(platform: Platform, heartbeats: Iterable[UUID], result: str, seconds: float) -> dict[UUID, float]:
    """Each reports a result, in so many seconds in all; returns when each was accepted (monotonic)."""
    wire, accepted, ids = Wire(platform.ports["data-gateway"]), {}, list(heartbeats)
    for id_ in ids:
        while id_ not in accepted:
            try:
                if (await wire.ask("GET", f"/v1/heartbeat/{id_}?result={result}")).status == 200:
                    accepted[id_] = time.monotonic()
            except (LostError, NotSentError):
                await asyncio.sleep(0.1)
        await asyncio.sleep(seconds / len(ids))
    wire.close()
    return accepted
