"""Probes a job's target and turns the observation into a result."""

from collections.abc import Callable

from pinghome_common.events.certificate import Certificate
from pinghome_common.events.condition import BODY, STATUS, Condition
from pinghome_common.events.probe import Job, Phases, Result, Verdict, attempt_deadline
from pinghome_common.guard import Guard
from pinghome_common.text import clean
from prober.conditions import NEGATIVE, Outcome, describe
from prober.evaluation import evaluate
from prober.excerpt import hide
from prober.probes import PROBES, Probe
from prober.probes.attempt import ERROR_LIMIT
from prober.probes.error_mapping import explain
from prober.probes.probe_types import Observation, ProbeSpec

MAX_TOLERATED = 10
"""Tolerated defects reported with a result."""

MAX_TIME = 1e7
"""Milliseconds, a hundred times longer than any probe takes."""

# Decrypts `Job.sealed`: the headers and the body of the request.
Opener = Callable[[bytes], tuple[dict[str, str], str]]


async def probe(job: Job, guard: Guard, opener: Opener, tries: int = 2) -> Observation:
    """Probes a job's target; a failure is retried once, at once, unless policy forbids the address (house.md §7).

    Raises only CancelledError.
    """
    try:
        run = PROBES[job.type]
        headers, body = opener(job.sealed) if job.sealed else ({}, "")
    except Exception as error:  # noqa: BLE001  # a wrong key or a newer type of job is not the target's fault
        verdict, sentence = explain(error)
        return Observation(verdict=verdict, error=sentence)
    spec = ProbeSpec(
        url=job.url,
        host=job.host,
        port=job.port,
        data=job.data,
        method=job.method,
        headers=headers,
        body=body,
        skip_ssl_error=job.skip_ssl_error,
        not_follow_redirect=job.not_follow_redirect,
        max_redirects=job.max_redirects,
    )
    seen = await _attempt(run, spec, guard, job)
    if tries > 1 and seen.verdict in {Verdict.target_fail, Verdict.probe_error}:
        seen = await _attempt(run, spec, guard, job)
    if seen.verdict is not Verdict.up:
        await hide(seen, [*headers.values(), body])
    return seen


async def _attempt(run: Probe, spec: ProbeSpec, guard: Guard, job: Job) -> Observation:
    seen = await run(spec, guard, attempt_deadline(job.interval))
    if not needs_evaluation(seen, job.conditions):
        return seen
    try:
        return with_outcome(seen, job.conditions, await evaluate(job.conditions, seen))
    except Exception as error:  # noqa: BLE001  # no answer may stop the prober
        seen.verdict, seen.error = explain(error)
        return seen


def needs_evaluation(seen: Observation, conditions: list[Condition]) -> bool:
    """True if conditions decide the verdict.

    Without a condition on the status, it must be 2xx or 3xx. An answer that did not end in time is evaluated only for a
    keyword that it must contain.
    """
    on_status = any(condition.type == STATUS for condition in conditions)
    if seen.endless:
        keyword = any(it.type == BODY and it.operator not in NEGATIVE for it in conditions)
        return keyword and (on_status or 200 <= (seen.status_code or 0) < 400)
    return bool(conditions) and seen.complete and (on_status or seen.verdict is Verdict.up)


def with_outcome(seen: Observation, conditions: list[Condition], outcomes: list[Outcome]) -> Observation:
    """The observation with the verdict of the conditions, which must all hold (contract A.1)."""
    failure = next((it for it in outcomes if not it.holds), None)
    if seen.endless:
        if failure is None:
            seen.verdict, seen.error = Verdict.up, ""
            seen.tolerated.append("the answer did not end in time; the part received was evaluated")
        return seen
    seen.verdict = Verdict.target_fail if failure else Verdict.up
    seen.error = failure.sentence if failure else ""
    seen.condition = describe(failure.condition if failure else conditions[-1])
    return seen


def result(job: Job, seen: Observation, slot: int, checked_at: int, certificate: Certificate | None) -> Result:
    """The result that is published, with all text from the target cleaned.

    `slot` and `checked_at` are UNIX microseconds.
    """
    status = seen.status_code
    return Result(
        resource=job.resource,
        slot=slot,
        checked_at=checked_at,
        interval=job.interval,
        verdict=seen.verdict,
        status_code=status if status and 0 < status < 1000 else None,
        error=clean(seen.error, ERROR_LIMIT),
        address=clean(seen.address, 64),
        phases=_bounded(seen.phases),
        certificate=certificate,
        condition=clean(seen.condition, 200),
        excerpt=seen.excerpt,
        tolerated=[clean(it, 200) for it in seen.tolerated[:MAX_TOLERATED]],
    )


def _bounded(it: Phases) -> Phases:
    """Drops impossible times."""
    return Phases(
        dns=_time(it.dns),
        connect=_time(it.connect),
        tls=_time(it.tls),
        first_byte=_time(it.first_byte),
        total=_time(it.total) or 0.0,
    )


def _time(milliseconds: float | None) -> float | None:
    return milliseconds if milliseconds is not None and 0 <= milliseconds < MAX_TIME else None
