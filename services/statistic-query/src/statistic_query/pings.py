"""Pings: stored with their numbers, counted by hour, listed, and pruned."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.clock import from_micros
from pinghome_common.db import Connection, Database, FastUUID, apart, array, arrays
from pinghome_common.events import Envelope
from pinghome_common.events.heartbeat import RuntimeState, Status
from pinghome_common.events.ping import Kind, Ping
from pinghome_common.items import parts
from pinghome_common.worker import Worker
from statistic_query.owned import Owned
from statistic_query.partition import Partitions
from statistic_query.ping_sequence import PingSequence

FetchMissing = Callable[[set[UUID]], Awaitable[None]]
Row = Any

HOUR, DAY = 3600 * 1_000_000, 86400 * 1_000_000
"""Microseconds."""

MAX_DURATION = timedelta(hours=72)
"""A longer run has no duration."""

LOOKED_BACK = 200
"""Pings before a page of them among which the beginnings of runs are looked for."""


class _Heartbeat(msgspec.Struct):
    """What of a heartbeat its sequence of pings depends on."""

    vitals: RuntimeState
    manual_resume: bool


async def apply_changes(tx: Connection, events: list[Envelope]) -> None:
    """Applies what events of heartbeats say: commands may have ended the run, or a pause that ignores pings."""
    rows: dict[bool, list[tuple[object, ...]]] = {True: [], False: []}
    for event in events:
        if event.noun == "heartbeat" and not event.deleted:
            it = msgspec.json.decode(event.data, type=_Heartbeat)
            ended = it.vitals.status in (Status.new, Status.paused) and it.vitals.last_start is None
            ignores_from = it.vitals.changed_at if it.vitals.status is Status.paused and it.manual_resume else None
            rows[ended].append((event.subject, event.version, ignores_from))
    for ended, of in rows.items():  # the ended first: of one that has both, none is passed over
        for part in apart(of):
            await tx.execute(_APPLY_CHANGES, *arrays(part), ended)


async def store(tx: Connection, pings: list[Ping], partitions: Partitions, fetch_missing: FetchMissing) -> None:
    """Stores and counts pings, except those of deleted heartbeats.

    Args:
        tx: the projection's transaction.
        pings: in stream order.
        partitions: those of the table `ping`.
        fetch_missing: applies the events of heartbeats that are not known yet.
    """
    ids = {each: FastUUID(each) for each in {ping.heartbeat for ping in pings}}
    sequences = await _sequences(tx, ids.values())
    if unknown := set(ids.values()) - sequences.keys():
        await fetch_missing(unknown)
        sequences |= await _sequences(tx, unknown)
    hours: dict[tuple[UUID, int], list[int]] = defaultdict(lambda: [0] * len(Kind))
    oldest, latest = partitions.kept("ping")
    for part in parts(pings):
        rows: list[Row] = []
        days: dict[int, datetime] = {}
        for ping in part:  # ten thousand a second: no more than what differs from ping to ping
            heartbeat = ids[ping.heartbeat]
            if sequence := sequences.get(heartbeat):
                kind, at = sequence.count(ping), from_micros(ping.at)
                hours[heartbeat, ping.at // HOUR][kind] += 1
                if oldest < at < latest:
                    days[ping.at // DAY] = at
                    rows.append(_row(heartbeat, at, kind, sequence, ping))
        await partitions.create(tx, "ping", days.values())
        await tx.copy_records_to_table("ping", records=rows, columns=_COLUMNS)
    if hours:
        kinds = (Kind.tick, Kind.run, Kind.complete, Kind.fail)
        times = {at: str(from_micros(at * HOUR)) for at in {at for _, at in hours}}
        counts_by_hour = [
            (heartbeat, times[at], *(counts[kind] for kind in kinds))
            for (heartbeat, at), counts in sorted(hours.items())
        ]
        await tx.execute(_PING_HOUR, *arrays(counts_by_hour))
        columns = zip(*(_sequence_row(*it) for it in sorted(sequences.items(), key=lambda it: it[0])), strict=True)
        await tx.execute(_UPDATE_SEQUENCE, *map(array, columns))


def _row(heartbeat: UUID, at: datetime, kind: Kind, sequence: PingSequence, ping: Ping) -> tuple[object, ...]:
    return (
        FastUUID(ping.id), heartbeat, at, kind, ping.message, ping.method, ping.scheme, ping.remote_addr,
        ping.user_agent, sequence.n, ping.body or None, ping.exit_status,
        FastUUID(ping.run_id) if ping.run_id else None,
        sequence.ignores(ping),
    )  # fmt: skip


_COLUMNS = (
    "id", "heartbeat", "at", "kind", "message", "method", "scheme", "remote_addr",
    "user_agent", "n", "body", "exit_status", "run_id", "ignored",
)  # fmt: skip


async def _sequences(tx: Connection, ids: Iterable[UUID]) -> dict[UUID, PingSequence]:
    rows = await tx.fetch(_SEQUENCES, array(ids))
    return {
        row["heartbeat"]: PingSequence(
            n=row["n"], last_event=row["last_event"], running=row["running"],
            run_id=row["run_id"].bytes if row["run_id"] else b"", ignores_from=row["ignores_from"],
        )
        for row in rows
    }  # fmt: skip


def _sequence_row(heartbeat: UUID, it: PingSequence) -> tuple[object, ...]:
    return heartbeat, it.n, it.last_event, it.running, UUID(bytes=it.run_id) if it.run_id else None


class RecentPings:
    """The pings that are kept: the newest `limit` of each heartbeat."""

    def __init__(self, db: Connection, limit: int) -> None:
        self._db, self._limit = db, limit

    async def newest(self, heartbeat: Owned) -> list[Row]:
        """The pings of a heartbeat, newest first, without bodies; `size` is the length of the body in bytes."""
        rows: list[Row] = await self._db.fetch(_NEWEST, heartbeat.id, self._limit)
        return rows

    async def body(self, heartbeat: Owned, n: int) -> bytes | None:
        """The body of a ping; None if there is no such ping, or it had no body."""
        found: bytes | None = await self._db.fetchval(_BODY, heartbeat.id, self._limit, n)
        return found


def durations(rows: Sequence[Row]) -> list[timedelta | None]:
    """How long the run took that each of some pings has ended, newest first; None for a ping that ended none.

    A run began with the ping before it of the same run, if that is among these.
    """
    previous: dict[UUID | None, Row] = {}
    found: list[timedelta | None] = []
    for row in reversed(rows):
        duration = None
        if not row["ignored"] and row["kind"] not in (Kind.log, Kind.ign):
            before = previous.get(row["run_id"])
            if before is not None and before["kind"] == Kind.run and row["kind"] != Kind.run:
                took = row["at"] - before["at"]
                duration = took if timedelta() <= took < MAX_DURATION else None
            previous[row["run_id"]] = row
        found.append(duration)
    return found[::-1]


async def prune(connection: Connection, limit: int) -> int:
    """Deletes all but the newest `limit` pings of each heartbeat with twice as many; returns how many heartbeats.

    Pruning at twice the limit keeps the work per ping constant, and out of the projection.
    """
    rows = await connection.fetch("SELECT heartbeat, n FROM ping_sequence WHERE n - dropped >= 2 * $1::bigint", limit)
    for row in rows:
        heartbeat, until = row["heartbeat"], row["n"] - limit
        async with connection.transaction():
            await connection.execute("DELETE FROM ping WHERE heartbeat = $1 AND n <= $2", heartbeat, until)
            await connection.execute("UPDATE ping_sequence SET dropped = $2 WHERE heartbeat = $1", heartbeat, until)
    return len(rows)


class Pruner(Worker):
    """Prunes each minute; `limit` is the number of pings kept per heartbeat."""

    lock = "prune"
    every = 60.0
    resident = False

    def __init__(self, db: Database, limit: int) -> None:
        super().__init__(db)
        self._limit = limit

    async def round(self, connection: Connection) -> bool:
        """Prunes once."""
        await prune(connection, self._limit)
        return False


def in_columns(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows as columns, for `unnest`."""
    return [list(column) for column in zip(*rows, strict=True)]


_APPLY_CHANGES = """
INSERT INTO ping_sequence AS old (heartbeat, version, ignores_from)
SELECT * FROM unnest($1::text::uuid[], $2::text::int[], $3::text::bigint[])
ON CONFLICT (heartbeat) DO UPDATE SET version = excluded.version, ignores_from = excluded.ignores_from,
    running = old.running AND NOT $4::boolean, run_id = CASE WHEN $4 THEN NULL ELSE old.run_id END
WHERE old.version < excluded.version
"""

_SEQUENCES = "SELECT * FROM ping_sequence WHERE heartbeat = ANY($1::text::uuid[]) AND version > 0"

_UPDATE_SEQUENCE = """
UPDATE ping_sequence t SET n = a.n, last_event = a.last_event, running = a.running, run_id = a.run_id
FROM unnest(
    $1::text::uuid[], $2::text::bigint[], $3::text::bigint[], $4::text::boolean[], $5::text::uuid[]
) a (heartbeat, n, last_event, running, run_id)
WHERE t.heartbeat = a.heartbeat
"""

# The index has the times of pings, not their numbers.
_KEPT = """
SELECT {} FROM (SELECT * FROM ping WHERE heartbeat = $1 ORDER BY at DESC, n DESC LIMIT $2) AS last
WHERE n > (SELECT n FROM ping_sequence WHERE heartbeat = $1) - $2::bigint
"""
_LISTED = "n, kind, ignored, at, scheme, remote_addr, method, user_agent, run_id, length(body) AS size"
_NEWEST = _KEPT.format(_LISTED) + " ORDER BY n DESC"
_BODY = _KEPT.format("body") + " AND n = $3"

_PING_HOUR = """
INSERT INTO ping_hour AS old
SELECT * FROM unnest(
    $1::text::uuid[], $2::text::timestamptz[], $3::text::int[], $4::text::int[], $5::text::int[], $6::text::int[]
)
ON CONFLICT (heartbeat, at) DO UPDATE SET
    tick = old.tick + excluded.tick, run = old.run + excluded.run,
    complete = old.complete + excluded.complete, fail = old.fail + excluded.fail
"""
