"""A dry run in this region: one attempt, with the verdict of every condition, and nothing is remembered."""

import asyncio
import time

from pinghome_common.clock import from_micros
from pinghome_common.events.certificate import Certificate
from pinghome_common.events.condition import Condition
from pinghome_common.events.probe import Job
from pinghome_common.events.trial import Judged, Trial
from pinghome_common.guard import Guard
from pinghome_common.text import clean
from prober.conditions import each_found
from prober.probe import Opener, probe, result
from prober.probes.certificate import Told
from prober.probes.check import Observation

PATIENCE = 1.5
"""Seconds for a certificate that the attempt itself did not show; whoever asked waits two after the attempt."""


async def attempt(job: Job, guard: Guard, opener: Opener) -> Trial:
    """Probes a job's target once. Never raises but to be cancelled."""
    begun = time.time_ns() // 1000
    seen = await probe(job, guard, opener, tries=1)
    certificate = await _certificate(job, seen, guard, begun)
    return Trial(result=result(job, seen, 0, begun, certificate), conditions=_judged(job.conditions, seen))


async def _certificate(job: Job, seen: Observation, guard: Guard, begun: int) -> Certificate | None:
    if seen.peer is None:
        return None
    try:
        async with asyncio.timeout(PATIENCE):
            return await Told().news(job.resource, seen.peer, guard, from_micros(begun))
    except TimeoutError:
        return None


def _judged(conditions: list[Condition], seen: Observation) -> list[Judged]:
    if not seen.complete:
        return [Judged(condition=condition) for condition in conditions]
    return [
        Judged(condition=condition, holds=holds, found=clean(found, 200))
        for condition, holds, found in each_found(conditions, seen)
    ]
