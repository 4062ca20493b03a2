"""What has changed, told to pages that are open: one stream of the platform for each session key, whatever its tabs."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from console.api import Api, Away, Refused, SignedOut

SOURCES = ("resource-query/v1/changes", "statuspage-query/v1/changes")
HEARTBEAT = 20.0
"""Seconds between two signs of life."""
STREAMS, STREAMS_OF_ONE = 500, 10
"""Streams of this process, and of one viewer's address; others poll."""
AGAIN = 5.0
"""Seconds after which a lost stream of the platform is asked for anew."""
END = "end"
"""Told when the session key has been revoked."""


class _Upstream:
    """The platform's streams for one session key."""

    def __init__(self, api: Api) -> None:
        self.watchers: set[asyncio.Queue[str]] = set()
        self._tasks = [asyncio.create_task(self._follow(api, source)) for source in SOURCES]

    def close(self) -> None:
        """Ends them."""
        for task in self._tasks:
            task.cancel()

    def _tell(self, word: str) -> None:
        for queue in self.watchers:
            with suppress(asyncio.QueueFull):  # it will ask for all anyway
                queue.put_nowait(word)

    async def _listen(self, api: Api, source: str) -> None:
        last, lost = "", False
        while True:
            with suppress(Away, Refused):
                async with api.stream(source, last) as lines:
                    if lost:
                        self._tell("all")
                    lost, event = False, ""
                    async for line in lines:
                        name, _, value = line.partition(": ")
                        if name == "id":
                            last = value
                        elif name == "event":
                            event = value
                        elif name == "data":
                            self._tell("all" if event == "reset" else _noun(value))
                        elif not line:
                            event = ""
            lost = True
            await asyncio.sleep(AGAIN)

    async def _follow(self, api: Api, source: str) -> None:
        try:
            await self._listen(api, source)
        except SignedOut:
            self._tell(END)


def _noun(data: str) -> str:
    try:
        return str(msgspec.json.decode(data)["noun"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return "all"


class Live:
    """The streams of this process; `api_of` a session key is the platform as that sees it."""

    def __init__(self, api_of: Callable[[str], Api]) -> None:
        self._api_of = api_of
        self._upstreams: dict[str, _Upstream] = {}
        self._open: Counter[str] = Counter()

    async def close(self) -> None:
        """Ends them all."""
        for each in self._upstreams.values():
            each.close()

    def full(self, viewer: str) -> bool:
        """Whether there is no room for another stream of this address."""
        return self._open[viewer] >= STREAMS_OF_ONE or self._open.total() >= STREAMS

    def enter(self, token: str, viewer: str) -> asyncio.Queue[str]:
        """Nouns of which something changes from now on; `all` for anything."""
        if token not in self._upstreams:
            self._upstreams[token] = _Upstream(self._api_of(token))
        queue: asyncio.Queue[str] = asyncio.Queue(64)
        self._upstreams[token].watchers.add(queue)
        self._open[viewer] += 1
        return queue

    def leave(self, token: str, viewer: str, queue: asyncio.Queue[str]) -> None:
        """The end of that."""
        upstream = self._upstreams[token]
        upstream.watchers.discard(queue)
        if not upstream.watchers:
            self._upstreams.pop(token).close()
        self._open[viewer] -= 1
        if not self._open[viewer]:
            del self._open[viewer]


class Changes(Response):
    """The stream of one tab, or of one browser; it ends with the process, and with the session key."""

    def __init__(self, live: Live, token: str, viewer: str) -> None:
        super().__init__()
        self._live, self._token, self._viewer = live, token, viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Says which nouns have changed, until the browser leaves."""
        scope["streaming"] = True  # outside of the answer timeout
        queue = self._live.enter(self._token, self._viewer)
        ends = [asyncio.create_task(_left(receive))]
        if stopping := scope.get("state", {}).get("stopping"):
            ends.append(asyncio.create_task(stopping.wait()))
        try:
            headers = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await _say(send, "retry: 3000\n: hello\n\n")
            while True:
                wake = asyncio.create_task(queue.get())
                done, _ = await asyncio.wait([wake, *ends], timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
                wake.cancel()
                if done - {wake}:
                    break
                if wake in done:
                    nouns = {wake.result(), *(queue.get_nowait() for _ in range(queue.qsize()))}
                    if END in nouns:
                        break
                    await _say(send, f"event: changed\ndata: {' '.join(sorted(nouns))}\n\n")
                else:
                    await _say(send, ": still here\n\n")
        finally:
            for each in ends:
                each.cancel()
            self._live.leave(self._token, self._viewer, queue)
            with suppress(OSError):
                await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _say(send: Send, body: str) -> None:
    await send({"type": "http.response.body", "body": body.encode(), "more_body": True})
