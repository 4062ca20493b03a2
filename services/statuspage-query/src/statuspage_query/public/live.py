"""Event streams that say when a page has changed."""

import asyncio
from collections import Counter

from starlette.types import Receive, Scope, Send

from statuspage_query.public.published import Published

HEARTBEAT = 20.0
"""Seconds between two signs of life."""
STREAMS, STREAMS_OF_ONE = 500, 10
"""Event streams of this process, and of one client's address."""

_HEAD = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]


class Live:
    """The event streams of this process."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def full(self, client: str) -> bool:
        """Whether there is no room for another stream of this client's."""
        return self._open[client] >= STREAMS_OF_ONE or self._open.total() >= STREAMS

    async def stream(self, page: Published, client: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Says `changed` each time, until the client leaves or the process stops."""
        scope["streaming"] = True  # outside of the answer timeout
        changed = asyncio.Event()
        page.watchers.add(changed)
        self._open[client] += 1
        ends = [asyncio.create_task(_left(receive))]
        if stopping := scope.get("state", {}).get("stopping"):
            ends.append(asyncio.create_task(stopping.wait()))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEAD})
            await _say(send, b"retry: 3000\n: hello\n\n")
            while True:
                wake = asyncio.create_task(changed.wait())
                done, _ = await asyncio.wait([wake, *ends], timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
                wake.cancel()
                if done - {wake}:
                    break
                changed.clear()
                await _say(send, b"event: changed\ndata: {}\n\n" if wake in done else b": still here\n\n")
            await send({"type": "http.response.body", "body": b""})
        finally:
            for each in ends:
                each.cancel()
            page.watchers.discard(changed)
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})
