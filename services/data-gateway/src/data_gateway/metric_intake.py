"""Accepts samples of servers: finds the server of a token, checks times, and keeps each token to its rate."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from data_gateway.group_commit import Committer
from pinghome_common.directory import Directory
from pinghome_common.errors import Unauthorized, Unavailable
from pinghome_common.events.key import Kind
from pinghome_common.events.metric import Sample

AHEAD = 300_000_000
"""Microseconds that a sample may be ahead of our clock."""

LARGEST = 2.0**64
"""The largest figure: counters of 64 bits; sums of them are finite."""

BURST = 10.0
"""Seconds whose requests and values may come at once."""


class Overloaded(Unavailable):
    """A token sends more than it may."""

    retry_after = 5


class Sender(NamedTuple):
    """A token that is known, by the id of its key, and the server whose samples it sends."""

    key: UUID
    server: UUID


class Rate:
    """What one token may still send."""

    __slots__ = ("at", "requests", "values")

    def __init__(self, requests: float, values: float, at: float) -> None:
        self.requests, self.values, self.at = requests, values, at


class MetricIntake:
    """The entry point of samples; `directory` and `committer` are set at startup.

    Args:
        kept_days: samples older than so many days are refused.
        requests: a token may send in a second.
        values: that these may hold in a second.
    """

    directory: Directory
    committer: Committer

    def __init__(self, kept_days: int, requests: float, values: float) -> None:
        self._kept = kept_days * 86_400 * 1_000_000
        self._requests, self._values = requests, values
        self._rates: dict[UUID, Rate] = {}
        self.large = asyncio.Lock()
        """Held while a large body is read."""

    async def find(self, token: str) -> Sender:
        """Whose token it is.

        Raises:
            Unauthorized: nobody's.
            Unavailable: it is not known here and the broker is unavailable.
        """
        found = self.directory.caller(Kind.agent, token) if token else None
        if found is None and token:
            await self.directory.caught_up()
            found = self.directory.caller(Kind.agent, token)
        if found is None or found.server is None:
            raise Unauthorized("Unauthorized")
        return Sender(found.key, found.server)

    def refuses(self, at: int, now: int) -> str:
        """Why a sample of that time is not kept, both in UNIX microseconds; empty when it is."""
        if at > now + AHEAD:
            return "is more than 5 minutes in the future"
        if at < now - self._kept:
            return "is older than samples are kept"
        return ""

    def pace(self, key: UUID, *, requests: int = 0, values: int = 0) -> None:
        """Counts requests before their bodies are read, and then their values.

        Raises:
            Overloaded: the token has sent more than it may; it says when to try again.
        """
        now = time.monotonic()
        rate = self._rates.get(key)
        if rate is None:
            if len(self._rates) > 20_000:
                self._rates = {each: it for each, it in self._rates.items() if now - it.at < BURST}
            rate = self._rates[key] = Rate(self._requests * BURST, self._values * BURST, now)
        passed, rate.at = now - rate.at, now
        rate.requests = min(rate.requests + passed * self._requests, self._requests * BURST)
        rate.values = min(rate.values + passed * self._values, self._values * BURST)
        if rate.requests < requests or rate.values < min(values, self._values * BURST):
            raise Overloaded("This token sends more than it may; please send less, or less often.")
        rate.requests -= requests
        rate.values -= values

    async def store(self, samples: Sequence[Sample], size: int) -> None:
        """Stores samples; returns when they are durable.

        Raises:
            Unavailable: they could not be stored.
        """
        if samples:
            await self.committer.add_samples(list(samples), size)
