"""Looks each second for what silence decides: heartbeats that are late, monitors that nobody has probed."""

import asyncio
from collections.abc import Callable

from pinghome_common.clock import micros, now
from pinghome_common.db import Connection, Database, only_one
from pinghome_common.events.heartbeat import miss
from resource_cmd.heartbeat import with_vitals
from resource_cmd.listen import judge
from resource_cmd.notify.ledger import Notice, announce
from resource_cmd.notify.words import of_heartbeat
from resource_cmd.store import Actor, Heartbeats, unheard

SWEEPER = Actor("sweeper")

CONFIRMED = 2_000_000
"""Microseconds that a result takes to get here; only without one is a probe of its own sent to confirm."""

STALE_EVERY = 10
"""Sweeps between two looks for monitors without a fresh word."""

# A gateway that has been silent for ten minutes while others spoke is gone and not waited for.
_WATERMARK = """
SELECT min(ticked_at) AS at, max(resumed_at) AS resumed FROM gateway
WHERE ticked_at > (SELECT max(ticked_at) FROM gateway) - 600000000
"""

_LATE = "SELECT heartbeat FROM vitals WHERE alert_after <= $1 ORDER BY alert_after LIMIT 500"

_STALE = """
SELECT id FROM resource r WHERE status IN ('up', 'down') AND NOT EXISTS (
    SELECT FROM view v WHERE v.resource = r.id
    AND greatest(v.checked_at, $2) >= $1 - (2 * r.interval + 10)::bigint * 1000000
) LIMIT 500
"""


class Sweeper:
    """One is active at a time.

    Args:
        after: called when something was decided.
        unit: seconds in one unit of grace and recovery periods.
    """

    def __init__(self, db: Database, after: Callable[[], None], unit: int) -> None:
        self._db, self._after, self._unit = db, after, unit

    async def run(self) -> None:
        """Sweeps until cancelled."""
        connection = await self._db.own()
        try:
            await only_one(connection, "sweep")
            turn = 0
            while True:
                mark = await connection.fetchrow(_WATERMARK)
                if mark and mark["at"] is not None:
                    # Silence is judged only as far as the gateways vouch for having heard everything.
                    await self._sweep(connection, min(micros(now()), mark["at"]), mark["resumed"], turn)
                turn = (turn + 1) % STALE_EVERY
                await asyncio.sleep(1.0)
        finally:
            connection.terminate()

    async def _sweep(self, connection: Connection, at: int, resumed: int, turn: int) -> None:
        decided = 0
        while found := await self._late(connection, at):
            decided += found
        due = await connection.fetch("SELECT id FROM resource WHERE judge_at <= $1 LIMIT 500", at - CONFIRMED)
        if turn == 0:
            due += await connection.fetch(_STALE, at, resumed)
        if due:
            async with connection.transaction():
                ids = list({row["id"] for row in due})
                decided += await judge(connection, ids, dict.fromkeys(ids, at), self._unit, confirm=True)
        if decided:
            self._after()

    async def _late(self, connection: Connection, at: int) -> int:
        """Marks up to 500 heartbeats down that did not report in time; returns how many there were."""
        due = await connection.fetch(_LATE, at)
        if not due:
            return 0
        async with connection.transaction():
            store, notices = Heartbeats(connection, SWEEPER, unheard, now()), list[Notice]()
            for row in await store.edit_many([each["heartbeat"] for each in due]):
                it = row.state
                deadline = await connection.fetchval("SELECT alert_after FROM vitals WHERE heartbeat = $1", it.id)
                if deadline is not None and deadline <= at:
                    missed = with_vitals(it, miss(it.vitals, deadline), row.version + 1)
                    row.state, told = of_heartbeat(missed, row.version + 1)
                    notices += told
                    await store.save(row, "status-changed")
            await announce(connection, notices)
        return len(due)
