"""Status pages with a past: written by the rules and stores of statuspage-cmd, as of the times when it happened."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from pictures.measured import monitor
from pinghome_common.events.incident import Affected, Incident, IncidentStatus
from pinghome_common.events.statuspage import ComponentStatus, Followed, StatusPage
from pinghome_common.store import Actor, Row, no_wait
from statuspage_cmd.incidents import incident
from statuspage_cmd.incidents.store import Incidents, Updates
from statuspage_cmd.maintenance import maintenance
from statuspage_cmd.maintenance.store import Maintenances
from statuspage_cmd.pages.page import Wanted, WantedGroup, arrange, create
from statuspage_cmd.pages.store import Pages

BY = "Ada"


class Story:
    """One page and what happens there; times are how long ago, negative for what is to come."""

    def __init__(self, connection: asyncpg.Connection, now: datetime, page: Row[StatusPage]) -> None:
        self._connection, self._now, self._page = connection, now, page

    @classmethod
    async def begin(
        cls,
        connection: asyncpg.Connection,
        organisation: UUID,
        now: datetime,
        subdomain: str,
        components: dict[str, Iterable[str]],
        *,
        ago: timedelta = timedelta(days=120),
        follow: bool = False,
        **settings: Any,
    ) -> "Story":
        """A page with components by group, `""` for none; they may `follow` the monitors of their names."""

        def wants(name: str) -> Wanted:
            settings = {"type": Followed.resource, "resource_id": monitor(name)} if follow else {}
            return Wanted(name=name, settings=settings)

        at = now - ago
        wanted = {name: [wants(each) for each in of] for name, of in components.items()}
        groups = [WantedGroup(name=name, components=of) for name, of in wanted.items() if name]
        about = {"subdomain": subdomain, "type": "public", "description": ""} | settings
        state = arrange(create(uuid7(), organisation, about, at), wanted.get("", []), groups, at, 100)
        async with connection.transaction():
            row = await Pages(connection, Actor(BY, organisation), no_wait, at).add(state)
        return cls(connection, now, row)

    def _stores(self, kind: Any, ago: timedelta) -> Any:
        return kind(self._connection, Actor(BY, self._page.state.organisation), no_wait, self._now - ago)

    def _ids(self, names: Iterable[str]) -> list[UUID]:
        return [next(each.id for each in self._page.state.components if each.name == name) for name in names]

    def _affected(self, statuses: dict[str, str]) -> list[Affected]:
        pairs = zip(self._ids(statuses), statuses.values(), strict=True)
        return [Affected(component=id_, status=ComponentStatus(status)) for id_, status in pairs]

    async def incident(
        self, title: str, told: list[tuple[timedelta, str, str, dict[str, str]]], postmortem: str = ""
    ) -> None:
        """An incident: when, status, message and what components have, the opening first."""
        ago, status, message, given = told[0]
        page, at = self._page.state, self._now - ago
        settings = {"title": title, "message": message, "status": IncidentStatus(status)}
        settings |= {"components": self._affected(given), "notify": True}
        async with self._connection.transaction():
            row: Row[Incident] = await self._stores(Incidents, ago).add(
                incident.create(uuid7(), page, settings, BY, at)
            )
        for ago, status, message, given in told[1:]:
            at = self._now - ago
            settings = {"status": IncidentStatus(status), "message": message, "components": self._affected(given)}
            async with self._connection.transaction():
                written = incident.update(uuid7(), row.state, page, settings, BY, at)
                await self._stores(Updates, ago).add(written)
                row.state = incident.settle(row.state, written, page, at)
                await self._stores(Incidents, ago).save(row)
        if postmortem:
            row.state = incident.with_postmortem(row.state, postmortem, self._now - ago)
            async with self._connection.transaction():
                await self._stores(Incidents, ago).save(row)

    async def maintenance(
        self, title: str, message: str, names: Iterable[str], ago: timedelta, lasting: timedelta
    ) -> None:
        """A maintenance, announced a week before."""
        before, start = ago + timedelta(days=7), self._now - ago
        settings = {"title": title, "message": message, "components": self._ids(names)}
        settings |= {"scheduled_for": start, "ends_at": start + lasting}
        state = maintenance.create(uuid7(), self._page.state, settings, BY, self._now - before)
        async with self._connection.transaction():
            row = await self._stores(Maintenances, before).add(state)
        for move, at in ((maintenance.start, ago), (maintenance.end, ago - lasting)):
            if at > timedelta():
                row.state = move(row.state, self._now - at)
                async with self._connection.transaction():
                    await self._stores(Maintenances, at).save(row)
