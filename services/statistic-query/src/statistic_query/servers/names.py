"""The dictionary of names of servers' mounts, disks and interfaces."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from uuid import UUID

from pinghome_common.clock import now
from pinghome_common.db import Connection
from statistic_query.servers.figures import Name

MAX_NAMES = 10_000
"""Names of one server; figures of further ones are not stored."""

MAX_CACHED = 500_000


class Names:
    """Ids of names, cached; only the projection adds names."""

    def __init__(self) -> None:
        self._ids: dict[UUID, dict[Name, int]] = defaultdict(dict)
        self._day: date = date.min
        self._count = 0

    def forget(self) -> None:
        """Empties the cache, as the transaction that added its names may have been rolled back."""
        self._ids.clear()
        self._count = 0

    async def ids(self, tx: Connection, wanted: Mapping[UUID, Iterable[Name]]) -> Mapping[UUID, Mapping[Name, int]]:
        """The ids of names by server; new ones are added, and once a day all that are in use are marked as seen."""
        if (today := now().date()) != self._day or self._count > MAX_CACHED:
            self.forget()
            self._day = today
        new = sorted((server, *name) for server, names in wanted.items() for name in names - self._ids[server].keys())
        if new:
            for row in await tx.fetch(_ADD, *map(list, zip(*new, strict=True)), today, MAX_NAMES):
                self._ids[row["server"]][row["type"], row["name"]] = row["id"]
                self._count += 1
        return self._ids


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
