"""Makes a read model again from the event log while it serves, and changes only what differs.

The log is applied to temporary tables, which hide the real ones by name, so that the projection's own functions fill
them. Then, while the projection waits, both are compared at the projection's checkpoint. Whatever is killed, the
temporary tables are gone and the read model is as it was.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from pinghome_common.containment import Apply, contained
from pinghome_common.db import Connection
from pinghome_common.errors import DomainError
from pinghome_common.items import Item, read
from pinghome_common.settings import Settings
from pinghome_common.stream import Message

PART = 2000
"""Events applied at a time."""

TRIES = 20
"""Times that a difference is looked at again while there are new events."""

PATIENCE = 60.0
"""Seconds in which the projection must have applied what the log had at the beginning."""


@dataclass(frozen=True, kw_only=True)
class Log:
    """A log of events: its database, its stream, and what the projection does with the events of some subjects."""

    database: str
    stream: str
    subjects: Sequence[str]
    apply: Apply[Item]


async def _nothing(_: Connection) -> None: ...


@dataclass(frozen=True)
class Rollup:
    """A table that is counted from rows of others, which are kept for a while.

    Attributes:
        differing: the keys that do not say what the rows do, in one snapshot.
        mend: counts some keys anew while nobody writes.
    """

    table: str
    differing: Callable[[Connection], Awaitable[list[Any]]]
    mend: Callable[[Connection, list[Any]], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class ReadModel:
    """A read model that is derived from logs.

    Attributes:
        database: of its service.
        logs: what it is derived from.
        tables: that are, each before those that refer to it.
        scratch: other tables to which the functions of the logs write; what they write there is thrown away.
        rollups: what is counted from rows that come from telemetry.
        complete: adds to the temporary tables what is not in the logs. The real ones are in the schema `public`.
        changed: called in the transaction in which something was changed.
    """

    database: str
    logs: Sequence[Log]
    tables: Sequence[str]
    scratch: Sequence[str] = ()
    rollups: Sequence[Rollup] = ()
    complete: Callable[[Connection], Awaitable[None]] = _nothing
    changed: Callable[[Connection], Awaitable[None]] = _nothing


@dataclass(kw_only=True)
class Outcome:
    """What a rebuild has done: hashes of all tables, and rows by table where they differed."""

    before: str
    after: str
    events: int
    failed: int
    missing: dict[str, int] = field(default_factory=dict)
    extra: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)


class Rebuild:
    """One rebuild; `report` is told how many events are applied.

    Args:
        model: what is rebuilt.
        settings: with the URL of the databases.
    """

    def __init__(self, model: ReadModel, settings: Settings, report: Callable[[int], None]) -> None:
        self._model, self._settings, self._report = model, settings, report
        self._read: dict[str, int] = dict.fromkeys((log.stream for log in model.logs), 0)
        self._reached = dict(self._read)
        self._events = self._failed = 0
        self._differing: dict[str, list[Any]] = {}

    async def run(self) -> Outcome:
        """Rebuilds.

        Raises:
            DomainError: the projection is too far behind, or not running.
        """
        connection = await asyncpg.connect(self._settings.database(self._model.database), command_timeout=None)
        logs = {}
        try:
            for log in self._model.logs:
                logs[log.stream] = await asyncpg.connect(self._settings.database(log.database))
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                for rollup in self._model.rollups:
                    self._differing[rollup.table] = await rollup.differing(connection)
            await self._make_tables(connection)
            for log in self._model.logs:
                async with connection.transaction(readonly=True):  # nothing but temporary tables can be written
                    await self._apply(connection, logs[log.stream], log, None)
            return await self._settle(connection, logs)
        finally:
            for each in (connection, *logs.values()):
                await each.close()

    async def _make_tables(self, connection: Connection) -> None:
        names = [*self._model.tables, *self._model.scratch]
        references = await connection.fetch(_REFERENCES, names)
        for name in names:
            await connection.execute(f'CREATE TEMP TABLE "{name}" (LIKE public."{name}" INCLUDING ALL)')
        for row in references:
            await connection.execute(f'ALTER TABLE pg_temp."{row["name"]}" ADD {row["definition"]}')

    async def _apply(self, connection: Connection, source: Connection, log: Log, until: int | None) -> None:
        """Applies events that were not applied yet, up to a sequence of the stream."""
        while rows := await source.fetch(_EVENTS, self._read[log.stream], _beginnings(log), until, PART):
            messages = [Message(row["published_seq"], row["address"], row["body"]) for row in rows]
            items = [item for message in messages for item in read(message).items]
            failed = await contained(connection, items, log.apply)
            self._failed += len(messages) - len(items) + len(failed)
            self._events += len(messages)
            self._read[log.stream] = rows[-1]["id"]
            self._reached[log.stream] = max(self._reached[log.stream], rows[-1]["published_seq"])
            self._report(len(messages))

    async def _settle(self, connection: Connection, logs: dict[str, Connection]) -> Outcome:
        """Compares and mends at a moment at which the projection and the temporary tables have applied the same."""
        deadline, tries = time.monotonic() + PATIENCE, 0
        while True:
            try:
                async with connection.transaction():
                    await self._lock(connection)
                    if await self._level(connection, logs):
                        tries += 1
                        if outcome := await self._mend(connection, sure=tries > TRIES or await self._quiet(logs)):
                            return outcome
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                pass
            if time.monotonic() > deadline:
                raise DomainError("The projection is a minute behind, so nothing was changed: look at /readyz.")
            await asyncio.sleep(0.2)

    async def _lock(self, connection: Connection) -> None:
        """Has the projection wait, and nobody who reads; gives up before the server would see a deadlock."""
        await connection.execute("SET LOCAL lock_timeout = '500ms'")
        rollups = (rollup.table for rollup in self._model.rollups)
        tables = ", ".join(f'public."{name}"' for name in (*self._model.tables, *rollups, "checkpoint"))
        await connection.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE")

    async def _level(self, connection: Connection, logs: dict[str, Connection]) -> bool:
        """Applies what the projection has applied since; false if it has not applied what was applied here."""
        for log in self._model.logs:
            at = await connection.fetchval("SELECT seq FROM public.checkpoint WHERE stream = $1", log.stream) or 0
            if at < self._reached[log.stream] or not await logs[log.stream].fetchval(_MARKED, at):
                return False
            await self._apply(connection, logs[log.stream], log, at)
        return True

    async def _quiet(self, logs: dict[str, Connection]) -> bool:
        """True if no event is on its way: telemetry may have had the projection apply one ahead of its checkpoint."""
        for log in self._model.logs:
            if await logs[log.stream].fetchval(_MORE, self._read[log.stream], _beginnings(log)):
                return False
        return True

    async def _mend(self, connection: Connection, *, sure: bool) -> Outcome | None:
        """Compares and writes what differs; None if something differs and may do so only for a moment."""
        await self._model.complete(connection)
        before = await self._hash(connection, "public")
        wanted = await self._hash(connection, "pg_temp")
        outcome = Outcome(before=before, after=wanted, events=self._events, failed=self._failed)
        if before == wanted and not any(self._differing.values()):
            return outcome
        if not sure:
            return None
        await self._write(connection, outcome)
        if await self._hash(connection, "public") != wanted:
            raise DomainError("The tables differ after they were mended, so nothing was changed: this is a bug.")
        await connection.execute("SET LOCAL search_path = public, pg_temp")  # else temporary tables are found first
        for rollup in self._model.rollups:
            outcome.changed[rollup.table] = len(self._differing[rollup.table])
            if self._differing[rollup.table]:
                await rollup.mend(connection, self._differing[rollup.table])
        outcome.after = await self._hash(connection, "public")
        await self._model.changed(connection)
        return outcome

    async def _write(self, connection: Connection, outcome: Outcome) -> None:
        """Writes into the real tables what differs, in an order in which no reference is broken."""
        keys = {row["name"]: row["key"] for row in await connection.fetch(_KEYS, self._model.tables)}
        for name in reversed(self._model.tables):
            outcome.extra[name] = await _count(connection, _DELETE.format(name=name, same=_same(keys[name])))
        for name in self._model.tables:
            columns = [row["attname"] for row in await connection.fetch(_COLUMNS, f'public."{name}"')]
            key, assigned = ", ".join(keys[name]), ", ".join(f'"{each}" = excluded."{each}"' for each in columns)
            missing = _MISSING.format(name=name, same=_same(keys[name]))
            outcome.missing[name] = await connection.fetchval(missing)
            written = _WRITE.format(name=name, key=key, assigned=assigned, same=_same(keys[name]))
            outcome.changed[name] = await _count(connection, written) - outcome.missing[name]

    async def _hash(self, connection: Connection, schema: str) -> str:
        """Of all rows of all tables, in any order; rollups are in `public` only."""
        whole = hashlib.sha256()
        rollups = [("public", rollup.table) for rollup in self._model.rollups]
        for place, name in [*((schema, name) for name in self._model.tables), *rollups]:
            row = await connection.fetchrow(_HASH.format(schema=place, name=name))
            whole.update(f"{name} {row['count']} {row['sum']}\n".encode())
        return whole.hexdigest()[:16]


def _beginnings(log: Log) -> list[str]:
    return [subject.removesuffix(">") for subject in log.subjects]


def _same(key: Sequence[str]) -> str:
    return " AND ".join(f'l."{each}" = t."{each}"' for each in key)


async def _count(connection: Connection, statement: str) -> int:
    return int((await connection.execute(statement)).rpartition(" ")[2])


_REFERENCES = """
SELECT t.relname AS name, pg_get_constraintdef(c.oid) AS definition
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class r ON r.oid = c.confrelid
WHERE c.contype = 'f' AND t.relname = ANY($1::text[]) AND r.relname = ANY($1::text[])
"""

_EVENTS = """
SELECT id, published_seq, address, body FROM events
WHERE id > $1 AND published_seq <= coalesce($3, 9223372036854775807)
    AND EXISTS (SELECT FROM unnest($2::text[]) beginning WHERE starts_with(address, beginning))
ORDER BY id LIMIT $4
"""

_MORE = """
SELECT EXISTS (
    SELECT FROM events WHERE id > $1 AND EXISTS (SELECT FROM unnest($2::text[]) b WHERE starts_with(address, b))
)
"""

# The relay marks an event after it has published it: all that the projection has applied is marked when a later one is.
_MARKED = """
SELECT NOT EXISTS (SELECT FROM events WHERE published_seq IS NULL)
    OR EXISTS (SELECT FROM events WHERE published_seq > $1)
"""

_KEYS = """
SELECT t.relname AS name, array_agg(quote_ident(a.attname)) AS key
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY(c.conkey)
WHERE c.contype = 'p' AND t.relnamespace = 'public'::regnamespace AND t.relname = ANY($1::text[]) GROUP BY 1
"""

_COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped"

_HASH = """
SELECT count(*) AS count, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) AS sum FROM {schema}."{name}" t
"""

_DELETE = 'DELETE FROM public."{name}" l WHERE NOT EXISTS (SELECT FROM pg_temp."{name}" t WHERE {same})'

_MISSING = """
SELECT count(*) FROM pg_temp."{name}" t WHERE NOT EXISTS (SELECT FROM public."{name}" l WHERE {same})
"""

_WRITE = """
INSERT INTO public."{name}" SELECT t.* FROM pg_temp."{name}" t
WHERE NOT EXISTS (SELECT FROM public."{name}" l WHERE {same} AND ROW(l.*) IS NOT DISTINCT FROM ROW(t.*))
ON CONFLICT ({key}) DO UPDATE SET {assigned}
"""
