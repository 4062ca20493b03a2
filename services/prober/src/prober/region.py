"""Decides whether failures are those of targets or of the region itself (decision 0010)."""

from collections import deque
from dataclasses import dataclass
from uuid import UUID

import structlog
from prometheus_client import Gauge

from pinghome_common.events.probe import Job, Verdict
from prober.anchors import Anchors
from prober.probes.probe_types import Observation

log = structlog.get_logger()

SUSPECT = Gauge("pinghome_region_suspect", "1 while the region doubts its own network", ["region"])

WINDOW = 60.0
"""Seconds in which turns from success to failure are counted."""

FEWEST = 10
OWN_FAULT = "the region's own network fails: no anchor answers"


@dataclass(slots=True)
class Last:
    """How a monitor was last found, until when that counts, and when it turned from up to failing."""

    up: bool
    until: float
    turned_at: float | None = None


class Turns:
    """Counts the monitors that turned from success to failure lately; the time is an argument, in seconds."""

    def __init__(self) -> None:
        self._last: dict[UUID, Last] = {}
        self._turns: deque[tuple[float, UUID]] = deque()
        self._failing = 0
        self._swept = 0.0

    def note(self, monitor: UUID, interval: int, now: float, *, up: bool) -> None:
        """What was found of a monitor that is probed each `interval` seconds."""
        last = self._last.get(monitor)
        turned_at = last.turned_at if last and not up else None
        if last and last.up and not up:
            turned_at = now
            self._turns.append((now, monitor))
        self._failing += (turned_at is not None) - (last is not None and last.turned_at is not None)
        self._last[monitor] = Last(up, now + 2 * interval + 10, turned_at)

    def many(self, now: float) -> bool:
        """True when more than half of the monitors, and at least ten, turned within a minute and still fail."""
        while self._turns and self._turns[0][0] <= now - WINDOW:
            at, monitor = self._turns.popleft()
            last = self._last.get(monitor)
            if last and last.turned_at == at:
                last.turned_at = None
                self._failing -= 1
        if now - self._swept > WINDOW:  # those that are gone do not count
            self._swept = now
            for monitor in [monitor for monitor, last in self._last.items() if last.until < now]:
                self._failing -= self._last.pop(monitor).turned_at is not None
        return self._failing >= FEWEST and self._failing * 2 > len(self._last)


class Region:
    """Weighs what probes found, and tells the operator when it doubts the region."""

    def __init__(self, name: str, anchors: Anchors) -> None:
        self._name, self._anchors = name, anchors
        self._turns = Turns()
        self._cut_off = self._suspect = False
        SUSPECT.labels(name).set(0)

    async def weigh(self, job: Job, seen: Observation, now: float) -> None:
        """Makes a target's failure our own when no anchor answers; `now` is in seconds of a monotonic clock.

        That many monitors fail at once changes no verdict: a real outage of all of them must be told.
        """
        failed = seen.verdict in (Verdict.target_fail, Verdict.probe_error)
        if failed or self._cut_off:
            self._cut_off = await self._anchors.silent()
        if self._cut_off and seen.verdict is Verdict.target_fail:
            seen.verdict, seen.error = Verdict.probe_error, OWN_FAULT
        if seen.verdict is not Verdict.blocked:
            self._turns.note(job.resource, job.interval, now, up=not failed)
            self._tell(suspect=self._cut_off or self._turns.many(now))

    def _tell(self, *, suspect: bool) -> None:
        if suspect is self._suspect:
            return
        self._suspect = suspect
        SUSPECT.labels(self._name).set(suspect)
        if suspect:
            why = OWN_FAULT if self._cut_off else "more than half of its monitors failed within a minute"
            log.warning("region_suspect", region=self._name, reason=why)
        else:
            log.warning("region_trusted", region=self._name)
