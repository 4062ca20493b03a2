"""What all probe types share: one deadline for everything, and an observation as the result in any case."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

from pinghome_common.events.probe import Verdict
from prober.probes.error_mapping import explain
from prober.probes.probe_types import LOOKING_UP, Observation

ERROR_LIMIT = 300
OVERSLEPT = 0.5


async def attempt(steps: Callable[[Observation], Awaitable[None]], deadline: float) -> Observation:
    """Runs a probe's steps within `deadline` seconds in all; they fill the observation and raise what went wrong.

    Never raises but to be cancelled. `phases.total` is the whole time, unless the steps know better.
    """
    seen = Observation()
    started = perf_counter()
    try:
        async with asyncio.timeout(deadline):
            await steps(seen)
    except TimeoutError as error:
        if error.errno is not None:  # the kernel gave up first
            seen.verdict, seen.error = explain(error)
        else:
            # Our resolver's silence says nothing about the target, nor does a deadline that we noticed too late.
            ours = seen.doing == LOOKING_UP or perf_counter() - started > deadline + OVERSLEPT
            seen.verdict = Verdict.probe_error if ours else Verdict.target_fail
            seen.error = f"timed out after {perf_counter() - started:.1f} s while {seen.doing}"
    except Exception as error:  # noqa: BLE001  # a bug of ours must be told apart from the target's fault
        seen.verdict, seen.error = explain(error)
    seen.error = seen.error[:ERROR_LIMIT]  # a target can make us quote it
    seen.phases.total = seen.phases.total or (perf_counter() - started) * 1000
    return seen
