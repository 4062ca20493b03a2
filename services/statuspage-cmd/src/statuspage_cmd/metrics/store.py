"""The rows of pages' metrics."""

from collections.abc import Set as AbstractSet
from typing import TypeVar
from uuid import UUID

from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.page_metric import CustomMetric, Metric
from statuspage_cmd.store import PageStore

M = TypeVar("M", CustomMetric, Metric)

_COUNT = """
SELECT (SELECT count(*) FROM metric WHERE page = $1) + (SELECT count(*) FROM custom_metric WHERE page = $1)
"""


class PageMetrics(PageStore[M]):
    """Metrics of one kind; a page may have so many of both."""

    async def check_limit(self, page: UUID, most: int) -> None:
        """Raises Invalid when a page has as many as it may have."""
        if await self._tx.fetchval(_COUNT, page) >= most:
            raise Invalid(FieldError("name", f"a page has at most {most} metrics"))

    async def drop(self, page: UUID, components: AbstractSet[UUID]) -> None:
        """Takes components that are no longer the page's off its metrics."""
        for row in await self.edit_many(await self._ids(page)):
            if row.state.component in components:
                row.state.component, row.state.updated_at = None, self._now
                await self.save(row)

    async def leave(self, page: UUID) -> None:
        """Deletes those of a page that is about to be deleted."""
        await self.remove_many(await self._ids(page))

    async def _ids(self, page: UUID) -> list[UUID]:
        return [row["id"] for row in await self._tx.fetch(f"SELECT id FROM {self.noun} WHERE page = $1", page)]


class CustomMetrics(PageMetrics[CustomMetric]):
    """Metrics whose points are sent."""

    noun, type = "custom_metric", CustomMetric


class Metrics(PageMetrics[Metric]):
    """Metrics that a monitor measures."""

    noun, type = "metric", Metric
