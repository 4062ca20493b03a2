"""How often a wrong password may be tried."""

from uuid import UUID

from pinghome_common.address_counts import AddressCounts

TRIES, SPAN = 5, 60
"""Wrong passwords of one page from one network address in so many seconds."""
PAGES = 10_000
"""Pages that are counted; beyond, all begin anew."""


class Tries:
    """Counts wrong passwords by page and address, in this process."""

    def __init__(self) -> None:
        self._counts: dict[UUID, AddressCounts] = {}

    def full(self, page: UUID, client: tuple[str, int] | None) -> bool:
        """Whether an address has tried often enough for now."""
        return page in self._counts and self._counts[page].full(client)

    def count(self, page: UUID, client: tuple[str, int] | None) -> bool:
        """Counts a wrong password; whether that was one too many."""
        if len(self._counts) > PAGES:
            self._counts.clear()
        return bool(self._counts.setdefault(page, AddressCounts(TRIES, SPAN)).count(client))
