"""The base of workers of which only one is active: a dedicated connection, leadership, rounds."""

import asyncio
from contextlib import suppress
from typing import ClassVar

from pinghome_common.db import Connection, Database, acquire_leadership
from pinghome_common.health import resting, round_done


class Worker:
    """Works in rounds as long as its connection lasts: at once while there is more to do, else when woken or when due.

    A subclass names its lock, which one process holds at a time, and the seconds between two rounds.
    """

    lock: ClassVar[str]
    every: ClassVar[float] = 1.0

    def __init__(self, db: Database) -> None:
        self._db = db
        self._woken = asyncio.Event()

    async def begin(self, connection: Connection, /) -> None:
        """Called before the first round, once this process is the active one."""

    async def round(self, connection: Connection, /) -> bool:
        """Does what is due now; true when there is more to do at once."""
        raise NotImplementedError

    def wake(self) -> None:
        """Tells the worker that there may be something to do."""
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled; after an error the supervisor starts it again."""
        connection = await self._db.dedicated_connection()
        try:
            await acquire_leadership(connection, self.lock)
            await self.begin(connection)
            while True:
                self._woken.clear()
                more = await self.round(connection)
                round_done()
                if not more:
                    await self._rest()
        finally:
            connection.terminate()

    async def _rest(self) -> None:
        with resting(), suppress(TimeoutError):
            async with asyncio.timeout(self.every):
                await self._woken.wait()
