"""Stores samples inside the projection's transaction and marks the minutes that they change."""

from collections.abc import Iterable
from uuid import UUID

from pinghome_common.clock import from_micros, micros
from pinghome_common.db import Connection
from pinghome_common.events.metric import Figures, Sample
from statistic_query.partition import Partitions
from statistic_query.pings import in_columns
from statistic_query.servers.figures import COLUMNS, Layout, columns_of, pack, unpack
from statistic_query.servers.names import Names, known

MINUTE = 60_000_000
"""Microseconds."""

Key = tuple[bytes, int]
"""A server, and a time in UNIX microseconds."""

COLUMN_NAMES = ("server", "at", "every", "late", "figures", *COLUMNS.values())


class Samples:
    """Stores samples; what it knows of the table is forgotten with a transaction that is rolled back."""

    def __init__(self, partitions: Partitions) -> None:
        self._partitions, self._names = partitions, Names()
        self._newest: dict[bytes, int] = {}

    def forget(self) -> None:
        """Empties the caches."""
        self._names.forget()
        self._newest.clear()

    async def store(self, tx: Connection, samples: Iterable[Sample]) -> None:
        """Stores samples of servers that exist, in any order; those that are too old are left out.

        A server's sample of one time is stored once. If it comes again with figures that the stored one does not have,
        as an OTLP client may split what it measured at one time, these are added.
        """
        oldest, latest = map(micros, self._partitions.kept("sample"))
        arrived: dict[Key, Sample] = {}
        for it in samples:
            if oldest < it.at < latest:
                if same := arrived.get((it.server, it.at)):
                    it.figures, _ = together(same.figures, it.figures)
                arrived[it.server, it.at] = it
        if not arrived:
            return
        await self._partitions.create(tx, "sample", (from_micros(at) for _, at in arrived))
        changed = await self._add_to_stored(tx, arrived)
        new = list(arrived.values())
        layouts = await self._names.layouts(tx, new)
        ids = {it.server: UUID(bytes=it.server) for it in new}
        rows = [_row(ids[it.server], it, each) for it, each in zip(new, layouts, strict=True)]
        await tx.copy_records_to_table("sample", records=rows, columns=COLUMN_NAMES)
        for it in new:
            self._newest[it.server] = max(self._newest.get(it.server, 0), it.at)
        if minutes := {(server, at // MINUTE) for server, at in (*arrived, *changed)}:
            marks = [(UUID(bytes=server), from_micros(minute * MINUTE)) for server, minute in sorted(minutes)]
            await tx.execute(_MARK, *in_columns(marks))

    async def _add_to_stored(self, tx: Connection, arrived: dict[Key, Sample]) -> list[Key]:
        """Takes what is stored out of what has arrived, adds what it does not have, and returns what it has changed.

        What is newer than the newest sample of its server cannot be stored: most samples take no look.
        """
        if unknown := {server for server, _ in arrived} - self._newest.keys():
            found = await tx.fetch(_NEWEST, [UUID(bytes=server) for server in unknown])
            self._newest |= dict.fromkeys(unknown, 0) | {row["server"].bytes: micros(row["at"]) for row in found}
        older = [(UUID(bytes=server), from_micros(at)) for server, at in arrived if at <= self._newest[server]]
        changed = []
        for row in await tx.fetch(_STORED, *in_columns(older)) if older else ():
            key = row["server"].bytes, micros(row["at"])
            stored = unpack(row["figures"], columns_of(row), await known(tx, row["server"]))
            it = arrived.pop(key)
            it.figures, differs = together(stored, it.figures)
            if differs:
                [each] = await self._names.layouts(tx, [it])
                await tx.execute(_UPDATE, row["server"], row["at"], each.ids, *pack(it.figures, each))
                changed.append(key)
        return changed


def _row(server: UUID, it: Sample, layout: Layout) -> tuple[object, ...]:
    columns = pack(it.figures, layout)
    return server, from_micros(it.at), it.interval, (it.received_at - it.at) / 1e6, layout.ids, *columns


def together(old: list[Figures], new: list[Figures]) -> tuple[list[Figures], bool]:
    """Figures with those that others have in addition, and whether there are such."""
    values = {(it.type, it.name, it.counter): list(it.values) for it in old}
    before = {key: list(each) for key, each in values.items()}
    for it in new:
        kept = values.setdefault((it.type, it.name, it.counter), [None] * len(it.values))
        for place, (one, other) in enumerate(zip(kept, it.values, strict=True)):
            kept[place] = other if one is None else one
    return [Figures(type_, name, each, counter) for (type_, name, counter), each in values.items()], values != before


_NEWEST = """
SELECT server, at FROM unnest($1::uuid[]) AS k (server)
CROSS JOIN LATERAL (SELECT at FROM sample s WHERE s.server = k.server ORDER BY at DESC LIMIT 1) newest
"""

# A subquery per row is never turned into a scan of whole partitions.
_STORED = """
SELECT s.* FROM unnest($1::uuid[], $2::timestamptz[]) AS k (server, at)
CROSS JOIN LATERAL (SELECT * FROM sample WHERE server = k.server AND at = k.at LIMIT 1) s
"""

_UPDATE = """
UPDATE sample SET figures = $3, cpu = $4, memory = $5, swap = $6, disk_io = $7, disk_usage = $8, load = $9,
    network = $10
WHERE server = $1 AND at = $2
"""

# An update of what is there already locks it: the worker then takes the mark after this transaction, not before.
_MARK = """
INSERT INTO metric_mark (level, server, at) SELECT 0, * FROM unnest($1::uuid[], $2::timestamptz[])
ON CONFLICT (level, server, at) DO UPDATE SET level = 0
"""
