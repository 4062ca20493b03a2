"""Deletes what has served its time."""

from collections.abc import Mapping

from pinghome_common.db import Connection, Database, delete_in_batches
from pinghome_common.worker import Worker


class Retention(Worker):
    """Looks each hour.

    Args:
        db: of the service.
        old: by table (`t`), the condition of rows that nobody needs any more.
    """

    lock = "retention"
    every = 3600.0
    resident = False

    def __init__(self, db: Database, old: Mapping[str, str]) -> None:
        super().__init__(db)
        self._old = old

    async def round(self, connection: Connection) -> bool:
        """Deletes all that is old now."""
        for table, condition in self._old.items():
            await delete_in_batches(connection, table, condition)
        return False
