"""Pings: stored with their number, counted into their hours, listed, and dropped when there are too many."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.clock import from_micros
from pinghome_common.db import Connection, Database
from pinghome_common.errors import NotFound
from pinghome_common.events import Envelope
from pinghome_common.events.heartbeat import Heartbeat, Status
from pinghome_common.events.ping import Kind, Ping
from pinghome_common.worker import Worker
from statistic_query.owned import Owned
from statistic_query.partition import Partitions
from statistic_query.ping_sequence import PingSequence

Settle = Callable[[set[UUID]], Awaitable[None]]
Row = Any


def learnt(event: Envelope) -> tuple[object, ...]:
    """What LEARN takes in of an event of a heartbeat: what a command changed of its run and pause."""
    it = msgspec.json.decode(event.data, type=Heartbeat)
    still = it.vitals.status in (Status.new, Status.paused) and it.vitals.last_start is None
    ignores = it.vitals.changed_at if it.vitals.status is Status.paused and it.manual_resume else None
    return it.id, event.version, still, ignores


async def store(tx: Connection, pings: list[Ping], partitions: Partitions, settle: Settle) -> None:
    """Stores pings and counts them; those of heartbeats that are gone are passed over.

    Args:
        tx: the projection's transaction.
        pings: in the order of the stream.
        partitions: of the table `ping`.
        settle: fetches from the stream the events of heartbeats that are not known yet.
    """
    ids = {UUID(bytes=ping.heartbeat) for ping in pings}
    tallies = await _tallies(tx, ids)
    if unknown := ids - tallies.keys():
        await settle(unknown)
        tallies |= await _tallies(tx, unknown)
    rows: list[Row] = []
    hours: dict[tuple[UUID, datetime], Counter[int]] = defaultdict(Counter)
    for ping in pings:
        heartbeat, at = UUID(bytes=ping.heartbeat), from_micros(ping.at)
        if tally := tallies.get(heartbeat):
            kind = tally.count(ping)
            hours[heartbeat, hour(at)][kind] += 1
            if partitions.keeps("ping", at):
                rows.append(_row(heartbeat, at, kind, tally, ping))
    await partitions.make(tx, "ping", (row[2] for row in rows))
    await tx.copy_records_to_table("ping", records=rows, columns=_COLUMNS)
    if hours:
        kinds = (Kind.tick, Kind.run, Kind.complete, Kind.fail)
        counted = [(*key, *(counts[kind] for kind in kinds)) for key, counts in sorted(hours.items())]
        await tx.execute(_PING_HOUR, *in_columns(counted))
        await tx.execute(_TALLIED, *in_columns([_tallied(*it) for it in sorted(tallies.items(), key=lambda it: it[0])]))


def _row(heartbeat: UUID, at: datetime, kind: Kind, tally: PingSequence, ping: Ping) -> tuple[object, ...]:
    return (
        UUID(bytes=ping.id), heartbeat, at, kind, ping.message, ping.method, ping.scheme, ping.remote_addr,
        ping.user_agent, tally.n, ping.body or None, ping.exit_status, UUID(bytes=ping.run_id) if ping.run_id else None,
        tally.ignores(ping),
    )  # fmt: skip


_COLUMNS = (
    "id", "heartbeat", "at", "kind", "message", "method", "scheme", "remote_addr",
    "user_agent", "n", "body", "exit_status", "run_id", "ignored",
)  # fmt: skip


async def _tallies(tx: Connection, ids: set[UUID]) -> dict[UUID, PingSequence]:
    rows = await tx.fetch("SELECT * FROM ping_sequence WHERE heartbeat = ANY($1::uuid[]) AND version > 0", list(ids))
    return {
        row["heartbeat"]: PingSequence(
            n=row["n"], last_event=row["last_event"], running=row["running"],
            run_id=row["run_id"].bytes if row["run_id"] else b"", ignores_from=row["ignores_from"],
        )
        for row in rows
    }  # fmt: skip


def _tallied(heartbeat: UUID, it: PingSequence) -> tuple[object, ...]:
    return heartbeat, it.n, it.last_event, it.running, UUID(bytes=it.run_id) if it.run_id else None


class RecentPings:
    """The newest pings of each check, at most `most`: those that are kept."""

    def __init__(self, db: Connection, most: int) -> None:
        self._db, self._most = db, most

    async def newest(self, check: Owned) -> list[Row]:
        """The newest pings, the last first, without bodies; `size` is the body's."""
        rows: list[Row] = await self._db.fetch(_NEWEST, check.id, self._most)
        return rows

    async def body(self, check: Owned, n: int) -> bytes:
        """The body of a ping.

        Raises:
            NotFound: there is no such ping, or it had no body.
        """
        found: bytes | None = await self._db.fetchval(_BODY, check.id, self._most, n)
        if found is None:
            raise NotFound("not found")
        return found


async def prune(connection: Connection, most: int) -> int:
    """Drops all but the newest pings of each heartbeat that has twice too many; how many heartbeats that were.

    So each ping is looked at twice in its life, whatever a heartbeat's rate, and the projection does nothing for it.
    """
    rows = await connection.fetch("SELECT heartbeat, n FROM ping_sequence WHERE n - dropped >= 2 * $1::bigint", most)
    for row in rows:
        heartbeat, until = row["heartbeat"], row["n"] - most
        async with connection.transaction():
            await connection.execute("DELETE FROM ping WHERE heartbeat = $1 AND n <= $2", heartbeat, until)
            await connection.execute("UPDATE ping_sequence SET dropped = $2 WHERE heartbeat = $1", heartbeat, until)
    return len(rows)


class Pruner(Worker):
    """Prunes each minute; `most` is the number of pings that are kept of each heartbeat."""

    lock = "prune"
    every = 60.0

    def __init__(self, db: Database, most: int) -> None:
        super().__init__(db)
        self._most = most

    async def round(self, connection: Connection) -> bool:
        """Drops what is too many now."""
        await prune(connection, self._most)
        return False


def hour(at: datetime) -> datetime:
    """The beginning of the hour, in UTC."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def in_columns(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows as columns, for `unnest`."""
    return [list(column) for column in zip(*rows, strict=True)]


LEARN = """
INSERT INTO ping_sequence AS old (heartbeat, version, ignores_from) VALUES ($1, $2, $4)
ON CONFLICT (heartbeat) DO UPDATE SET version = $2, ignores_from = $4,
    running = old.running AND NOT $3::boolean, run_id = CASE WHEN $3 THEN NULL ELSE old.run_id END
WHERE old.version < $2
"""

_TALLIED = """
UPDATE ping_sequence t SET n = a.n, last_event = a.last_event, running = a.running, run_id = a.run_id
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::boolean[], $5::uuid[])
    a (heartbeat, n, last_event, running, run_id)
WHERE t.heartbeat = a.heartbeat
"""

# The index knows their times, not their numbers.
_KEPT = """
SELECT {} FROM (SELECT * FROM ping WHERE heartbeat = $1 ORDER BY at DESC, n DESC LIMIT $2) AS last
WHERE n > (SELECT n FROM ping_sequence WHERE heartbeat = $1) - $2::bigint
"""
_LISTED = "n, kind, ignored, at, scheme, remote_addr, method, user_agent, run_id, length(body) AS size"
_NEWEST = _KEPT.format(_LISTED) + " ORDER BY n DESC"
_BODY = _KEPT.format("body") + " AND n = $3"

_PING_HOUR = """
INSERT INTO ping_hour AS old
SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::int[], $5::int[], $6::int[])
ON CONFLICT (heartbeat, at) DO UPDATE SET
    tick = old.tick + excluded.tick, run = old.run + excluded.run,
    complete = old.complete + excluded.complete, fail = old.fail + excluded.fail
"""
