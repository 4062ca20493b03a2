"""Workers that borrow their lock for each round: one process at a time, and whichever comes."""

import asyncio
from itertools import pairwise
from typing import ClassVar

from pinghome_common.db import Connection, Database
from pinghome_common.worker import Worker


class Counting(Worker):
    """Notes when rounds begin and end."""

    lock = "counting"
    every: ClassVar[float] = 0.01
    resident = False

    def __init__(self, db: Database, seen: list[tuple[str, str]], name: str) -> None:
        super().__init__(db)
        self._seen, self._name = seen, name

    async def round(self, _: Connection) -> bool:
        self._seen.append((self._name, "begins"))
        await asyncio.sleep(0.002)
        self._seen.append((self._name, "ends"))
        return False


async def test_rounds_of_two_processes_never_overlap_and_go_on_when_one_is_gone(commands):
    seen: list[tuple[str, str]] = []
    async with Database(commands) as one, Database(commands) as other:
        tasks = [asyncio.create_task(Counting(db, seen, name).run()) for db, name in ((one, "one"), (other, "other"))]
        async with asyncio.timeout(60):
            while len({name for name, _ in seen}) < 2 or len(seen) < 100:
                await asyncio.sleep(0.01)
        tasks[0].cancel()
        await asyncio.gather(tasks[0], return_exceptions=True)
        before = len(seen)
        async with asyncio.timeout(60):
            while len(seen) < before + 20:
                await asyncio.sleep(0.01)
        tasks[1].cancel()
        await asyncio.gather(tasks[1], return_exceptions=True)
    broken = [(name, then) for (name, what), then in pairwise(seen) if what == "begins" and then != (name, "ends")]
    assert len(broken) <= 1  # a round that is cancelled does not end
    assert {name for name, _ in seen[before + 2 :]} == {"other"}


class Idle(Counting):
    """Asks often, and seldom has something to do."""

    lock = "idle"
    asked = 0

    async def due(self) -> bool:
        self.asked += 1
        return self.asked % 5 == 0


async def test_who_has_nothing_to_do_does_not_borrow_its_lock(commands):
    seen: list[tuple[str, str]] = []
    async with Database(commands) as db:
        worker = Idle(db, seen, "one")
        task = asyncio.create_task(worker.run())
        async with asyncio.timeout(60):
            while worker.asked < 21:
                await asyncio.sleep(0.01)
        asked = worker.asked
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert asked // 5 - 1 <= seen.count(("one", "begins")) <= asked // 5


async def test_a_lock_is_borrowed_by_one_at_a_time(commands):
    async with Database(commands) as one, Database(commands) as other:
        async with one.turn("it") as mine, other.turn("it") as theirs, other.turn("another") as free:
            assert (mine is None, theirs is None, free is None) == (False, True, False)
        async with other.turn("it") as theirs:
            assert theirs is not None
