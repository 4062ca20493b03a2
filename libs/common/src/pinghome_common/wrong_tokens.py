"""How often one address may come with a token that nobody has."""

import time

from pinghome_common.errors import WrongTokensError
from pinghome_common.limits import network_of

ADDRESSES = 10_000
"""Addresses that are counted by themselves in a minute; those that come later are counted together."""


class WrongTokens:
    """Counts wrong tokens by address (IPv6: /64) in each minute; right tokens are never looked at.

    Args:
        limit: in a minute, before they are refused.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._minute = 0
        self._counts: dict[str, int] = {}

    def count(self, client: tuple[str, int] | None) -> None:
        """Takes in one.

        Raises:
            WrongTokensError: there were too many; it tells when the next minute begins.
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
