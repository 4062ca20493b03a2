"""A pace that is kept: no more than one call a second with each token."""

import asyncio
import time


class Pace:
    """Callers with the same token queue up; `apart` is in seconds."""

    def __init__(self, apart: float = 1.0) -> None:
        self._apart = apart
        self._next: dict[str, float] = {}

    async def turn(self, token: str) -> None:
        """Waits for the caller's turn."""
        now = time.monotonic()
        self._next = {each: at for each, at in self._next.items() if at > now}
        at = max(self._next.get(token, now), now)
        self._next[token] = at + self._apart
        await asyncio.sleep(at - now)
