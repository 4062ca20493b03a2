"""Opens and resolves automatic incidents: looks at pages when what they follow changes, and when a delay is over."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.dead_letters import PARKED, DeadLetters
from pinghome_common.events import followed
from pinghome_common.events.incident import Incident
from pinghome_common.events.statuspage import ComponentStatus, StatusPage
from pinghome_common.store import Actor, Row, no_wait
from pinghome_common.stream import Broker
from pinghome_common.worker import Worker
from statuspage_cmd.incidents import automatic
from statuspage_cmd.incidents.automatic import Act, Watched
from statuspage_cmd.incidents.store import Incidents, Updates
from statuspage_cmd.pages.store import Pages
from statuspage_cmd.subscriptions import announce

ACTOR = Actor("watch")

LETTERS = DeadLetters("watch")

_DUE = f"""
SELECT id FROM statuspage WHERE look_at <= now() AND NOT {PARKED.format(worker="watch", id="statuspage.id")}
ORDER BY look_at LIMIT 100
"""  # noqa: S608  # our own names


class Watch(Worker):
    """Looks each second, or when woken; `after` is called when something was decided."""

    lock = "watch"
    resident = False

    def __init__(self, db: Database, broker: Broker, after: Callable[[], None]) -> None:
        super().__init__(db)
        self._broker, self._after = broker, after

    async def due(self) -> bool:
        """Whether there is a page to look at."""
        return await self._db.fetchrow(_DUE) is not None

    async def round(self, connection: Connection) -> bool:
        """One round; each page is a transaction of its own."""
        due = await connection.fetch(_DUE)
        # What is not projected yet may say that an outage is over.
        if not due or not await self._caught_up(connection):
            return False
        for row in due:
            await LETTERS.contain(connection, [row["id"]], look)
        self._after()
        return len(due) == 100

    async def _caught_up(self, connection: Connection) -> bool:
        """Whether all events that are in the stream now, of what may be followed, are projected."""
        seq = await connection.fetchval("SELECT seq FROM checkpoint WHERE stream = 'EVENTS'") or 0
        for noun in followed.NOUNS:
            found = await self._broker.api("STREAM.MSG.GET.EVENTS", {"last_by_subj": f"events.{noun}.>"})
            if found.get("message", {}).get("seq", 0) > seq:
                return False
        return True


async def look(tx: Connection, ids: list[UUID]) -> None:
    """Does what is to be done about the outages of some pages."""
    at = now()
    for row in await Pages(tx, ACTOR, no_wait, at).edit_many(ids):
        page, incident = row.state, await _automatic(tx, row.state.id, at)
        watched, by_people = await _watched(tx, page), await _by_people(tx, page.id)
        decision = automatic.decide(page, watched, incident.state if incident else None, by_people, at)
        incidents, updates = Incidents(tx, ACTOR, no_wait, at), Updates(tx, ACTOR, no_wait, at)
        if decision.act is Act.open:
            opened = automatic.opened(uuid7(), page, decision.components, at)
            await incidents.add(opened)
            await announce.incident(tx, page, opened, None, "published")
        elif decision.act and incident:
            incident.state, update = automatic.updated(uuid7(), incident.state, page, decision, at)
            await updates.add(update)
            await incidents.save(incident)
            await announce.incident(tx, page, incident.state, update, "published")
        await tx.executemany(_TOLD, [(each.id, page.id, each.since) for each in decision.told])
        await tx.execute("UPDATE statuspage SET look_at = $2 WHERE id = $1", page.id, decision.look_at)


async def _automatic(tx: Connection, page: UUID, at: datetime) -> Row[Incident] | None:
    id_ = await tx.fetchval("SELECT id FROM incident WHERE page = $1 AND automatic ORDER BY id DESC LIMIT 1", page)
    rows = await Incidents(tx, ACTOR, no_wait, at).edit_many([id_]) if id_ else []
    return rows[0] if rows else None


async def _watched(tx: Connection, page: StatusPage) -> list[Watched]:
    """The components that are shown and follow something; one that was set by hand does not follow it."""
    following = {
        each.id: each
        for each in page.components
        if each.resource_id and each.showcased and each.status is ComponentStatus.operational
    }
    rows: list[Any] = await tx.fetch(
        _WATCHED, page.id, [*following], [it.resource_id for it in following.values()], page.organisation
    )
    return [
        Watched(
            id=row["id"], name=following[row["id"]].name, down=row["status"] == ComponentStatus.major_outage,
            since=row["at"], told=row["told"], maintained=row["maintained"],
        )
        for row in rows
    ]  # fmt: skip


async def _by_people(tx: Connection, page: UUID) -> set[UUID]:
    rows = await tx.fetch(
        "SELECT (jsonb_array_elements(state->'components')->>'component')::uuid AS id FROM incident"
        " WHERE page = $1 AND open AND NOT automatic",
        page,
    )
    return {row["id"] for row in rows}


_WATCHED = """
SELECT c.id, f.status, f.at, t.since AS told, EXISTS (
    SELECT FROM maintenance m WHERE m.page = $1 AND m.due IS NOT NULL AND m.state->>'status' = 'in_progress'
    AND m.state->'components' ? c.id::text
) AS maintained
FROM unnest($2::uuid[], $3::uuid[]) c (id, followed)
JOIN followed f ON f.id = c.followed AND f.organisation = $4
LEFT JOIN outage_told t ON t.component = c.id
"""

_TOLD = "INSERT INTO outage_told VALUES ($1, $2, $3) ON CONFLICT (component) DO UPDATE SET since = $3"
