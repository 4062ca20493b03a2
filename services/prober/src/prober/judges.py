"""Evaluates expensive conditions outside the event loop, so that no answer delays other probes."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pinghome_common.events.condition import BODY, HEADER, JSON, Condition
from prober.conditions import OVER_BUDGET, Judgement, each_judged
from prober.probes.error_mapping import OwnFault
from prober.probes.probe_types import Observation

CHEAP = 2 << 20
"""Bytes to look through, over all conditions, that are judged at once: some milliseconds. What a regular expression
costs, nobody knows before."""

PATIENCE = 5.0
"""Seconds until a judgement that has not come is given up; its thread ends by its own budget."""

THREADS = ThreadPoolExecutor(2, thread_name_prefix="judge")
"""Few, as each more makes the loop wait longer for its turn."""

_PACKED = 1 << 20  # what a small answer may unpack to


async def judge(conditions: Sequence[Condition], seen: Observation, *, every: bool = False) -> list[Judgement]:
    """What became of each condition, up to the first that does not hold unless `every` one is asked for.

    Raises:
        OwnFault: this prober has too many answers to judge.
    """
    if not any(it.operator == "regex" for it in conditions) and _cost(conditions, seen) <= CHEAP:
        return _judge(conditions, seen, every=every)
    judging = THREADS.submit(_judge, conditions, seen, every=every)
    try:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.wrap_future(judging)
    except TimeoutError as error:
        if judging.cancelled():  # it had not begun
            raise OwnFault("too many answers wait to be judged") from error
        return [Judgement(it, holds=False, found=OVER_BUDGET, judged=False) for it in conditions]


def _judge(conditions: Sequence[Condition], seen: Observation, *, every: bool) -> list[Judgement]:
    judgements: list[Judgement] = []
    for it in each_judged(conditions, seen):
        judgements.append(it)
        if not it.holds and not every:
            break
    return judgements


def _cost(conditions: Sequence[Condition], seen: Observation) -> int:
    """Bytes to look through; to read JSON counts as eight looks."""
    packed = any(name.lower() == b"content-encoding" for name, _ in seen.headers)
    size = _PACKED if packed else len(seen.body)
    looks = sum(len(it.values) for it in conditions if it.type in (BODY, JSON))
    heads = sum(len(it.values) for it in conditions if it.type == HEADER)
    headers = sum(len(value) for _, value in seen.headers)
    return size * (looks + 8 * any(it.type == JSON for it in conditions)) + headers * heads
