"""Tells the channels of a monitor that it cannot be judged, once, when that lasts though its regions are well."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from pinghome_common import clock
from pinghome_common.clock import micros
from pinghome_common.db import Connection, Database
from pinghome_common.dead_letters import PARKED, DeadLetters
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.store import Actor, no_wait
from pinghome_common.worker import Worker
from resource_cmd.delivery.audience import announce
from resource_cmd.delivery.mutes import MUTED
from resource_cmd.evaluation.status_changes import of_unjudged
from resource_cmd.monitors.store import Resources

ACTOR = Actor("unjudged")
LETTERS = DeadLetters("unjudged")

INTERVALS = 10
"""Intervals after which it is told."""


class Unjudged(Worker):
    """Looks for monitors that stay unknown.

    Args:
        db: of this service.
        after: called when somebody was told.
    """

    lock = "unjudged"
    every = 10.0
    resident = False

    def __init__(self, db: Database, after: Callable[[], None]) -> None:
        super().__init__(db)
        self._after = after

    async def round(self, connection: Connection) -> bool:
        """Tells of those that have lasted by now."""
        if told := await tell(connection, clock.now()):
            self._after()
        return bool(told)


async def tell(tx: Connection, now: datetime) -> int:
    """Announces up to 100 monitors that have been unknown for too long; returns how many there were."""
    found = await tx.fetch(_LASTING, now, INTERVALS, micros(now), MICRO)
    if found:
        await LETTERS.contain(tx, [row["id"] for row in found], partial(_tell, now=now))
    return len(found)


async def _tell(tx: Connection, ids: list[UUID], now: datetime) -> None:
    store = Resources(tx, ACTOR, no_wait, now)
    for row in await store.edit_many(ids):
        if row.state.change.status == "unknown" and row.state.unjudged_version != row.state.change.version:
            row.state.unjudged_version = row.state.change.version
            await store.save(row, "unjudged")  # an event of its own, for a notice is known by its event's version
            await announce(tx, [of_unjudged(row.state, row.version)])


# A region is well that judges others just now; or that looks at this monitor alone and still reports.
_LASTING = f"""
WITH fresh AS (
    SELECT v.region, v.up IS NOT NULL AS judged FROM region_observation v JOIN resource r ON r.id = v.resource
    WHERE v.checked_at >= $3 - (2 * r.interval + 10)::bigint * $4
), well AS (
    SELECT region FROM fresh GROUP BY region HAVING bool_or(judged) OR count(*) = 1
)
SELECT id FROM resource WHERE status = 'unknown'
    AND (state->'change'->>'at')::timestamptz < $1::timestamptz - $2::int * interval * interval '1 second'
    AND coalesce((state->>'unjudged_version')::int, 0) <> (state->'change'->>'version')::int
    AND state->'regions' ?| ARRAY(SELECT region FROM well)
    AND (organisation, id) NOT IN ({MUTED})
    AND NOT {PARKED.format(worker="unjudged", id="resource.id")}
LIMIT 100
"""  # noqa: S608  # our own words
