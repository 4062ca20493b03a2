"""A server that behaves like Atlassian's Statuspage API: tokens, ids, its rate limit, its errors."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

STATUSES = {"investigating", "identified", "monitoring", "resolved"}
COMPONENT = {"operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"}


@dataclass
class Statuspage:
    """One account with one page; `limited` answers 420 to what comes within a second of its token's last call."""

    token: str = "a-token-of-the-page"
    page: str = "r276xxt51c23"
    components: dict[str, str] = field(default_factory=lambda: {"ggs24084vt79": "operational"})
    incidents: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[float, str, str, int]] = field(default_factory=list)
    last: float = -10.0
    limited: bool = True
    lose_answer_of: str = ""
    """The next call with this verb takes effect, and its answer never arrives."""
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def unresolved(self) -> list[dict[str, Any]]:
        return [it for it in self.incidents.values() if it["status"] != "resolved"]

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        """Status and JSON."""
        parts = urlsplit(target)
        if headers.get("authorization") != f"OAuth {self.token}":
            return 401, {"error": "Could not authenticate"}
        before, self.last = self.last, time.monotonic()
        if self.limited and self.last - before < 0.95:
            return 420, {"error": "too many requests"}
        root = f"/v1/pages/{self.page}/incidents"
        if not parts.path.startswith(root):
            return 404, {"error": "Not found"}
        rest = parts.path.removeprefix(root)
        if (method, rest) == ("GET", "/unresolved"):
            query = parse_qs(parts.query)
            size, page = int(query.get("per_page", ["100"])[0]), int(query.get("page", ["1"])[0])
            return 200, self.unresolved[(page - 1) * size : page * size]
        return self._written(method, rest, json.loads(body)["incident"])

    def _written(self, method: str, rest: str, incident: dict[str, Any]) -> tuple[int, Any]:
        if incident.get("status") not in STATUSES or not set(incident.get("components", {}).values()) <= COMPONENT:
            return 422, {"error": ["Status is invalid"]}
        if not set(incident.get("component_ids", [])) <= set(self.components):
            return 422, {"error": ["Component ids are invalid"]}
        id_ = f"p{len(self.incidents):011d}" if method == "POST" else rest[1:]
        if method == "POST":
            self.incidents[id_] = {"id": id_}
        if id_ not in self.incidents:
            return 404, {"error": "Not found"}
        self.incidents[id_] |= incident
        self.components |= incident["components"]
        return (201 if method == "POST" else 200), self.incidents[id_]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = lines[0].split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            status, said = self.answer(method, target, headers, body)
            self.calls.append((time.monotonic(), method, target, status))
            if self.lose_answer_of == method:
                self.lose_answer_of = ""
                return
            data = json.dumps(said).encode()
            writer.write(b"HTTP/1.1 %d Told\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(data)))
            writer.write(data)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def statuspage(**how: Any) -> AsyncIterator[Statuspage]:
    """A page that is served."""
    it = Statuspage(**how)
    async with await asyncio.start_server(it.serve, "127.0.0.1", it.port) as server:
        it.port = server.sockets[0].getsockname()[1]
        yield it
