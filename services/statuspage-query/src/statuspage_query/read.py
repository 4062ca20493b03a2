"""Reads of one organisation; every statement filters by it."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from pinghome_common.db import Database
from pinghome_common.errors import NotFound
from pinghome_common.events.incident import Incident, IncidentUpdate, Maintenance, Recurrence, Template
from pinghome_common.events.page_metric import CustomMetric, Metric
from pinghome_common.events.statuspage import Component, ComponentStatus, StatusPage
from pinghome_common.events.statuspage import statuses as shown_statuses
from pinghome_common.events.subscription import Subscription
from statuspage_query.statuses import Given, History, Since, timeline

T = TypeVar("T")

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

    async def subscriptions(self, page: UUID, offset: int, limit: int) -> tuple[list[Subscription], int]:
        """Subscriptions to a page, newest first, and how many there are.

        Raises:
            NotFound: the page does not exist or belongs to another organisation.
        """
        await self.page(page)
        rows = await self._db.fetch(
            "SELECT s.state FROM subscribed t JOIN subscription s ON s.id = t.subscription WHERE t.page = $1"
            " ORDER BY t.created_at DESC, s.id DESC LIMIT $2 OFFSET $3",
            page, limit, offset,
        )  # fmt: skip
        return [msgspec.json.decode(row["state"], type=Subscription) for row in rows], await self.count(
            "subscribed", page
        )

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

    async def incidents(
        self,
        page: UUID,
        *,
        open_only: bool = False,
        since: datetime | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Incident]:
        """A page's incidents, the latest to occur first.

        Args:
            page: which may be anybody's: another organisation's has none.
            open_only: those that are not resolved.
            since: those that were still open then.
            limit: how many at most.
            offset: how many to leave out before.
        """
        rows = await self._db.fetch(
            "SELECT i.state FROM incident i JOIN statuspage p ON p.id = i.page"
            " WHERE i.page = $1 AND p.organisation = $2 AND (NOT $3 OR i.resolved_at IS NULL)"
            " AND ($4::timestamptz IS NULL OR i.resolved_at IS NULL OR i.resolved_at >= $4)"
            " ORDER BY i.occurred_at DESC, i.id DESC LIMIT $5 OFFSET $6",
            page, self._organisation, open_only, since, limit, offset,
        )  # fmt: skip
        return [msgspec.json.decode(row["state"], type=Incident) for row in rows]

    async def updates(self, incidents: Sequence[UUID]) -> dict[UUID, list[IncidentUpdate]]:
        """The updates of some incidents, oldest first; each incident has a list."""
        rows = await self._db.fetch(
            "SELECT u.incident, u.state FROM incident_update u JOIN incident i ON i.id = u.incident"
            " JOIN statuspage p ON p.id = i.page"
            " WHERE u.incident = ANY($1::uuid[]) AND p.organisation = $2 ORDER BY u.id",
            incidents, self._organisation,
        )  # fmt: skip
        found: dict[UUID, list[IncidentUpdate]] = {id_: [] for id_ in incidents}
        for row in rows:
            found[row["incident"]].append(msgspec.json.decode(row["state"], type=IncidentUpdate))
        return found

    async def maintenances(
        self,
        page: UUID,
        *,
        open_only: bool = False,
        since: datetime | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Maintenance]:
        """A page's maintenance, what is furthest ahead first.

        Args:
            page: which may be anybody's: another organisation's has none.
            open_only: what is scheduled or in progress.
            since: what had not ended then.
            limit: how many at most.
            offset: how many to leave out before.
        """
        rows = await self._db.fetch(
            "SELECT m.state FROM maintenance m JOIN statuspage p ON p.id = m.page"
            " WHERE m.page = $1 AND p.organisation = $2 AND (NOT $3 OR m.ended_at IS NULL)"
            " AND ($4::timestamptz IS NULL OR m.ended_at IS NULL OR m.ended_at >= $4)"
            " ORDER BY m.scheduled_for DESC, m.id DESC LIMIT $5 OFFSET $6",
            page, self._organisation, open_only, since, limit, offset,
        )  # fmt: skip
        return [msgspec.json.decode(row["state"], type=Maintenance) for row in rows]

    async def incident(self, page: UUID, id_: UUID) -> tuple[Incident, int]:
        """A page's incident and its version; raises NotFound."""
        return await self._one("incident", page, id_, Incident)

    async def maintenance(self, page: UUID, id_: UUID) -> tuple[Maintenance | Recurrence, int]:
        """A page's maintenance, or the rule with this id, and its version; raises NotFound."""
        with suppress(NotFound):
            return await self._one("recurrence", page, id_, Recurrence)
        return await self._one("maintenance", page, id_, Maintenance)

    async def template(self, page: UUID, id_: UUID) -> tuple[Template, int]:
        """A page's template and its version; raises NotFound."""
        return await self._one("template", page, id_, Template)

    async def recurrences(self, page: UUID, *, limit: int, offset: int) -> list[Recurrence]:
        """The rules of a page's recurring maintenance, oldest first."""
        return await self._oldest("recurrence", page, Recurrence, limit, offset)

    async def templates(self, page: UUID, *, limit: int, offset: int) -> list[Template]:
        """A page's templates, oldest first."""
        return await self._oldest("template", page, Template, limit, offset)

    async def custom_metrics(self, page: UUID) -> list[CustomMetric]:
        """A page's custom metrics, oldest first; another organisation's has none."""
        return await self._oldest("custom_metric", page, CustomMetric, None, 0)

    async def custom_metric(self, page: UUID, id_: UUID) -> CustomMetric:
        """A page's custom metric; raises NotFound."""
        return (await self._one("custom_metric", page, id_, CustomMetric))[0]

    async def metrics(self, page: UUID) -> list[Metric]:
        """A page's metrics that are measured, oldest first; another organisation's has none."""
        return await self._oldest("metric", page, Metric, None, 0)

    async def metric(self, page: UUID, id_: UUID) -> Metric:
        """A page's metric that is measured; raises NotFound."""
        return (await self._one("metric", page, id_, Metric))[0]

    async def count(self, noun: str, page: UUID) -> int:
        """How many incidents, maintenances, recurrences, templates or subscribers (`subscribed`) a page has."""
        found: int | None = await self._db.fetchval(
            "SELECT n FROM counted c JOIN statuspage p ON p.id = c.page"
            " WHERE c.page = $1 AND c.noun = $2 AND p.organisation = $3",
            page, noun, self._organisation,
        )  # fmt: skip
        return found or 0

    async def _one(self, noun: str, page: UUID, id_: UUID, type_: type[T]) -> tuple[T, int]:
        row = await self._db.fetchrow(
            f"SELECT t.state, t.version FROM {noun} t JOIN statuspage p ON p.id = t.page"
            " WHERE t.id = $1 AND p.id = $2 AND p.organisation = $3",
            id_, page, self._organisation,
        )  # fmt: skip
        if row is None:
            raise NotFound(f"{noun.capitalize()} not found")
        return msgspec.json.decode(row["state"], type=type_), row["version"]

    async def _oldest(self, noun: str, page: UUID, type_: type[T], limit: int | None, offset: int) -> list[T]:
        rows = await self._db.fetch(
            f"SELECT t.state FROM {noun} t JOIN statuspage p ON p.id = t.page WHERE p.id = $1 AND p.organisation = $2"
            " ORDER BY t.id LIMIT $3 OFFSET $4",
            page, self._organisation, limit, offset,
        )  # fmt: skip
        return [msgspec.json.decode(row["state"], type=type_) for row in rows]

    async def statuses(self, page: StatusPage) -> dict[UUID, ComponentStatus]:
        """What each component of a page shows now; what is followed and not the page's organisation's is unknown."""
        followed = {row["id"]: ComponentStatus(row["status"]) for row in await self._db.fetch(
            "SELECT id, status FROM followed WHERE id = ANY($1::uuid[]) AND organisation = $2",
            [each.resource_id for each in page.components if each.resource_id], page.organisation,
        )}  # fmt: skip
        given = defaultdict(list)
        for row in await self._db.fetch(_GIVEN_NOW, page.id, self._organisation):
            if row["status"]:
                given[row["component"]].append(ComponentStatus(row["status"]))
        maintained = {
            row["component"]
            for row in await self._db.fetch(
                "SELECT (jsonb_array_elements_text(m.state->'components'))::uuid AS component FROM maintenance m"
                " JOIN statuspage p ON p.id = m.page"
                " WHERE m.page = $1 AND p.organisation = $2 AND m.started_at IS NOT NULL AND m.ended_at IS NULL",
                page.id, self._organisation,
            )
        }  # fmt: skip
        return shown_statuses(page, followed, given, maintained)

    async def timelines(
        self, page: StatusPage, components: Sequence[Component], since: datetime
    ) -> dict[UUID, list[Since]]:
        """What components of a page showed at some time, and since; the last of each is what it shows now."""
        histories = {each.id: History(created_at=each.created_at) for each in components}
        followers: dict[UUID, list[list[Since]]] = defaultdict(list)
        for each in components:
            if each.resource_id:
                states: list[Since] = []
                histories[each.id].followed = states
                followers[each.resource_id].append(states)
        ids = [*histories]
        for row in await self._db.fetch(
            "SELECT component, at, status FROM component_change WHERE component = ANY($1::uuid[]) ORDER BY at", ids
        ):
            histories[row["component"]].manual.append(Since(row["at"], ComponentStatus(row["status"])))
        for row in await self._db.fetch(_FOLLOWED_SINCE, [*followers], page.organisation, since):
            for states in followers[row["followed"]]:
                states.append(Since(row["at"], ComponentStatus(row["status"])))
        for row in await self._db.fetch(
            "SELECT c.* FROM incident_change c JOIN incident i ON i.id = c.incident JOIN statuspage p ON p.id = i.page"
            " WHERE c.component = ANY($1::uuid[]) AND p.id = $2 AND p.organisation = $3 ORDER BY c.at",
            ids, page.id, self._organisation,
        ):  # fmt: skip
            status = ComponentStatus(row["status"]) if row["status"] else None
            histories[row["component"]].given.append(Given(row["at"], row["incident"], status))
        for row in await self._db.fetch(
            "SELECT m.started_at, m.ended_at, c.id::uuid AS component FROM maintenance m"
            " JOIN statuspage p ON p.id = m.page, jsonb_array_elements_text(m.state->'components') c (id)"
            " WHERE m.page = $1 AND p.organisation = $2 AND m.started_at IS NOT NULL AND c.id::uuid = ANY($3::uuid[])",
            page.id, self._organisation, ids,
        ):  # fmt: skip
            histories[row["component"]].maintained.append((row["started_at"], row["ended_at"]))
        return {id_: _since(since, timeline(history)) for id_, history in histories.items()}


def _since(start: datetime, changes: list[Since]) -> list[Since]:
    first = max((place for place, each in enumerate(changes) if each.at <= start), default=0)
    return changes[first:]


# The first of each is what was shown when the time began.
_FOLLOWED_SINCE = """
SELECT c.followed, c.at, c.status FROM followed f JOIN followed_change c ON c.followed = f.id
WHERE f.id = ANY($1::uuid[]) AND f.organisation = $2
    AND c.at >= coalesce((SELECT max(at) FROM followed_change WHERE followed = f.id AND at <= $3), '-infinity')
ORDER BY c.at, c.version
"""

_GIVEN_NOW = """
SELECT DISTINCT ON (c.incident, c.component) c.component, c.status
FROM incident_change c JOIN incident i ON i.id = c.incident JOIN statuspage p ON p.id = i.page
WHERE i.page = $1 AND p.organisation = $2 AND i.resolved_at IS NULL
ORDER BY c.incident, c.component, c.at DESC
"""
