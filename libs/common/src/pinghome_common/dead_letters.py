"""Dead letters: items that could not be applied, stored until an operator replays or drops them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from prometheus_client import Counter, Gauge

from pinghome_common.containment import Apply, contained
from pinghome_common.db import Connection
from pinghome_common.logs import error_text, log

COUNT = Counter("pinghome_dead_letters_total", "items that could not be applied", ["worker"])
KEPT = Gauge("pinghome_dead_letters_kept", "items waiting to be replayed or dropped", ["worker"])

MAX_REASON = 1000


@dataclass(slots=True)
class DeadLetter:
    """One item, by a `key` of its worker; `subject`, `body` and `at` (UNIX microseconds) are as received."""

    key: str
    subject: str
    body: bytes
    error: Exception
    at: int = 0


class DeadLetters:
    """The dead letters of one worker.

    Args:
        worker: the stream of a projection, such as `TELEMETRY`, or the name of a worker, such as `deadlines`.
    """

    def __init__(self, worker: str) -> None:
        self._worker = worker

    async def add(self, tx: Connection, letters: Iterable[DeadLetter]) -> None:
        """Stores dead letters; for one that failed before, updates the reason and the number of attempts."""
        for letter in letters:
            reason = _reason(letter.error)
            log.error("dead_letter", worker=self._worker, key=letter.key, error=error_text(letter.error))
            COUNT.labels(self._worker).inc()
            await tx.execute(_ADD, self._worker, letter.key, letter.subject, letter.body, letter.at, reason)

    async def contain(self, connection: Connection, ids: Sequence[UUID], work: Apply[UUID]) -> None:
        """Calls `work` for aggregates in one transaction; one that fails is then skipped for an hour."""
        async with connection.transaction():
            failed = await contained(connection, ids, work)
            await self.remove(connection, map(str, set(ids) - {id_ for id_, _ in failed}))
            await self.add(connection, [DeadLetter(str(id_), "", b"", error) for id_, error in failed])

    async def to_replay(self, tx: Connection) -> list[Any]:
        """Locks and returns the dead letters marked for replay, oldest first."""
        rows: list[Any] = await tx.fetch(_TO_REPLAY, self._worker)
        return rows

    async def remove(self, tx: Connection, keys: Iterable[str]) -> None:
        """Deletes dead letters by key; unknown keys are ignored."""
        await tx.execute("DELETE FROM dead_letter WHERE worker = $1 AND key = ANY($2::text[])", self._worker, [*keys])


async def dead_letters_waiting(connection: Connection, workers: Sequence[str]) -> set[str]:
    """Those of some workers of whom any are marked for replay; also updates the gauge."""
    rows = {row["worker"]: row for row in await connection.fetch(_KEPT, workers)}
    for worker in workers:
        KEPT.labels(worker).set(rows[worker]["kept"] if worker in rows else 0)
    return {worker for worker, row in rows.items() if row["waiting"]}


def _reason(error: Exception) -> str:
    """The error as text that PostgreSQL can store, as it may quote bad data."""
    text = repr(error).encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return text[:MAX_REASON]


def describe(row: Any) -> dict[str, Any]:
    """A row of `dead_letter` for display, with its body decoded if possible."""
    body: Any = row["body"]
    for decode in (msgspec.json.decode, msgspec.msgpack.decode):
        try:
            body = decode(row["body"])
            break
        except (ValueError, RecursionError):
            continue
    return {**dict(row), "body": _printable(body)}


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _printable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_printable(each) for each in value]
    return value.hex() if isinstance(value, bytes) else value


_ADD = """
INSERT INTO dead_letter AS old (worker, key, subject, body, sent_at, error) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (worker, key) DO UPDATE SET error = $6, attempts = old.attempts + 1, at = now(), replay = false
"""

_KEPT = """
SELECT worker, count(*) AS kept, bool_or(replay) AS waiting FROM dead_letter
WHERE worker = ANY($1::text[]) GROUP BY worker
"""

_TO_REPLAY = "SELECT * FROM dead_letter WHERE worker = $1 AND replay ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED"

PARKED = """
EXISTS (SELECT FROM dead_letter d WHERE d.worker = '{worker}' AND d.key = {id}::text AND NOT d.replay
    AND d.at > now() - interval '1 hour')
"""
"""SQL condition: the worker has failed for this aggregate in the last hour and skips it."""
