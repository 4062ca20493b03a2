"""What all probe types share: one deadline, and an observation whatever happens."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

from pinghome_common.events.probe import Verdict
from prober.probes.error_mapping import explain
from prober.probes.probe_types import LOOKING_UP, Observation

ERROR_LIMIT = 300
LATE_TIMEOUT = 0.5
"""Seconds after the deadline from which on a timeout is blamed on this prober."""


async def attempt(steps: Callable[[Observation], Awaitable[None]], deadline: float) -> Observation:
    """Runs a probe's steps within `deadline` seconds; they fill in the observation and raise errors.

    Raises only CancelledError. `phases.total` is the whole time, unless the steps set it.
    """
    seen = Observation()
    started = perf_counter()
    try:
        async with asyncio.timeout(deadline):
            await steps(seen)
    except TimeoutError as error:
        if error.errno is not None:  # the kernel timed out first
            seen.verdict, seen.error = explain(error)
        else:
            # A slow resolver says nothing about the target, nor does a deadline that we noticed too late.
            late = (took := perf_counter() - started) > deadline + LATE_TIMEOUT
            seen.verdict = Verdict.probe_error if late or seen.doing == LOOKING_UP else Verdict.target_fail
            seen.error = f"timed out after {took if late else deadline:.1f} s while {seen.doing}"
    except Exception as error:  # noqa: BLE001  # explain() tells our own bugs from the target's faults
        seen.verdict, seen.error = explain(error)
    seen.error = seen.error[:ERROR_LIMIT]  # it may quote the target
    seen.phases.total = seen.phases.total or (perf_counter() - started) * 1000
    return seen
