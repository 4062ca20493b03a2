"""Limits how often one address may send an unknown token."""

from pinghome_common.address_counts import AddressCounts
from pinghome_common.errors import WrongTokensError


class WrongTokens:
    """Counts wrong tokens by address (IPv6: /64) and minute; valid tokens cost nothing.

    Args:
        limit: wrong tokens allowed per minute.
    """

    def __init__(self, limit: int) -> None:
        self._counts = AddressCounts(limit, 60)

    def count(self, client: tuple[str, int] | None) -> None:
        """Counts a wrong token.

        Raises:
            WrongTokensError: there were too many; it says when the next minute starts.
        """
        if seconds := self._counts.count(client):
            raise WrongTokensError(seconds)
