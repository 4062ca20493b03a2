"""The audit log of a query service: who has changed what, from the events that it projects (contract K).

It has the names of changed fields, and never a value: to see what has changed, a checksum of each is kept.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zlib import crc32

import msgspec

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database, LockNotAvailable, array, array_parameters, arrays
from pinghome_common.events import Envelope
from pinghome_common.events.key import Key
from pinghome_common.items import Item
from pinghome_common.worker import Worker

OPERATOR = "operator"
"""The actor of the command line."""

_OWN = {
    *("id", "organisation", "created_at", "updated_at", "previous", "changed_version", "unjudged_version"),
    *("down_since", "vitals", "change", "hash", "folded", "problem", "failing_regions"),
}
"""Fields that are the platform's own book-keeping."""


class _Status(msgspec.Struct):
    status: str = ""


class _Named(msgspec.Struct):
    """What of a state has a place of its own: its name or title, and the status that it shows; sessions have an end."""

    name: str = ""
    title: str = ""
    expires_at: datetime | None = None
    vitals: _Status | None = None
    change: _Status | None = None


class Audit:
    """Stores events as entries, in the partition of their month.

    Args:
        kept_days: how long entries are kept.
        attach: makes partitions that are missing; in a rebuild `complete` does.
    """

    def __init__(self, kept_days: int, *, attach: bool = True) -> None:
        self._kept, self._attach = timedelta(days=kept_days), attach
        self._tx: Connection | None = None
        self._there: set[datetime] = set()

    async def store(self, tx: Connection, items: Iterable[Item]) -> None:
        """Stores the events among some items, in their order, each once; keys are remembered as actors."""
        events: list[tuple[int, Envelope]] = [(item.seq, item.value) for item in items]
        known = {
            row["subject"]: (row["version"], msgspec.json.decode(row["checksums"]))
            for row in await tx.fetch(_KNOWN, [event.subject for _, event in events])
        }
        entries, again, changed = [], [], {}
        oldest, latest = now() - self._kept, now() + timedelta(days=1)
        for seq, event in events:
            version, before = known.get(event.subject, (0, {}))
            if event.version <= version:  # the broker had lost it
                again.append((event.subject, event.version, event.time, seq))
                continue
            after, named = _checksums(event), msgspec.json.decode(event.data, type=_Named)
            fields = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
            known[event.subject] = changed[event.subject] = event.version, {} if event.deleted else after
            if oldest < event.time < latest:
                name = (named.name or named.title)[:500] or None
                what, kind = event.type.partition(".")[2], _kind(event.actor)
                noun = "session" if event.noun == "key" and named.expires_at else event.noun
                entries.append(
                    (seq, event.time, event.organisation, noun, event.subject, event.version, name, what,
                     event.actor, kind, array(fields))
                )  # fmt: skip
        if self._attach:
            await self._attach_once(tx, entries)
        if changed:
            remembered = [(id_, version, msgspec.json.encode(it).decode()) for id_, (version, it) in changed.items()]
            await tx.execute(_STORE, *(arrays(entries) or [array(())] * len(_TYPES)), *arrays(remembered))
        if again:
            await tx.executemany(_AGAIN, again)
        await actors(tx, [event for _, event in events if event.noun == "key"])

    async def _attach_once(self, tx: Connection, entries: Sequence[tuple[Any, ...]]) -> None:
        """Makes the partitions of entries that are missing; asks for no month again that it has found."""
        if tx is not self._tx:  # after a crash the server may have lost what an earlier connection committed
            self._tx, self._there = tx, set()
        if months := {_month(entry[1]) for entry in entries} - self._there:
            made = await attach(tx, months)
            self._there |= months - made  # what was made now may be rolled back

    async def complete(self, tx: Connection) -> None:
        """In a rebuild: makes the partitions of what was rebuilt."""
        await attach(tx, [row["at"] for row in await tx.fetch(_MONTHS)])


async def actors(tx: Connection, events: Iterable[Envelope]) -> None:
    """Remembers the keys among the events of some for good: entries of a revoked one still name it."""
    if rows := [_actor(event) for event in events if not event.deleted]:
        await tx.executemany(_ACTOR, rows)


def _checksums(event: Envelope) -> dict[str, int]:
    state = msgspec.json.decode(event.data, type=dict[str, msgspec.Raw])
    named = msgspec.json.decode(event.data, type=_Named)
    found = {name: crc32(value) for name, value in state.items() if name not in _OWN}
    if status := named.vitals or named.change:
        found["state"] = crc32(status.status.encode())
    return found


def _kind(actor: str) -> str | None:
    """Who an actor is: the id of a key, the command line, or the name of a worker; None if the event does not say."""
    if not actor:
        return None
    with suppress(ValueError):
        return "key" if UUID(actor) else None
    return "command line" if actor == OPERATOR else "worker"


def _actor(event: Envelope) -> tuple[object, ...]:
    it = msgspec.json.decode(event.data, type=Key)
    return it.id, it.organisation, it.name, it.parent, it.expires_at is not None


def _month(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


async def attach(tx: Connection, times: Iterable[datetime]) -> set[datetime]:
    """Makes the partitions of some times that are missing; returns their months."""
    months = {f"audit_{month:%Y%m}": month for month in map(_month, times)}
    rows = await tx.fetch("SELECT name FROM unnest($1::text[]) name WHERE to_regclass(name) IS NULL", [*months])
    for row in rows:
        name, month = row["name"], months[row["name"]]
        after = _month(month + timedelta(days=32))
        # Attached, because PARTITION OF would wait for everybody who reads, such as a backup.
        await tx.execute(
            f"CREATE TABLE public.{name} (LIKE public.audit INCLUDING DEFAULTS); ALTER TABLE public.audit ATTACH"
            f" PARTITION public.{name} FOR VALUES FROM ('{month.isoformat()}') TO ('{after.isoformat()}')"
        )
    return {months[row["name"]] for row in rows}


class Expiry(Worker):
    """Drops each hour the months of which nothing is kept any more."""

    lock = "audit"
    every = 3600.0
    resident = False

    def __init__(self, db: Database, kept_days: int) -> None:
        super().__init__(db)
        self._kept = timedelta(days=kept_days)

    async def round(self, connection: Connection) -> bool:
        """Drops them; while a backup reads one, the next time will do."""
        for row in await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^audit_'"):
            if found := re.fullmatch(r"audit_(\d{6})", row["relname"]):
                month = datetime.strptime(found[1], "%Y%m").replace(tzinfo=UTC)
                if _month(month + timedelta(days=32)) < now() - self._kept:
                    with suppress(LockNotAvailable):
                        await connection.execute(f"SET LOCAL lock_timeout = '1s'; DROP TABLE {row['relname']}")
        return False


@dataclass(frozen=True, slots=True)
class Wanted:
    """Entries before a position, about a noun or one thing, by somebody.

    `by` is the id of a key, to which its sessions count, or `key`, `session`, `command line`, `worker`, `anybody`.
    None: all but workers.
    """

    before: int | None = None
    noun: str | None = None
    subject: UUID | None = None
    by: UUID | str | None = None


async def read(db: Database, organisation: UUID, wanted: Wanted, limit: int) -> list[Any]:
    """Entries of an organisation, newest first, with what is known of their actors."""
    args: list[object] = [organisation, limit]
    conditions = ["a.organisation = $1"]

    def narrow(condition: str, value: object) -> None:
        args.append(value)
        conditions.append(condition.format(f"${len(args)}"))

    if wanted.before is not None:
        narrow("a.seq < {}", wanted.before)
    if wanted.noun:
        narrow("a.noun = {}", wanted.noun)
    if wanted.subject:
        narrow("a.subject = {}", wanted.subject)
    if isinstance(wanted.by, UUID):
        conditions.append("a.kind IS DISTINCT FROM 'worker'")
        narrow("(k.root = {0} OR a.actor = {0}::text)", wanted.by)
    else:
        conditions.append(_BY[wanted.by])
    found: list[Any] = await db.fetch(_ENTRIES.format(" AND ".join(conditions)), *args)
    return found


_BY = {
    None: "a.kind IS DISTINCT FROM 'worker'",
    "anybody": "true",
    "worker": "a.kind = 'worker'",
    "command line": "a.kind IS DISTINCT FROM 'worker' AND a.kind = 'command line'",
    "key": "a.kind IS DISTINCT FROM 'worker' AND a.kind = 'key' AND k.session IS NOT TRUE",
    "session": "a.kind IS DISTINCT FROM 'worker' AND k.session",
}

_ENTRIES = """
SELECT a.*, k.name AS by_name, k.root, coalesce(k.session, false) AS session
FROM audit a LEFT JOIN actor k ON k.id = CASE WHEN a.kind = 'key' THEN a.actor::uuid END
WHERE {} ORDER BY a.seq DESC LIMIT $2
"""

_MONTHS = "SELECT min(at) AS at FROM pg_temp.audit GROUP BY date_trunc('month', at, 'UTC')"

_KNOWN = "SELECT * FROM audited WHERE subject = ANY($1::uuid[])"

_TYPES = {
    "seq": "bigint", "at": "timestamptz", "organisation": "uuid", "noun": "text", "subject": "uuid", "version": "int",
    "name": "text", "what": "text", "actor": "text", "kind": "text", "fields": "text",
}  # fmt: skip

_STORE = f"""
WITH entry AS (
    INSERT INTO audit ({", ".join(_TYPES)}) SELECT {", ".join(list(_TYPES)[:-1])}, fields::text[]
    FROM unnest({array_parameters(_TYPES.values())}) n ({", ".join(_TYPES)})
    ON CONFLICT (subject, version, at) DO NOTHING
)
INSERT INTO audited (subject, version, checksums)
SELECT * FROM unnest({array_parameters(("uuid", "int", "jsonb"), len(_TYPES) + 1)})
ON CONFLICT (subject) DO UPDATE SET version = excluded.version, checksums = excluded.checksums
"""  # noqa: S608  # our own names

_AGAIN = "UPDATE audit SET seq = $4 WHERE subject = $1 AND version = $2 AND at = $3"

_ACTOR = "INSERT INTO actor (id, organisation, name, root, session) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
