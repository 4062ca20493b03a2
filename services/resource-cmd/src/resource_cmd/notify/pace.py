"""A pace that is kept: no more than one call a second with each token."""

import asyncio
import time

from resource_cmd.notify.message import Later

PATIENCE = 3.0
"""Seconds that a caller waits for its turn; one whose turn is later is sent away until then."""


class Pace:
    """Callers with the same token take turns, `apart` seconds from each other."""

    def __init__(self, apart: float = 1.0) -> None:
        self._apart = apart
        self._next: dict[str, float] = {}
        self._line: dict[str, float] = {}
        """When those who were sent away come back, the last of them."""

    async def turn(self, token: str, calls: int = 1) -> None:
        """Waits for the caller's turn.

        Args:
            token: that is used.
            calls: that the caller is about to make; 0 for one who has begun, and is not sent away.

        Raises:
            Later: its turn is too far away.
        """
        now = time.monotonic()
        self._next = {each: at for each, at in self._next.items() if at > now}
        self._line = {each: at for each, at in self._line.items() if at > now}
        at = max(self._next.get(token, now), now)
        if calls and at - now > PATIENCE:
            line = max(self._line.get(token, at), at)
            self._line[token] = line + calls * self._apart
            raise Later(line - now)
        self._next[token] = at + self._apart
        await asyncio.sleep(at - now)
