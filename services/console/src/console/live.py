"""What has changed, told to pages that are open: one stream of the platform for each session key, whatever its tabs."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from console.api import Api, Away, Refused, SignedOut
from pinghome_common.event_streams import HELLO, EventStreams

SOURCES = ("resource-query/v1/changes", "statuspage-query/v1/changes")
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
    """The streams of this process; `api_of` a session key and a viewer's address is the platform as these see it."""

    def __init__(self, api_of: Callable[[str, str], Api]) -> None:
        self._api_of = api_of
        self._upstreams: dict[str, _Upstream] = {}
        self.streams = EventStreams("no-store, no-transform")

    async def close(self) -> None:
        """Ends them all."""
        for each in self._upstreams.values():
            each.close()

    def enter(self, token: str, viewer: str) -> asyncio.Queue[str]:
        """Nouns of which something changes from now on; `all` for anything."""
        if token not in self._upstreams:
            self._upstreams[token] = _Upstream(self._api_of(token, viewer))
        queue: asyncio.Queue[str] = asyncio.Queue(64)
        self._upstreams[token].watchers.add(queue)
        return queue

    def leave(self, token: str, queue: asyncio.Queue[str]) -> None:
        """The end of that."""
        upstream = self._upstreams[token]
        upstream.watchers.discard(queue)
        if not upstream.watchers:
            self._upstreams.pop(token).close()


class Changes(Response):
    """The stream of one tab, or of one browser; it ends with the process, and with the session key."""

    def __init__(self, live: Live, token: str, viewer: str) -> None:
        super().__init__()
        self._live, self._token, self._viewer = live, token, viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Says which nouns have changed, until the browser leaves."""
        queue = self._live.enter(self._token, self._viewer)

        async def news() -> bytes:
            nouns = {await queue.get()}
            while not queue.empty():
                nouns.add(queue.get_nowait())
            return b"" if END in nouns else f"event: changed\ndata: {' '.join(sorted(nouns))}\n\n".encode()

        try:
            await self._live.streams.serve(self._viewer, HELLO, news, lambda: b": still here\n\n", scope, receive, send)
        finally:
            self._live.leave(self._token, queue)
