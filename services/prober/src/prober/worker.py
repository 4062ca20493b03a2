"""The prober's worker: takes the region's jobs, or without the broker those of the schedule it holds, and probes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from importlib import metadata
from pathlib import Path
from uuid import UUID

import msgspec
from prometheus_client import Counter, Histogram

from pinghome_common.clock import from_micros
from pinghome_common.errors import Unavailable
from pinghome_common.events.certificate import Certificate
from pinghome_common.events.dry_run import DryRun
from pinghome_common.events.probe import Job, ProberSign, SchedulePage, Verdict
from pinghome_common.guard import Guard
from pinghome_common.health import resting, round_done
from pinghome_common.logs import log
from pinghome_common.process_name import lasting_name
from pinghome_common.secret import unseal
from pinghome_common.stream import Broker, Queue, Task
from prober.anchors import Anchors
from prober.dry_run import attempt
from prober.lateness import Lateness
from prober.outbox import Done, Outbox, encode
from prober.probe import probe, result
from prober.probes.certificate import CertificateChanges
from prober.probes.error_mapping import internal
from prober.probes.probe_types import Observation
from prober.region import Region
from prober.schedule import Schedule, Slots, decode

PROBED = Counter("pinghome_probes_total", "probes by verdict", ["region", "verdict"])
DROPPED = Counter("pinghome_jobs_dropped_total", "jobs that were late by more than their interval", ["region"])
LATE = Histogram("pinghome_slot_delay_seconds", "seconds from when a probe was due to its start", ["region"])

MAX_PROBES = 1000
"""Concurrent probes; more would distort each other's times."""

AWAY_AFTER = 2.0
"""Seconds without the broker after which the schedule on disk is probed."""

SAY_EVERY = 10.0
"""Seconds between two signs of life."""

RETRY_AFTER = 2.0
"""Seconds after which the schedule is asked for again when nobody answered."""

FETCH_EVERY = 60.0
"""Seconds between two looks at the region's whole schedule; more when one takes more than a hundredth of that."""


class Prober:
    """One region's worker; several may run for one region and share its jobs.

    Args:
        broker: the connection to the broker.
        region: the region's name.
        key: the region's key, which decrypts monitors' headers and bodies.
        guard: opens the connections to targets.
        anchors: tell whether the region's own network works.
        folder: where this process keeps the region's schedule and its spool.
        limit: bytes of the spool.
    """

    def __init__(
        self,
        broker: Broker,
        region: str,
        key: bytes,
        guard: Guard,
        anchors: Anchors,
        folder: Path,
        limit: int = 1 << 30,
    ) -> None:
        self._broker, self._region, self._key, self._guard = broker, region, key, guard
        self._health = Region(region, anchors)
        self._queue = Queue(broker, "SCHEDULES", f"prober-{region}")
        self._running: set[asyncio.Task[None]] = set()
        self._certificates = CertificateChanges()
        self._lateness = Lateness(region)
        self._probed: dict[UUID, int] = {}
        self.outbox = Outbox(broker, self._queue, region, folder / "spool", limit, self._certificates.forget)
        self.schedule = Schedule(folder / "schedule")
        self._name_file = folder / "name"

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
            await self.outbox.flush()

    async def _start(self, task: Task) -> None:
        try:
            job = msgspec.msgpack.decode(task.data, type=Job)
        except Exception:  # it would fail again
            log.exception("job_not_decoded", subject=task.subject)
            await self._queue.done([task])
            return
        age = self._lateness.of(task.at / 1e9, time.time(), time.monotonic())
        LATE.labels(self._region).observe(age)
        self.schedule.jobs[job.resource], self.schedule.lead = job, self._lateness.skew
        slot = task.at // 10**9 * 10**6  # schedules fire on the second, and the message is stamped just after it
        if age > job.interval:
            DROPPED.labels(self._region).inc()
            await self._queue.done([task])
        elif not self._launch(job, slot, task):
            await self._queue.done([task])

    def _launch(self, job: Job, slot: int, task: Task | None) -> bool:
        """Starts a probe; false if that slot, or one shortly after it, was probed already."""
        newest = self._probed.get(job.resource, 0)
        if newest - job.interval * 10**6 <= slot <= newest:
            return False
        self._probed[job.resource] = slot
        running = asyncio.create_task(self._probe(job, slot, task))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return True

    async def _probe(self, job: Job, slot: int, task: Task | None) -> None:
        """Probes and buffers the result; any error costs only this result."""
        started = time.time_ns() // 1000
        try:
            seen = await self._observe(job)
            certificate = await self._certificate(job, seen, started)
            if self.outbox.crowded:
                seen.excerpt = ""
            encoded = encode(result(job, seen, slot, started, certificate))
        except Exception as error:
            log.exception("probe_failed_internally", resource=str(job.resource))
            seen = Observation(verdict=Verdict.probe_error, error=internal(error))
            encoded = encode(result(job, seen, slot, started, None))
        PROBED.labels(self._region, seen.verdict).inc()
        self.outbox.add(Done(encoded, task))

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

    async def fetch(self) -> None:
        """Keeps the region's schedule on disk as it is, until cancelled."""
        generation, due = 0, 0.0
        while True:
            begun = time.monotonic()
            if self._broker.connected and (generation != self._broker.generation or begun >= due):
                generation = self._broker.generation
                try:
                    await self._fetch()
                    due = begun + max(FETCH_EVERY, 100 * (time.monotonic() - begun))
                except Unavailable:
                    due = begun + RETRY_AFTER
            wait = due - time.monotonic() if generation == self._broker.generation else 0
            with resting():
                await self._broker.change(max(wait, 0.5))

    async def _fetch(self) -> None:
        self.schedule.jobs = jobs = {job.resource: job async for job in self._fetched()}
        self._probed = {it: slot for it, slot in self._probed.items() if it in jobs}
        await asyncio.to_thread(self.schedule.save)

    async def _fetched(self) -> AsyncIterator[Job]:
        """The jobs of all monitors of the region, as resource-cmd would schedule them."""
        after = b""
        while True:
            answer = await self._broker.request(f"request.schedule.{self._region}", after, wait=10.0)
            page = msgspec.msgpack.decode(answer, type=SchedulePage)
            for job in decode(page.jobs):
                yield job
            if page.next is None:
                return
            after = page.next.bytes

    async def say(self) -> None:
        """Says every ten seconds that this prober lives, until cancelled."""
        name = lasting_name(self._name_file, "prober")
        subject, version = f"telemetry.prober.{self._region}", metadata.version("pinghome-prober")
        while True:
            sign = ProberSign(name=name, version=version, monitors=len(self.schedule.jobs))
            await self._broker.publish([(subject, msgspec.msgpack.encode(sign), None)])
            with resting():
                await asyncio.sleep(SAY_EVERY)

    async def work_alone(self) -> None:
        """Probes by the schedule on disk whenever the broker is away, until cancelled."""
        while True:
            try:
                with resting():
                    await self._broker.until_connected(AWAY_AFTER)
                    await self._broker.change()
            except Unavailable:
                await self._work_alone()

    async def _work_alone(self) -> None:
        slots = Slots(self.schedule.jobs.copy(), self.schedule.now())
        log.warning("prober_works_alone", region=self._region, monitors=len(self.schedule.jobs))
        while not self._broker.connected:
            for job, slot in slots.due(self.schedule.now()):
                while len(self._running) >= MAX_PROBES:
                    await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                self._launch(job, slot * 10**6, None)
            with resting():
                await asyncio.sleep(0.1)
        log.warning("prober_connected_again", region=self._region)
