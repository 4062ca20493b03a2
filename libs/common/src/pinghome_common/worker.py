"""The base of workers of which only one is active: leadership, rounds."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from pinghome_common.db import Connection, Database
from pinghome_common.health import resting, round_done
from pinghome_common.stream import Broker


class Worker:
    """Works in rounds: at once while there is more to do, else when woken or when due.

    A subclass names its lock, which one process holds at a time, and the seconds between two rounds.
    """

    lock: ClassVar[str]
    every: ClassVar[float] = 1.0
    resident: ClassVar[bool] = True
    """Whether it keeps the lock and a connection of its own between rounds; else it borrows one for each round, as an
    idle connection costs PostgreSQL 2 MB. A resident one may remember things from round to round."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._woken = asyncio.Event()
        self._active = False
        self._wake_others: Callable[[], None] | None = None

    async def begin(self, connection: Connection, /) -> None:
        """Called before the first round, once this process is the active one."""

    async def due(self) -> bool:
        """Whether there may be something to do: of who borrows the lock, which costs two statements, asked before."""
        return True

    async def round(self, connection: Connection, /) -> bool:
        """Does what is due now; true when there is more to do at once."""
        raise NotImplementedError

    def wake(self) -> None:
        """Tells the active worker, of whichever process, that there may be something to do."""
        self._woken.set()
        if not self._active and self._wake_others:
            self._wake_others()

    async def reachable(self, broker: Broker, service: str) -> None:
        """Has `wake` reach the active worker in another process of a service; call once, before `run`."""
        subject = f"wake.{service}.{self.lock}"
        sending: set[asyncio.Task[None]] = set()

        def send() -> None:
            if not sending:  # who wakes meanwhile is heard with it
                task = asyncio.create_task(broker.publish_core(subject, b""))
                sending.add(task)
                task.add_done_callback(sending.discard)

        async def woken(_: object) -> None:
            self._woken.set()

        self._wake_others = send
        await broker.subscribe(subject, woken)

    async def run(self) -> None:
        """Works until cancelled; after an error the supervisor starts it again."""
        while not self.resident:
            self._woken.clear()
            more = await self.due() and await self._borrow()
            round_done()
            if not more:
                await self._rest()
        connection = await self._db.leadership(self.lock)
        try:
            self._active = True
            await self.begin(connection)
            while True:
                self._woken.clear()
                more = await self.round(connection)
                round_done()
                if not more:
                    await self._rest()
        finally:
            self._active = False
            connection.terminate()

    async def _borrow(self) -> bool:
        async with self._db.turn(self.lock) as borrowed:
            return borrowed is not None and await self.round(borrowed)

    async def _rest(self) -> None:
        with resting(), suppress(TimeoutError):
            async with asyncio.timeout(self.every):
                await self._woken.wait()
