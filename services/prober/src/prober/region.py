"""Decides whether failures are the targets' or the region's own (decision 0010)."""

from collections import deque
from dataclasses import dataclass
from uuid import UUID

from prometheus_client import Gauge

from pinghome_common.events.probe import Job, Verdict
from pinghome_common.logs import log
from prober.anchors import Anchors
from prober.probes.probe_types import Observation

SUSPECT = Gauge("pinghome_region_suspect", "1 while the region suspects its own network", ["region"])

WINDOW = 60.0
"""Seconds within which new failures are counted together."""

MIN_FAILURES = 10
OWN_FAULT = "the region's own network is down: no anchor answers"


@dataclass(slots=True)
class _Last:
    """A monitor's last verdict, until when it is valid, and when the monitor started to fail."""

    up: bool
    until: float
    failed_at: float | None = None


class NewFailures:
    """Counts the monitors that started to fail recently; times are arguments, in seconds."""

    def __init__(self) -> None:
        self._last: dict[UUID, _Last] = {}
        self._failures: deque[tuple[float, UUID]] = deque()
        self._failing = 0
        self._swept = 0.0

    def record(self, monitor: UUID, interval: int, now: float, *, up: bool) -> None:
        """Records the outcome of a monitor that is probed every `interval` seconds."""
        last = self._last.get(monitor)
        failed_at = last.failed_at if last and not up else None
        if last and last.up and not up:
            failed_at = now
            self._failures.append((now, monitor))
        self._failing += (failed_at is not None) - (last is not None and last.failed_at is not None)
        self._last[monitor] = _Last(up, now + 2 * interval + 10, failed_at)

    def widespread(self, now: float) -> bool:
        """True if more than half of the monitors, and at least ten, started to fail within a minute and still do."""
        while self._failures and self._failures[0][0] <= now - WINDOW:
            at, monitor = self._failures.popleft()
            last = self._last.get(monitor)
            if last and last.failed_at == at:
                last.failed_at = None
                self._failing -= 1
        if now - self._swept > WINDOW:  # monitors that are no longer probed do not count
            self._swept = now
            for monitor in [monitor for monitor, last in self._last.items() if last.until < now]:
                self._failing -= self._last.pop(monitor).failed_at is not None
        return self._failing >= MIN_FAILURES and self._failing * 2 > len(self._last)


class Region:
    """Assesses observations, and reports to the operator when the region itself is suspect."""

    def __init__(self, name: str, anchors: Anchors) -> None:
        self._name, self._anchors = name, anchors
        self._new_failures = NewFailures()
        self._cut_off = self._suspect = False
        SUSPECT.labels(name).set(0)

    async def assess(self, job: Job, seen: Observation, now: float) -> None:
        """Blames the region for a target's failure if no anchor answers; `now` is in seconds of a monotonic clock.

        Many failures at once change no verdict, because they may be a real outage.
        """
        failed = seen.verdict in (Verdict.target_fail, Verdict.probe_error)
        if failed or self._cut_off:
            self._cut_off = await self._anchors.all_down()
        if self._cut_off and seen.verdict is Verdict.target_fail:
            seen.verdict, seen.error = Verdict.probe_error, OWN_FAULT
        if seen.verdict is not Verdict.blocked:
            self._new_failures.record(job.resource, job.interval, now, up=not failed)
            self._report(suspect=self._cut_off or self._new_failures.widespread(now))

    def _report(self, *, suspect: bool) -> None:
        if suspect is self._suspect:
            return
        self._suspect = suspect
        SUSPECT.labels(self._name).set(suspect)
        if suspect:
            reason = OWN_FAULT if self._cut_off else "more than half of its monitors failed within a minute"
            log.warning("region_suspect", region=self._name, reason=reason)
        else:
            log.warning("region_trusted", region=self._name)
