"""Tells what was not told of a monitor, heartbeat or server while it was muted, once it no longer is."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database
from pinghome_common.dead_letters import PARKED, DeadLetters
from pinghome_common.store import Actor, Store, no_wait
from pinghome_common.worker import Worker
from resource_cmd.delivery.mutes import MUTED
from resource_cmd.evaluation.status_changes import StatusChanges
from resource_cmd.heartbeats.store import Heartbeats
from resource_cmd.monitors.store import Resources
from resource_cmd.servers.store import Servers

ACTOR = Actor("unmuted")
LETTERS = DeadLetters("unmuted")

STORES: tuple[type[Store[Any]], ...] = (Resources, Heartbeats, Servers)

_OVER = f"""
SELECT noun, about FROM muted WHERE (organisation, about) NOT IN ({MUTED})
    AND NOT {PARKED.format(worker="unmuted", id="about")}
LIMIT 500
"""  # noqa: S608  # our own words


class Unmuted(Worker):
    """Looks each five seconds: the maintenance may have ended, or been changed or deleted.

    Args:
        db: of this service.
        after: called when something may have been told.
    """

    lock = "unmuted"
    every = 5.0
    resident = False

    def __init__(self, db: Database, after: Callable[[], None]) -> None:
        super().__init__(db)
        self._after = after

    async def round(self, connection: Connection) -> bool:
        """One round."""
        rows = await connection.fetch(_OVER, now())
        for store in STORES:
            if found := [row["about"] for row in rows if row["noun"] == store.noun]:
                await LETTERS.contain(connection, found, partial(tell, of=store))
                self._after()
        return len(rows) == 500


async def tell(tx: Connection, ids: list[UUID], of: type[Store[Any]]) -> None:
    """Announces what some of a noun are now, where the last that was told is something else."""
    store, changes = of(tx, ACTOR, no_wait, now()), StatusChanges(tx)
    for row in await store.edit_many(ids):
        await changes.catch_up(store, row)
    await tx.execute("DELETE FROM muted WHERE about = ANY($1::uuid[])", ids)
    await changes.announce()
