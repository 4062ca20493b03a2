"""A dry run in this region: one attempt with the outcome of every condition; nothing is stored."""

import asyncio
import time

from pinghome_common.clock import from_micros
from pinghome_common.events.certificate import Certificate
from pinghome_common.events.dry_run import DryRun, Judged
from pinghome_common.events.probe import Job
from pinghome_common.guard import Guard
from pinghome_common.text import clean
from prober.evaluation import evaluate
from prober.excerpt import without_secrets
from prober.probe import Opener, probe, result
from prober.probes.certificate import CertificateChanges
from prober.probes.error_mapping import OwnFault
from prober.probes.probe_types import Observation

CERTIFICATE_TIMEOUT = 1.5
"""Seconds to fetch a certificate that the attempt did not get; the caller waits two more than the attempt."""


async def attempt(job: Job, guard: Guard, opener: Opener) -> DryRun:
    """Probes a job's target once. Raises only CancelledError."""
    started = time.time_ns() // 1000
    seen = await probe(job, guard, opener, tries=1)
    certificate = await _certificate(job, seen, guard, started)
    return DryRun(result=result(job, seen, 0, started, certificate), conditions=await _outcomes(job, seen, opener))


async def _certificate(job: Job, seen: Observation, guard: Guard, started: int) -> Certificate | None:
    if seen.peer is None:
        return None
    try:
        async with asyncio.timeout(CERTIFICATE_TIMEOUT):
            return await CertificateChanges().changed(job.resource, seen.peer, guard, from_micros(started))
    except TimeoutError:
        return None


async def _outcomes(job: Job, seen: Observation, opener: Opener) -> list[Judged]:
    if not seen.complete:
        return [Judged(condition=condition) for condition in job.conditions]
    try:
        outcomes = await evaluate(job.conditions, seen, every=True)
    except OwnFault as error:
        return [Judged(condition=condition, found=str(error)) for condition in job.conditions]
    headers, body = opener(job.sealed) if job.sealed else ({}, "")
    found = await without_secrets([it.found for it in outcomes], [*headers.values(), body])
    return [
        Judged(condition=it.condition, holds=it.holds, found=clean(text, 200))
        for it, text in zip(outcomes, found, strict=True)
    ]
