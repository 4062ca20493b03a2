"""The prober's worker: takes the region's jobs, probes, publishes the results, then acknowledges."""

import asyncio
import json
import time
from dataclasses import dataclass
from uuid import UUID, uuid4

import msgspec
import structlog
from prometheus_client import Counter, Histogram

from pinghome_common.clock import from_micros
from pinghome_common.errors import Unavailable
from pinghome_common.events.certificate import Certificate
from pinghome_common.events.dry_run import DryRun
from pinghome_common.events.probe import Job, Result, Verdict
from pinghome_common.guard import Guard
from pinghome_common.health import resting, round_done
from pinghome_common.secret import unseal
from pinghome_common.stream import Broker, Queue, Task
from prober.anchors import Anchors
from prober.dry_run import attempt
from prober.lateness import Lateness
from prober.probe import probe, result
from prober.probes.certificate import CertificateChanges
from prober.probes.error_mapping import internal
from prober.probes.probe_types import Observation
from prober.region import Region

log = structlog.get_logger()

PROBED = Counter("pinghome_probes_total", "probes by what they found", ["region", "verdict"])
DROPPED = Counter("pinghome_jobs_dropped_total", "jobs that came later than their interval", ["region"])
LATE = Histogram("pinghome_slot_delay_seconds", "from the time a probe was due to its start", ["region"])

AT_ONCE = 1000
"""Probes under way at a time; more would make each other's times wrong."""

FLUSH = 0.5
"""Seconds in which results gather before they are published: each message costs three projections a transaction."""

MOST_IN_A_MESSAGE = 400
MOST_BYTES = 512 << 10
"""Bytes of the results in a message, which must stay below a broker's limit of 1 MiB; one alone has to fit, too."""

MOST_KEPT = 200_000
"""Results kept while the broker is away; then the oldest are dropped."""

MOST_EXCERPTS = 2000
"""Of the results kept, those that may have an excerpt."""


@dataclass(slots=True)
class Done:
    """An encoded result that has not been confirmed yet, and the job it came from."""

    result: msgspec.Raw
    task: Task


@dataclass(slots=True, kw_only=True)
class _Message:
    """`Results` with each result encoded before, so that none can keep the others back."""

    batch: UUID
    region: str
    results: list[msgspec.Raw]


class Prober:
    """One region's worker; several may run for one region and share its jobs.

    Args:
        key: of the region, opens monitors' headers and bodies.
        anchors: by which the region knows whether its own network works.
    """

    def __init__(self, broker: Broker, region: str, key: bytes, guard: Guard, anchors: Anchors) -> None:
        self._broker, self._region, self._key, self._guard = broker, region, key, guard
        self._health = Region(region, anchors)
        self._queue = Queue(broker, "SCHEDULES", f"prober-{region}")
        self._running: set[asyncio.Task[None]] = set()
        self._done: list[Done] = []
        self._told = CertificateChanges()
        self._lateness = Lateness(region)

    async def take(self) -> None:
        """Takes jobs until cancelled; on the way out, probes under way are finished."""
        try:
            while True:
                round_done()
                free = AT_ONCE - len(self._running)
                for task in await self._queue.take(free) if free > 0 else []:
                    await self._begin(task)
                if free <= 0:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self._running:
                await asyncio.wait(self._running, timeout=5)
            await self._flush()

    async def _begin(self, task: Task) -> None:
        try:
            job = msgspec.msgpack.decode(task.data, type=Job)
        except Exception:  # it would not decode the next time either
            log.exception("job_not_decoded", subject=task.subject)
            await self._queue.done([task])
            return
        age = self._lateness.of(task.at / 1e9, time.time(), time.monotonic())
        LATE.labels(self._region).observe(age)
        if age > job.interval:
            DROPPED.labels(self._region).inc()
            await self._queue.done([task])
            return
        running = asyncio.create_task(self._probe(job, task))
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _probe(self, job: Job, task: Task) -> None:
        """Probes and keeps the result; what goes wrong here costs this result alone."""
        begun = time.time_ns() // 1000
        slot = task.at // 10**9 * 10**6  # schedules fire on the second; the message is stamped just after it
        try:
            seen = await self._seen(job)
            certificate = await self._certificate(job, seen, begun)
            if len(self._done) >= MOST_EXCERPTS:
                seen.excerpt = ""
            encoded = _encoded(result(job, seen, slot, begun, certificate))
        except Exception as error:
            log.exception("probe_failed_internally", resource=str(job.resource))
            seen = Observation(verdict=Verdict.probe_error, error=internal(error))
            encoded = _encoded(result(job, seen, slot, begun, None))
        PROBED.labels(self._region, seen.verdict).inc()
        self._done.append(Done(encoded, task))

    async def _seen(self, job: Job) -> Observation:
        seen = await probe(job, self._guard, self._open)
        await self._health.weigh(job, seen, time.monotonic())
        return seen

    async def _certificate(self, job: Job, seen: Observation, begun: int) -> Certificate | None:
        """The news of a certificate; one that cannot be read changes no verdict."""
        if seen.peer is None:
            return None
        try:
            news = await self._told.news(job.resource, seen.peer, self._guard, from_micros(begun))
            msgspec.msgpack.encode(news)
        except Exception:
            log.exception("certificate_not_read", resource=str(job.resource))
            return None
        return news

    async def dry_run(self, data: bytes) -> bytes:
        """Answers a request for a dry run: a `Job` in, a `Trial` out. It counts among the probes under way."""
        if len(self._running) >= AT_ONCE or (running := asyncio.current_task()) is None:
            return msgspec.msgpack.encode(DryRun(busy=True))
        self._running.add(running)
        try:
            job = msgspec.msgpack.decode(data, type=Job)
            return await self._tried(job)
        finally:
            self._running.discard(running)

    async def _tried(self, job: Job) -> bytes:
        begun = time.time_ns() // 1000
        try:
            return msgspec.msgpack.encode(await attempt(job, self._guard, self._open))
        except Exception as error:
            log.exception("probe_failed_internally", resource=str(job.resource))
            seen = Observation(verdict=Verdict.probe_error, error=internal(error))
            return msgspec.msgpack.encode(DryRun(result=result(job, seen, 0, begun, None)))

    def _open(self, sealed: bytes) -> tuple[dict[str, str], str]:
        headers, body = json.loads(unseal(self._key, sealed))
        return headers, body

    async def publish(self) -> None:
        """Publishes results until cancelled."""
        while True:
            with resting():
                await asyncio.sleep(FLUSH)
            try:
                await self._flush()
            except Unavailable:
                if (lost := len(self._done) - MOST_KEPT) > 0:
                    del self._done[:lost]
                    self._told.forget()

    async def _flush(self) -> None:
        while self._done:
            part = _message(self._done)
            message = _Message(batch=uuid4(), region=self._region, results=[each.result for each in part])
            data = msgspec.msgpack.encode(message)
            await self._broker.publish(
                [(f"telemetry.result.{self._region}", data, {"Nats-Msg-Id": str(message.batch)})]
            )
            del self._done[: len(part)]
            await self._queue.done(each.task for each in part)


def _encoded(it: Result) -> msgspec.Raw:
    """A result as it travels.

    Raises:
        ValueError: it is larger than a message may be.
        msgspec.EncodeError, UnicodeError, OverflowError: it holds what the format cannot say.
    """
    encoded = msgspec.msgpack.encode(it)
    if len(encoded) > MOST_BYTES:
        raise ValueError(f"a result of {len(encoded)} bytes")
    return msgspec.Raw(encoded)


def _message(done: list[Done]) -> list[Done]:
    """The first results that fit into one message; at least one."""
    size = 0
    for place, each in enumerate(done[:MOST_IN_A_MESSAGE]):
        size += len(memoryview(each.result))
        if size > MOST_BYTES:
            return done[:place]
    return done[:MOST_IN_A_MESSAGE]
