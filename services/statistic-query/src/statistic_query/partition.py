"""Daily partitions: created with the first row of a day, dropped after the retention period."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from pinghome_common.clock import now
from pinghome_common.db import Connection, Database, LockNotAvailable, delete_in_batches
from pinghome_common.worker import Worker
from statistic_query.servers.names import drop_unseen

DAY = timedelta(days=1)
_NAME = re.compile(r"(result|failure|ping|sample|metric_minute)_(\d{8})")


class Partitions:
    """The daily partitions of tables.

    Args:
        retention_days: how long each table's rows are kept, in days.
    """

    def __init__(self, retention_days: dict[str, int]) -> None:
        self._retention_days = retention_days
        self._created: set[tuple[str, datetime]] = set()

    def keeps(self, table: str, at: datetime) -> bool:
        """True if rows of this time are still kept; not true for more than a day ahead of our clock."""
        oldest, latest = self.kept(table)
        return oldest < at < latest

    def kept(self, table: str) -> tuple[datetime, datetime]:
        """The times between which rows are kept."""
        return now() - timedelta(days=self._retention_days[table]), now() + DAY

    def longest(self, *tables: str) -> int:
        """The days after which nothing is left in any of these."""
        return max(self._retention_days[table] for table in tables) + 2

    async def create(self, tx: Connection, table: str, times: Iterable[datetime]) -> None:
        """Creates the missing partitions for some times, in the caller's transaction.

        They are attached, because PARTITION OF would wait for everybody who reads the table, such as a backup.
        """
        for day in {_day(at) for at in times}:
            if (table, day) not in self._created:
                name = f"{table}_{day:%Y%m%d}"
                if await tx.fetchval("SELECT to_regclass($1) IS NULL", name):
                    await tx.execute(
                        f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS); ALTER TABLE {table} ATTACH PARTITION"
                        f" {name} FOR VALUES FROM ('{day.isoformat()}') TO ('{(day + DAY).isoformat()}')"
                    )
                self._created.add((table, day))

    def forget(self) -> None:
        """Forgets which partitions exist, as the transaction that created one may have been rolled back."""
        self._created.clear()

    async def drop_old(self, connection: Connection) -> None:
        """Drops the partitions of old days; while a backup reads them, the next time will do."""
        for row in await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'r'"):
            found = _NAME.fullmatch(row["relname"])
            if found:
                day = datetime.strptime(found[2], "%Y%m%d").replace(tzinfo=UTC)
                if day + DAY < now() - timedelta(days=self._retention_days[found[1]]):
                    with suppress(LockNotAvailable):
                        await connection.execute(f"SET LOCAL lock_timeout = '1s'; DROP TABLE {row['relname']}")

    async def delete_old(self, connection: Connection) -> None:
        """Deletes old rows of the tables without partitions."""
        for table, condition in _OLD.items():
            days = self._retention_days[_AS_LONG_AS.get(table, table)]
            await delete_in_batches(connection, table, condition, now() - timedelta(days=days))


class Retention(Worker):
    """Deletes expired data each hour."""

    lock = "expire"
    every = 3600.0
    resident = False

    def __init__(self, db: Database, partitions: Partitions) -> None:
        super().__init__(db)
        self._partitions = partitions

    async def round(self, connection: Connection) -> bool:
        """Deletes what has expired."""
        await self._partitions.drop_old(connection)
        await self._partitions.delete_old(connection)
        await drop_unseen(connection, self._partitions.longest("sample", "metric_minute"))
        return False


_AS_LONG_AS = {"notification": "ping", "latency_day": "state_change"}

# The last state change before that time is kept: it gives the state at that time.
_OLD = {
    "notification": "t.at < $1",
    "flip": "t.at < $1",
    "metric_hour": "t.at < $1",
    "latency_day": "t.day < ($1 AT TIME ZONE 'UTC')::date",
    "state_change": (
        "t.at < $1 AND EXISTS (SELECT FROM state_change n WHERE n.resource = t.resource AND n.at < $1"
        " AND (n.at, n.version) > (t.at, t.version))"
    ),
}


def _day(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
