"""Event streams that say when a page has changed."""

import asyncio

from starlette.types import Receive, Scope, Send

from pinghome_common.event_streams import HELLO, EventStreams
from statuspage_query.public.published import Published


class Live(EventStreams):
    """The event streams of this process."""

    async def stream(self, page: Published, client: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Says `changed` each time."""
        changed = asyncio.Event()

        async def news() -> bytes:
            await changed.wait()
            changed.clear()
            return b"event: changed\ndata: {}\n\n"

        page.watchers.add(changed)
        try:
            await self.serve(client, HELLO, news, lambda: b": still here\n\n", scope, receive, send)
        finally:
            page.watchers.discard(changed)
