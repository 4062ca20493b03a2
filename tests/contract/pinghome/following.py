"""Reads an event stream as a browser does (WHATWG, server-sent events)."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from contract.client import Client


@dataclass
class Following:
    """An open stream; `last` is what a browser would send as `Last-Event-ID`."""

    answer: httpx.Response
    last: str = ""
    _lines: AsyncIterator[str] | None = None
    _data: list[str] = field(default_factory=list)

    async def next(self) -> tuple[str, dict[str, Any]]:
        """The name and the data of the next event; ("end", {}) when the stream has ended."""
        self._lines = self._lines or self.answer.aiter_lines()
        name, data, last = "message", [], self.last
        async for line in self._lines:
            word, _, value = line.partition(": ")
            match word:
                case "id":
                    last = value
                case "event":
                    name = value
                case "data":
                    data.append(value)
                case "" if not line:
                    self.last = last
                    if data:
                        return name, json.loads("\n".join(data))
                    name = "message"
        return "end", {}

    async def hello(self) -> None:
        """Waits until the stream says where it begins."""
        self._lines = self._lines or self.answer.aiter_lines()
        async for line in self._lines:
            if line.startswith("id: "):
                self.last = line.removeprefix("id: ")
            elif not line and self.last:
                return


@asynccontextmanager
async def following(client: Client, service: str = "resource-query", last: str = "") -> AsyncIterator[Following]:
    """Follows the changes of a client's organisation, from now on or after the last event."""
    headers = {"Authorization": f"Bearer {client.token}"} | ({"Last-Event-ID": last} if last else {})
    async with client.http.stream(
        "GET", f"{service and '/'}{service}/v1/changes", headers=headers, timeout=60
    ) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"] == "text/event-stream"
        yield Following(answer)
