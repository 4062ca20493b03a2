"""Limits how often one address may send an unknown token."""

import time

from pinghome_common.errors import WrongTokensError
from pinghome_common.limits import network_of

ADDRESSES = 10_000
"""Addresses counted individually per minute; all others share one count."""


class WrongTokens:
    """Counts wrong tokens by address (IPv6: /64) and minute; valid tokens cost nothing.

    Args:
        limit: wrong tokens allowed per minute.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._minute = 0
        self._counts: dict[str, int] = {}

    def count(self, client: tuple[str, int] | None) -> None:
        """Counts a wrong token.

        Raises:
            WrongTokensError: there were too many; it says when the next minute starts.
        """
        now = time.monotonic()
        minute, second = divmod(now, 60)
        if minute != self._minute:
            self._minute, self._counts = int(minute), {}
        address = network_of(client[0]) if client else ""
        if address not in self._counts and len(self._counts) >= ADDRESSES:
            address = ""
        found = self._counts[address] = self._counts.get(address, 0) + 1
        if found > self._limit:
            raise WrongTokensError(int(60 - second) + 1)
