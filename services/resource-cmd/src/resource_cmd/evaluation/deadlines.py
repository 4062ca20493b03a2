"""Looks each second for what silence decides: heartbeats and servers that are late, monitors that nobody probed."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from msgspec import structs

from pinghome_common.clock import micros, now
from pinghome_common.db import Connection, Database
from pinghome_common.dead_letters import PARKED, DeadLetters
from pinghome_common.events.heartbeat import RuntimeState, Status
from pinghome_common.store import Actor, no_wait
from pinghome_common.worker import Worker
from resource_cmd.evaluation import quorum
from resource_cmd.evaluation.samples import SILENT, silence_all
from resource_cmd.evaluation.status_changes import StatusChanges
from resource_cmd.evaluation.telemetry import judge
from resource_cmd.heartbeats.store import Heartbeats

ACTOR = Actor("deadlines")

LETTERS = DeadLetters("deadlines")

CONFIRMED = 2_000_000
"""Microseconds that a result takes to get here; only without one is a probe of its own sent to confirm."""

STALE_EVERY = 10
"""Rounds between two looks for monitors without a fresh word, unless a region has just fallen silent."""

# A gateway that has been silent for ten minutes while others spoke is gone and not waited for.
_WATERMARK = """
SELECT min(ticked_at) AS at, max(resumed_at) AS resumed FROM gateway
WHERE ticked_at > (SELECT max(ticked_at) FROM gateway) - 600000000
"""

_LATE = f"""
SELECT heartbeat FROM runtime_state WHERE alert_after <= $1 AND NOT {PARKED.format(worker="deadlines", id="heartbeat")}
ORDER BY alert_after LIMIT 500
"""  # noqa: S608  # our own names

_SILENT = f"""
SELECT s.id {SILENT.format(which="<= $1")} AND NOT {PARKED.format(worker="deadlines", id="s.id")} LIMIT 500
"""

_DUE = f"""
SELECT id FROM resource WHERE judge_at <= $1 AND NOT {PARKED.format(worker="deadlines", id="resource.id")} LIMIT 500
"""  # noqa: S608

_JUST_SILENT = "SELECT EXISTS(SELECT FROM region_heard WHERE heard_at BETWEEN $1 AND $2)"

_MARK = "(SELECT at FROM mark)"

# What a round finds, but for `_STALE`, in one statement.
_ANY = f"""
WITH mark AS MATERIALIZED ({_WATERMARK})
SELECT EXISTS ({_LATE.replace("$1", _MARK)}) OR EXISTS ({_SILENT.replace("$1", _MARK)})
    OR EXISTS ({_DUE.replace("$1", f"{_MARK} - {CONFIRMED}")})
    OR EXISTS (SELECT FROM region_heard WHERE
        heard_at BETWEEN {_MARK} - {20 * quorum.SILENT} AND {_MARK} - {quorum.SILENT})
"""  # noqa: S608

# As long as `fresh_for` says.
_STALE = f"""
SELECT id FROM resource r WHERE status IN ('up', 'down') AND NOT EXISTS (
    SELECT FROM region_observation v LEFT JOIN region_heard h ON h.region = v.region WHERE v.resource = r.id
    AND greatest(v.checked_at, $2) >= $1 - CASE WHEN h.heard_at < $1 - $3::bigint AND $2 < $1 - $3
        THEN 1800000 * r.interval::bigint ELSE (2 * r.interval + 10)::bigint * 1000000 END
) AND NOT {PARKED.format(worker="deadlines", id="r.id")} LIMIT 500
"""  # noqa: S608


class DeadlineWorker(Worker):
    """Judges silence.

    Args:
        after: called when something was decided.
        unit: seconds in one unit of grace and recovery periods.
    """

    lock = "deadlines"
    resident = False

    def __init__(self, db: Database, after: Callable[[], None], unit: int) -> None:
        super().__init__(db)
        self._after, self._unit = after, unit
        self._turn = -1

    async def due(self) -> bool:
        """In each tenth round, and when the watermark has passed a deadline."""
        self._turn = (self._turn + 1) % STALE_EVERY
        return self._turn == 0 or await self._db.fetchval(_ANY)

    async def round(self, connection: Connection) -> bool:
        """One round."""
        mark = await connection.fetchrow(_WATERMARK)
        if mark and mark["at"] is not None:
            # Silence is judged only as far as the gateways vouch for having heard everything.
            await self._judge_silence(connection, min(micros(now()), mark["at"]), mark["resumed"])
        return False

    async def _judge_silence(self, connection: Connection, at: int, resumed: int) -> None:
        decided = 0

        async def judge_all(tx: Connection, ids: list[UUID]) -> None:
            nonlocal decided
            decided += await judge(tx, ids, dict.fromkeys(ids, at), self._unit, confirm=True)

        while late := [row["heartbeat"] for row in await connection.fetch(_LATE, at)]:
            await LETTERS.contain(connection, late, partial(miss_all, at=at))
            decided += len(late)
        while quiet := [row["id"] for row in await connection.fetch(_SILENT, at)]:
            await LETTERS.contain(connection, quiet, partial(silence_all, at=at))
            decided += len(quiet)
        due = await connection.fetch(_DUE, at - CONFIRMED)
        just_silent = await connection.fetchval(_JUST_SILENT, at - 20 * quorum.SILENT, at - quorum.SILENT)
        if self._turn == 0 or just_silent:
            due += await connection.fetch(_STALE, at, resumed, quorum.SILENT)
        if due:
            await LETTERS.contain(connection, list({row["id"] for row in due}), judge_all)
        if decided:
            self._after()


async def miss_all(tx: Connection, ids: list[UUID], at: int) -> None:
    """Marks those of some heartbeats down that did not report in time."""
    store, changes = Heartbeats(tx, ACTOR, no_wait, now()), StatusChanges(tx)
    for row in await store.edit_many(ids):
        deadline = await tx.fetchval("SELECT alert_after FROM runtime_state WHERE heartbeat = $1", row.state.id)
        if deadline is not None and deadline <= at:
            await changes.heartbeat(store, row, miss(row.state.vitals, deadline))
    await changes.announce()


def miss(runtime: RuntimeState, deadline: int) -> RuntimeState:
    """The runtime state once `deadline` has passed in silence."""
    reason = "no check-in arrived in time" if runtime.last_start is None else "the run did not finish in time"
    return structs.replace(runtime, status=Status.down, changed_at=deadline, reason=reason)
