"""Addresses that the operator trusts to answer: when none does, it is the region's own network that fails."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from pinghome_common.guard import UnrestrictedGuard

PATIENCE = 3.0
"""Seconds that an anchor has to take a connection."""

FRESH = 1.0
"""Seconds for which a check counts: thousands of failures at once ask the anchors once."""


class Anchors:
    """Asks all anchors at once, at most once a second.

    Args:
        anchors: `host:port` of each; with none, the region's network is always believed to work.
    """

    def __init__(self, anchors: Sequence[str]) -> None:
        self._anchors = [urlsplit(f"//{anchor}") for anchor in anchors]
        self._guard = UnrestrictedGuard()
        self._asking: asyncio.Task[bool] | None = None
        self._asked_at = 0.0

    async def silent(self) -> bool:
        """True when there are anchors and not one answers."""
        if not self._anchors:
            return False
        if self._asking is None or time.monotonic() - self._asked_at > FRESH:
            self._asked_at = time.monotonic()
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> bool:
        tasks = [
            asyncio.create_task(self._answers(anchor.hostname or "", anchor.port or 0)) for anchor in self._anchors
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

    async def _answers(self, host: str, port: int) -> bool:
        with suppress(OSError):  # gaierror and TimeoutError, too
            async with asyncio.timeout(PATIENCE):
                addresses = await self._guard.resolve(host)
                deadline = time.monotonic() + PATIENCE
                transport, _ = await self._guard.connect(addresses, port, asyncio.Protocol, deadline=deadline)
                transport.abort()
                return True
        return False
