"""What an organisation's monitors, heartbeats and servers show: counts and what is down, kept by triggers (0013)."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pinghome_common.db import Connection, Database, LockNotAvailable
from pinghome_common.worker import Worker
from resource_query.lists import NOUNS

SHOWN = {noun: list(it.states) for noun, it in NOUNS.items() if it.states}
"""By noun, the states that are counted."""
DOWN = 100
"""Of those that are down, how many are listed."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts by noun and state; rows with noun, id, name, since (UNIX microseconds) and reason, longest down first."""

    counts: dict[str, dict[str, int]]
    down: list[Any]


async def read(db: Database, organisation: UUID) -> Overview:
    """The overview of one organisation."""
    async with db.connection() as connection:
        rows = await connection.fetch(
            "SELECT noun, state, n FROM counted_by_state WHERE organisation = $1", organisation
        )
        down = await connection.fetch(_DOWN, organisation, DOWN)
    found = {(row["noun"], row["state"]): row["n"] for row in rows}
    counts = {noun: {state: found.get((noun, state), 0) for state in states} for noun, states in SHOWN.items()}
    return Overview(counts, down)


class EndedRuns(Worker):
    """Each three seconds has heartbeats shown down of which a run has not ended in time: no event may say so."""

    lock = "ended runs"
    every = 3.0
    resident = False

    async def due(self) -> bool:
        """Whether there are any."""
        found: bool = await self._db.fetchval(f"SELECT EXISTS (SELECT FROM shown s WHERE {_ENDED})")  # noqa: S608
        return found

    async def round(self, connection: Connection) -> bool:
        """Finds those of now; gives up before PostgreSQL would see a deadlock with the projection."""
        with suppress(LockNotAvailable):
            async with connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '200ms'")
                await connection.execute(_END)
        return False


_DOWN = """
SELECT s.noun, s.id, s.since, coalesce(r.state, h.state, o.state)->>'name' AS name,
    CASE WHEN h.id IS NULL THEN coalesce(r.state, o.state)->'change'->>'reason'
        WHEN v.status = 'down' THEN v.reason ELSE 'the run did not finish in time' END AS reason
FROM (SELECT * FROM shown WHERE organisation = $1 AND state = 'down' ORDER BY since, id LIMIT $2) s
LEFT JOIN resource r ON r.id = s.id
LEFT JOIN heartbeat h ON h.id = s.id LEFT JOIN runtime_state v ON v.heartbeat = h.id
LEFT JOIN server_resource o ON o.id = s.id
ORDER BY s.since, s.id
"""

_ENDED = "s.state = 'running' AND s.run_until <= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

_END = f"""
UPDATE shown s SET state = 'down', since = CASE WHEN v.status = 'down' THEN v.changed_at ELSE s.run_until END
FROM runtime_state v
WHERE v.heartbeat = s.id AND {_ENDED}
"""  # noqa: S608  # our own words
