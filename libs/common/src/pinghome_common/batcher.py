"""Rows that come at the same time are written by one statement: what it and its commit cost is paid once."""

import asyncio
from asyncio import Future, Task
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pinghome_common.errors import Unavailable

MOST = 20
"""Rows of one statement. `has_room` of resource-cmd leaves room for 100 that are under way in all processes."""

_Waiting = tuple[Sequence[object], Future[Any]]


def columns_of(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """The columns of some rows, for the parameters of a statement."""
    return [list(column) for column in zip(*rows, strict=True)]


class Batcher:
    """Carries out statements that take a list for each parameter and give a row for each element, in their order.

    The first row is written at once; those that come meanwhile are the next statement. One that fails is carried out
    again row by row, so that each error is that of its own row.

    Args:
        fetch: carries out a statement in a transaction of its own.
    """

    def __init__(self, fetch: Callable[..., Awaitable[list[Any]]]) -> None:
        self._fetch = fetch
        self._waiting: dict[str, list[_Waiting]] = defaultdict(list)
        self._working: dict[str, Task[None]] = {}

    async def row(self, statement: str, values: Sequence[object]) -> Any:
        """What a statement gives for one row of values.

        Raises:
            Unavailable: PostgreSQL is unavailable; the row may or may not be written.
        """
        answer: Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[statement].append((values, answer))
        if statement not in self._working:
            self._working[statement] = asyncio.create_task(self._work(statement))
        return await answer

    async def _work(self, statement: str) -> None:
        waiting = self._waiting[statement]
        try:
            while waiting:
                batch = [each for each in waiting[:MOST] if not each[1].done()]  # who is gone wants nothing written
                del waiting[:MOST]
                if batch:
                    await self._carry_out(statement, batch)
        finally:
            del self._working[statement]

    async def _carry_out(self, statement: str, batch: list[_Waiting]) -> None:
        try:
            rows = await self._fetch(statement, *columns_of([values for values, _ in batch]))
        except Exception as error:  # noqa: BLE001  # it is its caller's
            if len(batch) > 1 and not isinstance(error, Unavailable):
                for each in batch:
                    await self._carry_out(statement, [each])
                return
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
        else:
            for (_, answer), row in zip(batch, rows, strict=True):
                if not answer.done():
                    answer.set_result(row)
