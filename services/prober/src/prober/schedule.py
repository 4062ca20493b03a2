"""The schedule of the region as this prober last knew it, kept on disk: what to probe while the broker is away."""

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import msgspec

from pinghome_common.events.probe import Job, phase
from pinghome_common.files import write_private
from pinghome_common.logs import log

MISSED = 12.0
"""Seconds before the loss of the link was noticed whose slots are probed late, for their jobs may not have come."""


@dataclass(slots=True, kw_only=True)
class _Kept:
    """The file: jobs as they travel, their headers and bodies sealed, and how far this clock leads the broker's."""

    lead: float = 0.0
    jobs: list[msgspec.Raw] = field(default_factory=list)


class Schedule:
    """The jobs of a region by monitor.

    Args:
        path: of the file, which is read now; an unreadable one counts as empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.jobs: dict[UUID, Job] = {}
        self.lead = 0.0
        """Seconds by which this host's clock leads the broker's."""
        try:
            kept = msgspec.msgpack.decode(path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError):
            log.exception("schedule_unreadable", path=str(path))
            return
        self.lead = kept.lead
        self.jobs = {job.resource: job for job in decode(kept.jobs)}

    def save(self) -> None:
        """Returns when the jobs are on disk; blocks on it."""
        kept = _Kept(
            lead=self.lead, jobs=[msgspec.Raw(msgspec.msgpack.encode(job)) for job in list(self.jobs.values())]
        )
        write_private(self._path, msgspec.msgpack.encode(kept))

    def now(self) -> float:
        """UNIX seconds of the broker's clock, as far as it is known."""
        return time.time() - self.lead


class Slots:
    """When the jobs of a schedule are due: the same slots in which the broker would send them."""

    def __init__(self, jobs: dict[UUID, Job], now: float) -> None:
        self._jobs = jobs
        self._next = [(_slot(job, now - MISSED), resource) for resource, job in jobs.items()]
        heapq.heapify(self._next)

    def due(self, now: float) -> Iterator[tuple[Job, int]]:
        """The jobs that are due at `now` and their slots (UNIX seconds); of each monitor the newest alone."""
        while self._next and self._next[0][0] <= now:
            _, resource = self._next[0]
            job = self._jobs[resource]
            following = _slot(job, now)
            heapq.heapreplace(self._next, (following, resource))
            yield job, following - job.interval


def decode(jobs: list[msgspec.Raw]) -> Iterator[Job]:
    """The jobs that can be decoded; one of a later version is left out."""
    for raw in jobs:
        try:
            yield msgspec.msgpack.decode(raw, type=Job)
        except msgspec.MsgspecError:
            log.exception("job_not_decoded")


def _slot(job: Job, after: float) -> int:
    """The first slot after a time."""
    at = phase(job.resource, job.interval)
    return (int(after) - at) // job.interval * job.interval + job.interval + at
