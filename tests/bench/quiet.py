"""How quiet the machine was while a round ran: what others took of it disturbs every figure."""

import os
import time
from pathlib import Path

from processes import cpu_seconds


class Quiet:
    """Tells, at the end of each round, how many cores others kept busy in it."""

    def __init__(self) -> None:
        self._begun, self._busy, self._ours = self._now()

    def round(self) -> str:
        """For a line of progress, with the load average of the last minute."""
        begun, busy, ours = self._begun, self._busy, self._ours
        self._begun, self._busy, self._ours = self._now()
        others = max(0.0, self._busy - busy - (self._ours - ours)) / (self._begun - begun)
        return f"(others took {others:.2f} cores; load {os.getloadavg()[0]:.1f})"

    @staticmethod
    def _now() -> tuple[float, float, float]:
        """The time, the CPU seconds that all processes have taken, and those of our own."""
        user, nice, system, _, _, interrupts, soft, *_ = map(int, Path("/proc/stat").read_text().split()[1:11])
        busy = (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
        return time.monotonic(), busy, cpu_seconds(os.getpid())
