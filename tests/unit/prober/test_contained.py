"""Bad data costs only its own result: whatever a probe produces, the results beside it are published."""

import asyncio
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pinghome_common.events.certificate import Certificate
from pinghome_common.events.condition import OPERATORS, TYPES, Condition
from pinghome_common.events.dry_run import DryRun
from pinghome_common.events.probe import Job, Phases, Result, Results, Verdict
from pinghome_common.guard import Guard
from prober import outbox, worker
from prober.anchors import Anchors
from prober.evaluation import evaluate
from prober.excerpt import hide
from prober.outbox import next_message
from prober.probe import MAX_TIME, with_outcome
from prober.probes import PROBES
from prober.probes.probe_types import Observation
from prober.worker import Prober

GUARD = Guard([ip_network("127.0.0.1/32")])
JOB = Job(resource=UUID(int=1), type="http", interval=60, url="http://127.0.0.1:1/")
SLOT = 1_790_000_000 * 10**6
NOWHERE = Path("/nowhere")  # nothing is stored
TEXT = st.text(st.characters(exclude_categories=()), max_size=50)
NUMBER = st.integers() | st.floats() | st.none()
OBSERVATION = st.builds(
    Observation,
    verdict=st.sampled_from(Verdict),
    status_code=st.none() | st.integers(),
    error=TEXT,
    address=TEXT,
    condition=TEXT,
    excerpt=TEXT,
    phases=st.builds(
        Phases, dns=NUMBER, connect=NUMBER, tls=NUMBER, first_byte=NUMBER, total=st.integers() | st.floats()
    ),
)


def vars_of(it: Phases) -> list[float | None]:
    return [getattr(it, name) for name in Phases.__slots__]


def published(*probed: Observation | Exception) -> list[Result]:
    """The results of a message, as any service reads it."""

    async def run() -> list[Result]:
        prober = Prober(None, "a", b"", GUARD, Anchors([]), NOWHERE)
        found = iter(probed)

        async def probe(*_: object) -> Observation:
            one = next(found)
            if isinstance(one, Exception):
                raise one
            return one

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(worker, "probe", probe)
            for _ in probed:
                await prober._probe(JOB, SLOT, None)
        part = next_message(prober.outbox.waiting)
        message = outbox._Message(batch=UUID(int=1), region="a", results=[each.result for each in part])
        return msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=Results).results

    return asyncio.run(run())


@given(OBSERVATION)
@example(Observation(error="redirects to http://\udcff℀.example/"))
@example(Observation(status_code=2**70, phases=Phases(total=2**70)))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_probe_produces_the_others_are_published(wild):
    before, found, after = published(Observation(), wild, Observation(error="sad"))

    assert (before.verdict, after.error) == (Verdict.up, "sad")
    for text in (found.error, found.address, found.condition):
        assert "\0" not in text
        text.encode()
    assert all(value is None or 0 <= value < MAX_TIME for value in vars_of(found.phases))
    assert found.status_code is None or 0 < found.status_code < 1000


@pytest.mark.parametrize("error", [ValueError("x"), OSError(5, "x"), RecursionError(), KeyError("\udcff")])
def test_probe_that_fails_internally_costs_its_own_result_alone(error):
    before, found, after = published(Observation(), error, Observation())

    assert before.verdict is after.verdict is Verdict.up
    assert (found.verdict, found.error) == (Verdict.probe_error, f"prober: internal error ({type(error).__name__})")


def test_result_that_is_too_large_costs_itself_alone(monkeypatch):
    monkeypatch.setattr(outbox, "MAX_BYTES", 1000)

    before, found = published(Observation(), Observation(excerpt="x" * 1000))

    assert (before.verdict, found.error) == (Verdict.up, "prober: internal error (ValueError)")


@pytest.mark.parametrize("broken", [False, True])
def test_certificate_that_no_format_holds_costs_itself_alone(monkeypatch, broken):
    class Told:
        def forget(self) -> None:
            pass

        async def changed(self, *_: object) -> Certificate:
            if broken:
                raise OverflowError
            beyond = datetime.max.replace(tzinfo=UTC) - timedelta(hours=1)
            return Certificate(
                host="\udcff", subject="", issuer="", serial_number="", valid_from=beyond, valid_to=beyond,
                sha256="", verified=True, checked_at=beyond,
            )  # fmt: skip

    monkeypatch.setattr(worker, "CertificateChanges", Told)

    found, after = published(Observation(peer=object()), Observation())

    assert (found.verdict, found.certificate, after.verdict) == (Verdict.up, None, Verdict.up)


def test_dry_run_that_cannot_be_encode_is_answered(monkeypatch):
    async def attempt(*_: object) -> DryRun:
        return DryRun(result=Result(resource=JOB.resource, slot=2**70, checked_at=1, interval=1, verdict=Verdict.up))

    monkeypatch.setattr(worker, "attempt", attempt)

    answered = asyncio.run(Prober(None, "a", b"", GUARD, Anchors([]), NOWHERE)._dry_run(JOB))

    assert msgspec.msgpack.decode(answered, type=DryRun).result.error == "prober: internal error (OverflowError)"


CONDITION = st.builds(
    Condition,
    type=st.sampled_from([*TYPES, "x"]),
    operator=st.sampled_from([*OPERATORS, "x"]),
    values=st.lists(TEXT, max_size=3),
    key=TEXT,
)
WILD_JOB = st.builds(
    Job,
    resource=st.just(UUID(int=1)),
    type=st.sampled_from([*PROBES, "x"]),
    interval=st.integers(0, 10),
    url=TEXT | TEXT.map("http://{}".format),
    host=TEXT,
    port=st.integers(),
    data=TEXT,
    method=TEXT | st.just("GET"),
    max_redirects=st.integers(),
    conditions=st.lists(CONDITION, max_size=3),
    sealed=st.binary(max_size=9),
)


@given(WILD_JOB, st.dictionaries(TEXT, TEXT, max_size=3), TEXT)
@settings(max_examples=200, deadline=None)
def test_whatever_a_job_says_its_probe_ends_in_a_result(job, headers, body):
    async def run() -> list[outbox.Done]:
        prober = Prober(None, "a", b"", Guard(lookup=lambda _: ["127.0.0.1"]), Anchors([]), NOWHERE)
        prober._open = lambda _: (headers, body)
        await prober._probe(job, SLOT, None)
        msgspec.msgpack.decode(await prober._dry_run(job), type=DryRun)
        return prober.outbox.waiting

    (done,) = asyncio.run(run())

    assert msgspec.msgpack.decode(done.result, type=Result).resource == job.resource


@given(
    st.lists(CONDITION, max_size=4),
    st.builds(
        Observation,
        status_code=st.none() | st.integers(0, 999),
        headers=st.lists(
            st.tuples(st.sampled_from([b"Content-Type", b"X", b"content-encoding"]), st.binary()), max_size=3
        ),
        body=st.binary(max_size=200)
        | st.sampled_from([b'{"a": "\\ud83d"}', b"\xff\xfe[\0", b'{"": [1, {"\\u0000": 1e999}]}']),
        complete=st.just(True),
    ),
    st.lists(TEXT, max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_whatever_an_answer_says_it_is_judged_and_shown(conditions, seen, secrets):
    async def run() -> None:
        if conditions:
            with_outcome(seen, conditions, await evaluate(conditions, seen, every=True))
        await hide(seen, secrets)

    asyncio.run(run())
    seen.excerpt.encode()
