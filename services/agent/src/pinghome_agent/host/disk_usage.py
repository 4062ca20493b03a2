"""`disk-usage-unified`: the space of mounted file systems, in bytes. A file system that hangs holds nothing else up."""

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from pinghome_agent.choice import ALL_BY_DEFAULT, Choice
from pinghome_agent.host.mount_table import Device, Mount, devices
from pinghome_agent.logs import log

DEADLINE = 2.0
"""Seconds within which a mount must answer."""


@dataclass(frozen=True)
class Space:
    """Bytes of a file system as `df` counts them: what only root may use is neither used nor free."""

    total: int
    used: int
    free: int

    def figures(self) -> dict[str, float]:
        """The fields of the metric; percent as `df` has it."""
        usable = self.used + self.free
        percent = 100 * self.used / usable if usable else 0.0
        return {"total": self.total, "used": self.used, "free": self.free, "percent": percent}


def space(point: str) -> Space | None:
    """The space at a mount point; None for a file, such as /etc/resolv.conf in a container, or without blocks."""
    if not stat.S_ISDIR(Path(point).stat().st_mode):
        return None
    it = os.statvfs(point)
    if not it.f_blocks:
        return None
    return Space(it.f_blocks * it.f_frsize, (it.f_blocks - it.f_bfree) * it.f_frsize, it.f_bavail * it.f_frsize)


class _Measurement(Thread):
    """Asks one device in a thread of its own, for a system call to a dead server cannot be cut short."""

    def __init__(self, device: Device, measure: Callable[[str], Space | None]) -> None:
        super().__init__(name=f"mount {device.mounts[0].point}", daemon=True)
        self.device, self._measure = device, measure
        self.found: tuple[Mount, Space] | None = None
        self.error: OSError | None = None

    def run(self) -> None:
        for mount in self.device.mounts:
            try:
                measured = self._measure(mount.point)
            except OSError as error:
                self.error = error
            else:
                if measured:
                    self.found = mount, measured
                    return


class DiskUsage:
    """Measures all mounts at once, each within the deadline.

    One that does not answer in time is left alone until it does: it has one thread, however long it hangs.
    """

    def __init__(
        self, proc: Path, choice: Choice = ALL_BY_DEFAULT, *,
        deadline: float = DEADLINE, measure: Callable[[str], Space | None] = space,
    ) -> None:  # fmt: skip
        self._proc, self._choice, self._deadline, self._measure = proc, choice, deadline, measure
        self._stuck: dict[str, _Measurement] = {}
        self._unreadable: set[str] = set()

    def sample(self) -> tuple[dict[str, float] | None, dict[str, dict[str, float]]]:
        """The host's total and the figures by mount point.

        The total adds up local disks only, a ZFS pool once. It is None while one of them does not answer: a sum
        without it would be wrong. A mount that cannot be read is left out.
        """
        self._forget_answered()
        known = devices(self._proc, self._choice)
        running = self._begin(known)
        until, measured = time.monotonic() + self._deadline, []
        for number, measurement in running.items():
            measurement.join(max(0.0, until - time.monotonic()))
            if measurement.is_alive():
                self._stuck[number] = measurement
                log.warning("mount_does_not_answer", mount=measurement.device.mounts[0].point)
            elif measurement.found:
                measured.append((measurement.device, *measurement.found))
            elif measurement.error:
                self._tell_unreadable(measurement.device.mounts[0].point, str(measurement.error.strerror))
        if any(device.counted and not device.fallback for device, _, _ in measured):
            measured = [each for each in measured if not each[0].fallback]
        by = {mount.point: found.figures() for _, mount, found in measured}
        if any(known[number].counted for number in self._stuck if number in known):
            return None, by
        return _total([(mount.pool, found) for device, mount, found in measured if device.counted]), by

    def _begin(self, known: dict[str, Device]) -> dict[str, _Measurement]:
        running = {}
        for number, device in known.items():
            if number not in self._stuck:
                running[number] = _Measurement(device, self._measure)
                try:
                    running[number].start()
                except RuntimeError as error:  # no more threads
                    self._tell_unreadable(running.pop(number).device.mounts[0].point, str(error))
        return running

    def _forget_answered(self) -> None:
        for number, measurement in list(self._stuck.items()):
            if not measurement.is_alive():
                del self._stuck[number]
                log.info("mount_answers_again", mount=measurement.device.mounts[0].point)

    def _tell_unreadable(self, point: str, reason: str) -> None:
        if point not in self._unreadable:
            self._unreadable.add(point)
            log.warning("mount_unreadable", mount=point, reason=reason)


def _total(measured: list[tuple[str, Space]]) -> dict[str, float] | None:
    pools: dict[str, list[Space]] = {}
    for pool, each in measured:
        pools.setdefault(pool, []).append(each)
    if not pools:
        return None
    used = sum(each.used for group in pools.values() for each in group)
    free = sum(max(each.free for each in group) for group in pools.values())
    reserved = sum(max(each.total - each.used - each.free for each in group) for group in pools.values())
    return Space(used + free + reserved, used, free).figures()
