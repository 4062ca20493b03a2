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

PROBED = Counter("pinghome_probes_total", "probes by verdict", ["region", "verdict"])
DROPPED = Counter("pinghome_jobs_dropped_total", "jobs that were late by more than their interval", ["region"])
LATE = Histogram("pinghome_slot_delay_seconds", "seconds from when a probe was due to its start", ["region"])

MAX_PROBES = 1000
"""Concurrent probes; more would distort each other's times."""

FLUSH_INTERVAL = 0.5
"""Seconds for which results are collected, because each message costs three services a transaction."""

MAX_PER_MESSAGE = 400
MAX_BYTES = 512 << 10
"""Bytes of results in a message, also the limit of one result; below the broker's limit of 1 MiB."""

MAX_BUFFERED = 200_000
"""Results kept while the broker is unavailable; above that, the oldest are dropped."""

MAX_EXCERPTS = 2000
"""Buffered results that may have an excerpt."""


@dataclass(slots=True)
class Done:
    """An encoded result that has not been confirmed yet, and the job it came from."""

    result: msgspec.Raw
    task: Task


@dataclass(slots=True, kw_only=True)
class _Message:
    """`Results` with results that are already encoded, so that a bad one cannot hold up the others."""

    batch: UUID
    region: str
    results: list[msgspec.Raw]


class Prober:
    """One region's worker; several may run for one region and share its jobs.

    Args:
        broker: the connection to the broker.
        region: the region's name.
        key: the region's key, which decrypts monitors' headers and bodies.
        guard: opens the connections to targets.
        anchors: tell whether the region's own network works.
    """

    def __init__(self, broker: Broker, region: str, key: bytes, guard: Guard, anchors: Anchors) -> None:
        self._broker, self._region, self._key, self._guard = broker, region, key, guard
        self._health = Region(region, anchors)
        self._queue = Queue(broker, "SCHEDULES", f"prober-{region}")
        self._running: set[asyncio.Task[None]] = set()
        self._done: list[Done] = []
        self._certificates = CertificateChanges()
        self._lateness = Lateness(region)

    async def take(self) -> None:
        """Takes jobs until cancelled; running probes are finished then."""
        try:
            while True:
                round_done()
                free = MAX_PROBES - len(self._running)
                for task in await self._queue.take(free) if free > 0 else []:
                    await self._start(task)
                if free <= 0:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self._running:
                await asyncio.wait(self._running, timeout=5)
            await self._flush()

    async def _start(self, task: Task) -> None:
        try:
            job = msgspec.msgpack.decode(task.data, type=Job)
        except Exception:  # it would fail again
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
        """Probes and buffers the result; any error costs only this result."""
        started = time.time_ns() // 1000
        slot = task.at // 10**9 * 10**6  # schedules fire on the second, and the message is stamped just after it
        try:
            seen = await self._observe(job)
            certificate = await self._certificate(job, seen, started)
            if len(self._done) >= MAX_EXCERPTS:
                seen.excerpt = ""
            encoded = _encode(result(job, seen, slot, started, certificate))
        except Exception as error:
            log.exception("probe_failed_internally", resource=str(job.resource))
            seen = Observation(verdict=Verdict.probe_error, error=internal(error))
            encoded = _encode(result(job, seen, slot, started, None))
        PROBED.labels(self._region, seen.verdict).inc()
        self._done.append(Done(encoded, task))

    async def _observe(self, job: Job) -> Observation:
        seen = await probe(job, self._guard, self._unseal)
        await self._health.assess(job, seen, time.monotonic())
        return seen

    async def _certificate(self, job: Job, seen: Observation, started: int) -> Certificate | None:
        """The certificate if it has changed; one that cannot be read changes no verdict."""
        if seen.peer is None:
            return None
        try:
            changed = await self._certificates.changed(job.resource, seen.peer, self._guard, from_micros(started))
            msgspec.msgpack.encode(changed)
        except Exception:
            log.exception("certificate_not_read", resource=str(job.resource))
            return None
        return changed

    async def dry_run(self, data: bytes) -> bytes:
        """Answers a dry run request, a `Job`, with a `DryRun`; counts towards `MAX_PROBES`."""
        if len(self._running) >= MAX_PROBES or (running := asyncio.current_task()) is None:
            return msgspec.msgpack.encode(DryRun(busy=True))
        self._running.add(running)
        try:
            job = msgspec.msgpack.decode(data, type=Job)
            return await self._dry_run(job)
        finally:
            self._running.discard(running)

    async def _dry_run(self, job: Job) -> bytes:
        started = time.time_ns() // 1000
        try:
            return msgspec.msgpack.encode(await attempt(job, self._guard, self._unseal))
        except Exception as error:
            log.exception("probe_failed_internally", resource=str(job.resource))
            seen = Observation(verdict=Verdict.probe_error, error=internal(error))
            return msgspec.msgpack.encode(DryRun(result=result(job, seen, 0, started, None)))

    def _unseal(self, sealed: bytes) -> tuple[dict[str, str], str]:
        headers, body = json.loads(unseal(self._key, sealed))
        return headers, body

    async def publish(self) -> None:
        """Publishes results until cancelled."""
        while True:
            with resting():
                await asyncio.sleep(FLUSH_INTERVAL)
            try:
                await self._flush()
            except Unavailable:
                if (lost := len(self._done) - MAX_BUFFERED) > 0:
                    del self._done[:lost]
                    self._certificates.forget()

    async def _flush(self) -> None:
        while self._done:
            part = _next_message(self._done)
            message = _Message(batch=uuid4(), region=self._region, results=[each.result for each in part])
            data = msgspec.msgpack.encode(message)
            await self._broker.publish(
                [(f"telemetry.result.{self._region}", data, {"Nats-Msg-Id": str(message.batch)})]
            )
            del self._done[: len(part)]
            await self._queue.done(each.task for each in part)


def _encode(it: Result) -> msgspec.Raw:
    """Encodes a result.

    Raises:
        ValueError: it is too large for a message.
        msgspec.EncodeError, UnicodeError, OverflowError: it cannot be encoded.
    """
    encoded = msgspec.msgpack.encode(it)
    if len(encoded) > MAX_BYTES:
        raise ValueError(f"a result of {len(encoded)} bytes")
    return msgspec.Raw(encoded)


def _next_message(done: list[Done]) -> list[Done]:
    """The first results that fit into one message, at least one."""
    size = 0
    for place, each in enumerate(done[:MAX_PER_MESSAGE]):
        size += len(memoryview(each.result))
        if size > MAX_BYTES:
            return done[:place]
    return done[:MAX_PER_MESSAGE]
