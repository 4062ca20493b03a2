"""Event streams over HTTP (SSE): how many there are, signs of life, and when one ends."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

HEARTBEAT = 15.0
"""Seconds between two signs of life."""
HELLO = b"event: hello\ndata: hello\n\n"
"""Said to pages at first: a proxy that holds back a stream may pass on its head, which tells a browser nothing."""
STREAMS, STREAMS_OF_ONE = 500, 10
"""Event streams of a process, and of one client."""

News = Callable[[], Awaitable[bytes]]


class EventStreams:
    """The event streams of this process.

    Whoever reads slowly holds up nobody, as news are made when they can be sent; who does not read at all is
    disconnected by the server (`http1`).

    Args:
        cache: their `Cache-Control`.
    """

    def __init__(self, cache: str = "no-cache, no-transform") -> None:
        self._open: Counter[str] = Counter()
        self.head = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", cache.encode()),
            (b"x-accel-buffering", b"no"),
            (b"x-content-type-options", b"nosniff"),
        ]

    def full(self, client: str) -> bool:
        """Whether there is no room for another stream of this client's."""
        return self._open[client] >= STREAMS_OF_ONE or self._open.total() >= STREAMS

    async def serve(
        self,
        client: str,
        hello: bytes,
        news: News,
        life: Callable[[], bytes],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Says each of the news until they are empty, the client leaves or the process stops.

        `hello` is said at first, and what `life` returns when there is nothing new for a while.
        """
        scope["streaming"] = True  # outside of the answer timeout
        self._open[client] += 1
        ends = [asyncio.create_task(_left(receive))]
        if stopping := scope.get("state", {}).get("stopping"):
            ends.append(asyncio.create_task(stopping.wait()))
        next_ = asyncio.ensure_future(news())
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.head})
            await _say(send, b"retry: 3000\n" + hello)
            while True:
                done, _ = await asyncio.wait([next_, *ends], timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    await _say(send, life())
                    continue
                if done - {next_} or not (said := next_.result()):
                    break
                await _say(send, said)
                next_ = asyncio.ensure_future(news())
            await send({"type": "http.response.body", "body": b""})
        finally:
            for each in (next_, *ends):
                each.cancel()
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]


class EventStream(Response):
    """One event stream as an answer; see `EventStreams.serve`."""

    media_type = "text/event-stream"

    def __init__(self, streams: EventStreams, client: str, hello: bytes, news: News, life: Callable[[], bytes]) -> None:
        super().__init__()
        self._streams, self._parts = streams, (client, hello, news, life)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves it; to HEAD its headers."""
        if scope["method"] == "HEAD":
            await send({"type": "http.response.start", "status": 200, "headers": self._streams.head})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._streams.serve(*self._parts, scope, receive, send)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})
