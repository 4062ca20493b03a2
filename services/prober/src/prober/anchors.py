"""Anchors: addresses that the operator trusts to answer. If none does, the region's own network is down."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from pinghome_common.guard import UnrestrictedGuard

CONNECT_TIMEOUT = 3.0
"""Seconds within which an anchor must accept a connection."""

CACHE_SECONDS = 1.0
"""How long an answer is valid, so that thousands of failures at once cost one connection to each anchor."""


class Anchors:
    """Connects to all anchors at once, at most once per `CACHE_SECONDS`.

    Args:
        anchors: `host:port` of each; without any, the region's network is assumed to work.
    """

    def __init__(self, anchors: Sequence[str]) -> None:
        self._anchors = [urlsplit(f"//{anchor}") for anchor in anchors]
        self._guard = UnrestrictedGuard()
        self._pending: asyncio.Task[bool] | None = None
        self._started_at = 0.0

    async def all_down(self) -> bool:
        """True if there are anchors and none accepts a connection."""
        if not self._anchors:
            return False
        if self._pending is None or time.monotonic() - self._started_at > CACHE_SECONDS:
            self._started_at = time.monotonic()
            self._pending = asyncio.create_task(self._none_accepts())
        return await asyncio.shield(self._pending)

    async def _none_accepts(self) -> bool:
        tasks = [
            asyncio.create_task(self._accepts(anchor.hostname or "", anchor.port or 0)) for anchor in self._anchors
        ]
        try:
            for first in asyncio.as_completed(tasks):
                if await first:
                    return False
            return True
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _accepts(self, host: str, port: int) -> bool:
        with suppress(OSError):  # gaierror and TimeoutError, too
            async with asyncio.timeout(CONNECT_TIMEOUT):
                addresses = await self._guard.resolve(host)
                deadline = time.monotonic() + CONNECT_TIMEOUT
                transport, _ = await self._guard.connect(addresses, port, asyncio.Protocol, deadline=deadline)
                transport.abort()
                return True
        return False
