"""Reads of one organisation; every statement filters by it."""

from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.db import Database
from pinghome_common.errors import NotFound
from pinghome_common.events.statuspage import Component, ComponentStatus, StatusPage
from statuspage_query.statuses import Since, shown, timeline

_decode = msgspec.json.Decoder(StatusPage).decode


class Read:
    """Reads limited to one organisation.

    Args:
        db: the database.
        organisation: the caller's.
    """

    def __init__(self, db: Database, organisation: UUID) -> None:
        self._db, self._organisation = db, organisation

    async def pages(self) -> list[StatusPage]:
        """The organisation's pages, oldest first."""
        rows = await self._db.fetch(
            "SELECT state FROM statuspage WHERE organisation = $1 ORDER BY id", self._organisation
        )
        return [_decode(row["state"]) for row in rows]

    async def page(self, id_: UUID) -> tuple[StatusPage, int]:
        """A page and its version.

        Raises:
            NotFound: it does not exist or belongs to another organisation.
        """
        row = await self._db.fetchrow(
            "SELECT * FROM statuspage WHERE id = $1 AND organisation = $2", id_, self._organisation
        )
        if row is None:
            raise NotFound("Status page not found")
        return _decode(row["state"]), row["version"]

    async def component(self, id_: UUID) -> tuple[StatusPage, Component]:
        """A component and its page.

        Raises:
            NotFound: it does not exist or belongs to another organisation.
        """
        row = await self._db.fetchrow(
            "SELECT p.state FROM component c JOIN statuspage p ON p.id = c.page"
            " WHERE c.id = $1 AND p.organisation = $2",
            id_, self._organisation,
        )  # fmt: skip
        if row is None:
            raise NotFound("Component not found")
        page = _decode(row["state"])
        return page, next(each for each in page.components if each.id == id_)

    async def statuses(self, page: StatusPage) -> dict[UUID, ComponentStatus]:
        """What each component of a page shows now; what is followed and not the page's organisation's is unknown."""
        rows = await self._db.fetch(
            "SELECT id, status FROM followed WHERE id = ANY($1::uuid[]) AND organisation = $2",
            [each.resource_id for each in page.components if each.resource_id], page.organisation,
        )  # fmt: skip
        states = {row["id"]: ComponentStatus(row["status"]) for row in rows}
        return {each.id: shown(each.status, _followed(each, states)) for each in page.components}

    async def timeline(self, page: StatusPage, it: Component) -> list[Since]:
        """What a component of a page has shown over time."""
        by_hand = await self._db.fetch(
            "SELECT at, status FROM component_change WHERE component = $1 ORDER BY at", it.id
        )
        followed = None
        if it.resource_id:
            rows = await self._db.fetch(
                "SELECT c.at, c.status FROM followed_change c JOIN followed f ON f.id = c.followed"
                " WHERE f.id = $1 AND f.organisation = $2 ORDER BY c.version",
                it.resource_id, page.organisation,
            )  # fmt: skip
            followed = _changes(rows)
        return timeline(_changes(by_hand), followed)


def _followed(it: Component, states: dict[UUID, ComponentStatus]) -> ComponentStatus | None:
    return states.get(it.resource_id, ComponentStatus.unknown) if it.resource_id else None


def _changes(rows: list[Any]) -> list[Since]:
    return [Since(row["at"], ComponentStatus(row["status"])) for row in rows]
