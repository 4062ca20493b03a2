"""Workers are started again when they fail, and end when they are told so."""

import asyncio

import pytest
from fastapi import FastAPI

from pinghome_common import app
from pinghome_common.app import supervise
from pinghome_common.errors import Unavailable
from pinghome_common.settings import Settings


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
    await asyncio.wait([task], timeout=30)
    assert task.done()
    assert begun == [1]


async def test_a_readiness_check_that_fails_stops_no_start_and_a_worker_that_loses_its_cancellation_no_end(tmp_path):
    async def fails() -> str | None:
        raise Unavailable("The database is not reachable right now.")

    async def deaf() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.Event().wait()

    async def start(_: FastAPI, parts: app.ServiceParts) -> None:
        parts.checks["relay"] = fails
        parts.workers["deaf"] = deaf

    service = app.build("tiny", Settings(data=tmp_path), start, [], "")
    async with asyncio.timeout(60):
        async with service.router.lifespan_context(service):
            assert service.state.checks["relay"] is fails
