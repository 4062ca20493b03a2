"""The rows of what belongs to a status page."""

from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeVar
from uuid import UUID

from pinghome_common.errors import FieldError, Invalid, NotFound
from pinghome_common.store import Aggregate, Row, Store


class Belonging(Aggregate, Protocol):
    """What belongs to a page."""

    page: UUID
    updated_at: datetime


class Told(Belonging, Protocol):
    """What a page tells of."""

    components: list[Any]


B = TypeVar("B", bound=Belonging)
T = TypeVar("T", bound=Told)


class PageStore(Store[B]):
    """What belongs to pages; whoever changes it has locked its page, so that nothing changes beside it."""

    source, prefix = "statuspage-cmd", "status"
    columns: ClassVar = {"page": "uuid"}

    def _values(self, state: B) -> list[Any]:
        return [state.page]

    async def of(self, page: UUID, id_: UUID, version: int | None = None) -> Row[B]:
        """Loads and locks one of a page.

        Raises:
            NotFound: the page has none with this id.
            PreconditionFailed: it has another version than the one wanted.
        """
        row = await self.edit(id_, version)
        if row.state.page != page:
            raise NotFound(f"{self._word.capitalize()} not found")
        return row


class OfPage(PageStore[T]):
    """What pages tell of.

    `current` is the condition of those that are not over yet; a page may have `limit` of them, or of those that meet
    `counted`.
    """

    limit: ClassVar[int]
    current: ClassVar[str] = "true"
    counted: ClassVar[str] = ""

    async def check_limit(self, page: UUID) -> None:
        """Raises Invalid when a page has as many as it may have."""
        counted = self.counted or self.current
        count = await self._tx.fetchval(f"SELECT count(*) FROM {self.noun} WHERE page = $1 AND {counted}", page)
        if count >= self.limit:
            raise Invalid(FieldError("title", f"a page has at most {self.limit} of these at a time"))

    async def drop(self, page: UUID, components: AbstractSet[UUID]) -> None:
        """Takes components that are no longer the page's off all that is not over yet."""
        ids = await self._tx.fetch(f"SELECT id FROM {self.noun} WHERE page = $1 AND {self.current}", page)
        for row in await self.edit_many([row["id"] for row in ids]):
            kept = [each for each in row.state.components if getattr(each, "component", each) not in components]
            if len(kept) < len(row.state.components):
                row.state.components, row.state.updated_at = kept, self._now
                await self.save(row)
