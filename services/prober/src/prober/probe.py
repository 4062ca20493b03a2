"""Takes a job, probes, and says what came of it."""

from collections.abc import Callable

from pinghome_common.events.probe import Job, Verdict
from pinghome_common.guard import Guard
from prober.probes import PROBES
from prober.probes.check import Check, Observation
from prober.probes.failure import explain

# Opens `Job.sealed`: the headers and the body of the request.
Opener = Callable[[bytes], tuple[dict[str, str], str]]


def attempt_deadline(interval: float) -> float:
    """Seconds one attempt may take, so that two fit into `interval` seconds."""
    return min(10.0, max(1.5, 0.45 * interval))


async def probe(job: Job, guard: Guard, opener: Opener) -> Observation:
    """Probes a job's target; a failure is tried once more at once before it counts (house.md §7).

    What policy refuses would be refused again, so it is not. Never raises but to be cancelled.
    """
    try:
        kind = PROBES[job.type]
        headers, body = opener(job.sealed) if job.sealed else ({}, "")
    except Exception as error:  # noqa: BLE001  # a wrong key or a newer kind of job is never the target's fault
        verdict, sentence = explain(error)
        return Observation(verdict=verdict, error=sentence)
    check = Check(
        url=job.url,
        method=job.method,
        headers=headers,
        body=body,
        skip_ssl_error=job.skip_ssl_error,
        not_follow_redirect=job.not_follow_redirect,
    )
    deadline = attempt_deadline(job.interval)
    seen = await kind(check, guard, deadline)
    if seen.verdict in {Verdict.target_fail, Verdict.probe_error}:
        seen = await kind(check, guard, deadline)
    return seen
