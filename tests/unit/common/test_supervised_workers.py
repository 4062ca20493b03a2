"""Workers are started again when they fail, and end when they are told so."""

import asyncio

import pytest

from pinghome_common.app import supervise
from pinghome_common.errors import Unavailable


async def test_a_worker_that_fails_is_started_again_soon_while_a_part_is_away():
    begun = []

    async def worker() -> None:
        begun.append(asyncio.get_running_loop().time())
        raise ConnectionRefusedError

    task = asyncio.create_task(supervise("one", worker))
    await asyncio.sleep(1.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(begun) >= 4


@pytest.mark.parametrize("error", [Unavailable("away"), ConnectionRefusedError(), RuntimeError("odd")])
async def test_a_worker_that_fails_while_it_is_cancelled_is_not_started_again(error):
    begun = []

    async def worker() -> None:
        begun.append(1)
        try:
            await asyncio.sleep(60)
        finally:
            raise error

    task = asyncio.create_task(supervise("one", worker))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task], timeout=1)
    assert task.done()
    assert begun == [1]
