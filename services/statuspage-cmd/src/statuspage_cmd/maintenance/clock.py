"""Begins and ends maintenance by the clock; makes the occurrences of what comes again, and tells of them ahead."""

from collections.abc import Callable
from uuid import UUID

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.dead_letters import PARKED, DeadLetters
from pinghome_common.events.incident import MaintenanceStatus
from pinghome_common.store import Actor, no_wait
from pinghome_common.worker import Worker
from statuspage_cmd.maintenance import maintenance, recurrence
from statuspage_cmd.maintenance.store import Maintenances, Recurrences
from statuspage_cmd.pages.store import Pages
from statuspage_cmd.subscriptions import announce

ACTOR = Actor("clock")

LETTERS = DeadLetters("clock")

_DUE = f"""
SELECT id FROM maintenance WHERE due <= $1 AND NOT {PARKED.format(worker="clock", id="maintenance.id")}
ORDER BY due LIMIT 500
"""  # noqa: S608  # our own names

_UNTOLD = f"""
SELECT id FROM maintenance WHERE untold AND due <= $1 AND NOT {PARKED.format(worker="clock", id="maintenance.id")}
ORDER BY due LIMIT 500
"""  # noqa: S608

_NEAR = f"""
SELECT id FROM recurrence WHERE next_at <= $1 AND NOT {PARKED.format(worker="clock", id="recurrence.id")} LIMIT 500
"""  # noqa: S608

_ANY = f"SELECT EXISTS ({_UNTOLD}) OR EXISTS ({_DUE.replace('$1', '$2')}) OR EXISTS ({_NEAR.replace('$1', '$3')})"


class Clock(Worker):
    """Looks each second; `after` is called when something was changed."""

    lock = "clock"
    resident = False

    def __init__(self, db: Database, after: Callable[[], None]) -> None:
        super().__init__(db)
        self._after = after

    async def due(self) -> bool:
        """Whether the time of anything has come."""
        at = now()
        found: bool = await self._db.fetchval(_ANY, at + recurrence.TOLD, at, at + recurrence.AHEAD)
        return found

    async def round(self, connection: Connection) -> bool:
        """One round; each maintenance and each rule is a transaction of its own."""
        at = now()
        untold = await connection.fetch(_UNTOLD, at + recurrence.TOLD)
        due = await connection.fetch(_DUE, at)
        near = await connection.fetch(_NEAR, at + recurrence.AHEAD)
        for row in untold:
            await LETTERS.contain(connection, [row["id"]], tell_ahead)
        for row in due:
            await LETTERS.contain(connection, [row["id"]], advance)
        for row in near:
            await LETTERS.contain(connection, [row["id"]], prolong)
        if untold or due or near:
            self._after()
        return 500 in {len(untold), len(due)}


async def advance(tx: Connection, ids: list[UUID]) -> None:
    """Begins or ends those of some maintenances that are due."""
    store = Maintenances(tx, ACTOR, no_wait, now())
    for row in await store.edit_many(ids):
        due = maintenance.due(row.state)
        if due and due <= now():
            row.state = maintenance.by_clock(row.state, now())
            await store.save(row)
            what = "started" if row.state.status is MaintenanceStatus.in_progress else "ended"
            page = await Pages(tx, ACTOR, no_wait, now()).read(row.state.page)
            await announce.maintenance(tx, page, row.state, what)


async def tell_ahead(tx: Connection, ids: list[UUID]) -> None:
    """Has subscribers told of some occurrences that begin soon; what has begun meanwhile is told as that."""
    at = now()
    store = Maintenances(tx, ACTOR, no_wait, at)
    for row in await store.edit_many(ids):
        if row.state.status is MaintenanceStatus.scheduled and row.state.scheduled_for > at:
            page = await Pages(tx, ACTOR, no_wait, at).read(row.state.page)
            await announce.maintenance(tx, page, row.state, "scheduled", at)
    await store.tell_ahead(ids, untold=False)


async def prolong(tx: Connection, ids: list[UUID]) -> None:
    """Makes those occurrences of some rules that have come near."""
    parts = tx, ACTOR, no_wait, now()
    store, maintenances = Recurrences(*parts), Maintenances(*parts)
    for id_ in ids:
        # The page first, as in commands: nobody then waits for what the other one holds.
        page = await tx.fetchval("SELECT page FROM recurrence WHERE id = $1", id_)
        await Pages(*parts).edit_many([page])
        for row in await store.edit_many([id_]):
            if await tx.fetchval("SELECT next_at <= $2 FROM recurrence WHERE id = $1", id_, now() + recurrence.AHEAD):
                await store.plan(row.state, maintenances)
