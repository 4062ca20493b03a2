"""What `/readyz` says of a worker."""

import asyncio

import httpx
import pytest

from pinghome_common import app
from pinghome_common.app import supervise
from pinghome_common.errors import Unavailable
from pinghome_common.health import MAX_FAILURES, ROUND_LIMIT, WINDOW, Health, resting, round_done
from pinghome_common.settings import Settings


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_worker_that_keeps_failing_is_not_well_until_it_has_stopped_failing(clock):
    health = Health(clock)
    for number in range(MAX_FAILURES):
        assert health.problem() is None
        health.failed(f"ValueError {number}")
        clock.now += 1
    assert health.problem() == "keeps failing: ValueError 2"
    clock.now += WINDOW
    assert health.problem() is None


def test_a_worker_whose_round_never_ends_is_not_well(clock):
    health = Health(clock)
    health.round_begins()
    clock.now += ROUND_LIMIT + 1
    assert health.problem() == "has not finished a round for 61 s"
    health.round_begins()
    assert health.problem() is None
    health.rests()
    clock.now += 10 * ROUND_LIMIT
    assert health.problem() is None


async def test_time_at_rest_is_no_part_of_a_round(clock):
    health, rested = Health(clock), asyncio.Event()

    async def worker() -> None:
        with resting():
            rested.set()
            await asyncio.sleep(3600)

    task = asyncio.create_task(supervise("one", worker, health))
    await rested.wait()
    clock.now += 10 * ROUND_LIMIT
    assert health.problem() is None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("error", [Unavailable("away"), ConnectionRefusedError(), TimeoutError()])
async def test_a_dependency_that_is_away_is_no_failure_of_the_worker(error):
    assert await _after_some_starts(error) is None


@pytest.mark.parametrize(
    "error", [PermissionError(13, "no"), FileExistsError(17, "no"), ValueError("odd"), KeyError(1)]
)
async def test_a_mistake_of_ours_is_one_whatever_its_class(error):
    assert type(error).__name__ in (await _after_some_starts(error) or "")


async def _after_some_starts(error: Exception) -> str | None:
    health, begun = Health(), 0

    async def worker() -> None:
        nonlocal begun
        begun += 1
        round_done()
        raise error

    task = asyncio.create_task(supervise("one", worker, health))
    while begun < MAX_FAILURES + 1:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return health.problem()


async def test_readyz_names_the_worker_that_fails():
    async def fail() -> None:
        raise ValueError("what a client sent")

    async def start(_: object, parts: app.ServiceParts) -> None:
        parts.workers["judge"] = fail

    service = app.build("test", Settings(), start, [], "")
    transport = httpx.ASGITransport(service)
    async with service.router.lifespan_context(service), httpx.AsyncClient(transport=transport) as client:
        async with asyncio.timeout(60):
            while (answer := await client.get("http://test/readyz")).status_code == 200:
                await asyncio.sleep(0.02)
        measured = (await client.get("http://test/metrics")).text
    assert answer.json() == {"ready": False, "problems": {"worker judge": "keeps failing: ValueError"}}
    assert 'pinghome_ready{service="test"} 0.0' in measured
    assert 'pinghome_data_free_ratio{service="test"}' in measured
