"""The dictionary of names of servers' mounts, disks and interfaces."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from uuid import UUID

from pinghome_common.clock import now
from pinghome_common.db import Connection
from pinghome_common.events.metric import COUNTED, Sample
from statistic_query.servers.figures import COLUMNS, Layout, Name, key_of, layout

MAX_NAMES = 10_000
"""Names of one server; figures of further ones are not stored."""

MAX_CACHED = 500_000

Key = list[tuple[str, str, bool]]
"""What a sample has: types, names, and whether they are counters."""


class Names:
    """Ids of names, and with them the layouts of the servers' samples, cached; only the projection adds names."""

    def __init__(self) -> None:
        self._ids: dict[bytes, dict[Name, int]] = defaultdict(dict)
        self._layouts: dict[bytes, Layout] = {}
        self._day: date = date.min
        self._count = 0

    def forget(self) -> None:
        """Empties the cache, as the transaction that added its names may have been rolled back."""
        self._ids.clear()
        self._layouts.clear()
        self._count = 0

    async def layouts(self, tx: Connection, samples: Sequence[Sample]) -> list[Layout]:
        """The layout of each sample; new names are added, and once a day all that are in use are marked as seen."""
        if (today := now().date()) != self._day or self._count > MAX_CACHED:
            self.forget()
            self._day = today
        keys = [key_of(it.figures) for it in samples]
        pairs = list(zip(samples, keys, strict=True))
        new = {it.server: key for it, key in pairs if (old := self._layouts.get(it.server)) is None or old.key != key}
        if new:
            await self._add(tx, [(it.server, key) for it, key in pairs if it.server in new], today)
        found = []
        for it, key in pairs:
            if (cached := self._layouts.get(it.server)) is None or cached.key != key:
                cached = self._layouts[it.server] = layout(key, self._ids[it.server])
            found.append(cached)
        return found

    async def _add(self, tx: Connection, keys: Iterable[tuple[bytes, Key]], today: date) -> None:
        wanted: dict[bytes, set[Name]] = defaultdict(set)
        for server, key in keys:
            names = {(type_, name) for type_, name, _ in key if type_ in COLUMNS}  # others are of a later version
            wanted[server] |= names | {(type_, "") for type_, _ in names if type_ in COUNTED}  # the sums in rollups
        new = sorted((server, *name) for server, names in wanted.items() for name in names - self._ids[server].keys())
        if not new:
            return
        servers, types, names_ = zip(*new, strict=True)
        columns = [UUID(bytes=server) for server in servers], list(types), list(names_)
        for row in await tx.fetch(_ADD, *columns, today, MAX_NAMES):
            self._ids[row["server"].bytes][row["type"], row["name"]] = row["id"]
            self._count += 1


async def known(connection: Connection, server: UUID, type_: str | None = None) -> dict[int, Name]:
    """The names of a server by id, perhaps of one type only."""
    rows = await connection.fetch(
        "SELECT id, type, name FROM metric_name WHERE server = $1 AND ($2::text IS NULL OR type = $2)", server, type_
    )
    return {row["id"]: (row["type"], row["name"]) for row in rows}


async def drop_unseen(connection: Connection, days: int) -> None:
    """Deletes names of which nothing is kept any more."""
    await connection.execute("DELETE FROM metric_name WHERE seen < $1 AND name <> ''", now().date() - timedelta(days))


_ADD = """
INSERT INTO metric_name AS old (server, type, name, seen)
SELECT server, type, name, $4 FROM unnest($1::uuid[], $2::text[], $3::text[]) AS a (server, type, name)
WHERE EXISTS (SELECT FROM metric_name m WHERE m.server = a.server AND m.type = a.type AND m.name = a.name)
    OR (SELECT count(*) FROM metric_name m WHERE m.server = a.server) < $5
ON CONFLICT (server, type, name) DO UPDATE SET seen = excluded.seen RETURNING *
"""
