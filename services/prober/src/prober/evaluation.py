"""Evaluates expensive conditions outside the event loop, so that no answer delays other probes."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pinghome_common.events.condition import BODY, HEADER, JSON, Condition
from prober.conditions import OVER_BUDGET, Outcome, outcomes
from prober.probes.error_mapping import OwnFault
from prober.probes.probe_types import Observation

CHEAP = 2 << 20
"""Bytes to search, over all conditions, up to which they are evaluated in the event loop: some milliseconds.

The cost of regular expressions is unknown, so they always go to a thread."""

TIMEOUT = 5.0
"""Seconds to wait for a thread, which its own budget ends."""

THREADS = ThreadPoolExecutor(2, thread_name_prefix="evaluation")
"""Few, because every thread delays the event loop."""

_DECOMPRESSED = 1 << 20  # bytes that a small answer may decompress to


async def evaluate(conditions: Sequence[Condition], seen: Observation, *, every: bool = False) -> list[Outcome]:
    """Evaluates conditions up to the first that does not hold, or `every` one.

    Raises:
        OwnFault: this prober has too many answers to evaluate.
    """
    if not any(it.operator == "regex" for it in conditions) and _cost(conditions, seen) <= CHEAP:
        return _evaluate(conditions, seen, every=every)
    future = THREADS.submit(_evaluate, conditions, seen, every=every)
    try:
        async with asyncio.timeout(TIMEOUT):
            return await asyncio.wrap_future(future)
    except TimeoutError as error:
        if future.cancelled():  # it had not started
            raise OwnFault("too many answers are waiting to be evaluated") from error
        return [Outcome(it, holds=False, found=OVER_BUDGET, evaluated=False) for it in conditions]


def _evaluate(conditions: Sequence[Condition], seen: Observation, *, every: bool) -> list[Outcome]:
    found: list[Outcome] = []
    for it in outcomes(conditions, seen):
        found.append(it)
        if not it.holds and not every:
            break
    return found


def _cost(conditions: Sequence[Condition], seen: Observation) -> int:
    """Bytes to search; parsing JSON counts as eight searches."""
    compressed = any(name.lower() == b"content-encoding" for name, _ in seen.headers)
    size = _DECOMPRESSED if compressed else len(seen.body)
    body_searches = sum(len(it.values) for it in conditions if it.type in (BODY, JSON))
    header_searches = sum(len(it.values) for it in conditions if it.type == HEADER)
    headers = sum(len(value) for _, value in seen.headers)
    return size * (body_searches + 8 * any(it.type == JSON for it in conditions)) + headers * header_searches
