"""Counts what single addresses do in a span of time."""

import time

from pinghome_common.limits import network_of

ADDRESSES = 10_000
"""Addresses counted individually; all others share one count."""


class AddressCounts:
    """Counts by address (IPv6: /64), in this process; all begin anew after each span.

    Args:
        limit: what one address may do in a span.
        span: seconds.
    """

    def __init__(self, limit: int, span: int) -> None:
        self._limit, self._span = limit, span
        self._current = 0
        self._counts: dict[str, int] = {}

    def count(self, client: tuple[str, int] | None) -> int:
        """Counts one more; the seconds until the next span begins when that was too many, else 0."""
        second, address = self._now(), self._address(client)
        found = self._counts[address] = self._counts.get(address, 0) + 1
        return int(self._span - second) + 1 if found > self._limit else 0

    def full(self, client: tuple[str, int] | None) -> bool:
        """Whether one more would be too many."""
        self._now()
        return self._counts.get(self._address(client), 0) >= self._limit

    def _now(self) -> float:
        """The seconds since the span began."""
        current, second = divmod(time.monotonic(), self._span)
        if current != self._current:
            self._current, self._counts = int(current), {}
        return second

    def _address(self, client: tuple[str, int] | None) -> str:
        address = network_of(client[0]) if client else ""
        return "" if address not in self._counts and len(self._counts) >= ADDRESSES else address
