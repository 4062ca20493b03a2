"""Accepts points of custom metrics: finds the metrics of a page, and stores what is sent of them."""

import asyncio
from collections.abc import Iterable
from uuid import UUID

import msgspec

from data_gateway.group_commit import Committer
from pinghome_common.errors import NotFound
from pinghome_common.events import Envelope
from pinghome_common.events.point import Points
from pinghome_common.following import Follower

OLDEST = 30 * 86_400
"""Seconds after which points are left out."""

AHEAD = 300
"""Seconds that a point may be ahead of our clock."""


class _Owned(msgspec.Struct):
    page: UUID


_decode = msgspec.json.Decoder(_Owned).decode


class PointIntake:
    """The entry point of points; `metrics` and `committer` are set at startup."""

    metrics: Follower
    committer: Committer

    def __init__(self) -> None:
        self._pages: dict[UUID, UUID] = {}
        self.large = asyncio.Lock()
        """Held while a large body is read."""

    def apply(self, event: Envelope) -> None:
        """Applies an event of a custom metric."""
        if event.deleted:
            self._pages.pop(event.subject, None)
        else:
            self._pages[event.subject] = _decode(event.data).page

    async def check(self, page: UUID, metrics: Iterable[UUID]) -> None:
        """Checks that metrics are a page's.

        Raises:
            NotFound: one is not.
            Unavailable: one is not known here and the broker is unavailable.
        """
        wanted = {*metrics}
        if any(each not in self._pages for each in wanted):
            await self.metrics.caught_up()
        if any(self._pages.get(each) != page for each in wanted):
            raise NotFound("Custom metric not found")

    async def store(self, points: list[Points]) -> None:
        """Stores points; returns when they are durable.

        Raises:
            Unavailable: they could not be stored.
        """
        if points:
            await self.committer.add_points(points)
