"""Paces that are kept: of calls with each token, and of the tests that an organisation sends."""

import asyncio
import time
from collections import deque
from uuid import UUID

from pinghome_common.errors import TooMany
from pinghome_delivery.message import RateLimited

PATIENCE = 3.0
"""Seconds that a caller waits for its turn; one whose turn is later is sent away until then."""


class RateLimiter:
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
            RateLimited: its turn is too far away.
        """
        now = time.monotonic()
        self._next = {each: at for each, at in self._next.items() if at > now}
        self._line = {each: at for each, at in self._line.items() if at > now}
        at = max(self._next.get(token, now), now)
        if calls and at - now > PATIENCE:
            line = max(self._line.get(token, at), at)
            self._line[token] = line + calls * self._apart
            raise RateLimited(line - now)
        self._next[token] = at + self._apart
        await asyncio.sleep(at - now)


class TestsPaced:
    """At most `most` tests in a minute for each organisation, in this process."""

    __test__ = False  # for pytest

    def __init__(self, most: int) -> None:
        self._most = most
        self._sent: dict[UUID, deque[float]] = {}

    def count(self, organisation: UUID) -> None:
        """Counts one.

        Raises:
            TooMany: it would be one too many.
        """
        now = time.monotonic()
        self._sent = {each: times for each, times in self._sent.items() if times[-1] > now - 60}
        times = self._sent.setdefault(organisation, deque(maxlen=self._most))
        if len(times) == self._most and times[0] > now - 60:
            raise TooMany(f"Only {self._most} tests of channels a minute; try again in {times[0] + 60 - now:.0f} s")
        times.append(now)
