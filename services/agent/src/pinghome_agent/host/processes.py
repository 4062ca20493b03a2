"""`processes-unified`: how many processes are in which state, and the largest. Names only: arguments hold secrets."""

import os
import time
from dataclasses import dataclass
from heapq import nlargest
from operator import attrgetter
from pathlib import Path
from typing import Any

import psutil

from pinghome_agent.text import clean

STATES = {
    "R": "running", "S": "sleeping", "D": "disk-sleep", "T": "stopped", "t": "tracing-stop", "Z": "zombie", "I": "idle",
}  # fmt: skip
SHARE = 0.003
"""Of one core's time, for reading processes: on a host with very many not every sample has them."""
_TOP = 5


@dataclass(frozen=True)
class Process:
    """A process; `ticks` of processor time since its start, `cpu` percent of the host since the last reading."""

    pid: int
    name: str
    state: str
    started: int
    ticks: int
    memory: int
    cpu: float = 0.0


class Processes:
    """Reads all processes; their first times are read when it is made."""

    def __init__(self, proc: Path, interval: float) -> None:
        self._proc, self._allowed = proc, SHARE * interval
        self._ticks = os.sysconf("SC_CLK_TCK") * (psutil.cpu_count() or 1)
        self._last = {(it.pid, it.started): it.ticks for it in self._read()}
        self._last_at = time.monotonic()
        self._skip = 0

    def sample(self) -> dict[str, Any] | None:
        """Counts by state, and the top five by processor and by memory; None when it is not yet time again."""
        if self._skip:
            self._skip -= 1
            return None
        begun = time.thread_time()
        found, now = self._read(), time.monotonic()
        whole = max(now - self._last_at, 0.001) * self._ticks
        found = [self._with_cpu(it, whole) for it in found]
        self._last, self._last_at = {(it.pid, it.started): it.ticks for it in found}, now
        states: dict[str, int] = {}
        for it in found:
            states[it.state] = states.get(it.state, 0) + 1
        self._skip = int((time.thread_time() - begun) / self._allowed)
        return {
            "states": states,
            "cpu": [_shown(it) for it in nlargest(_TOP, found, key=attrgetter("cpu"))],
            "memory": [_shown(it) for it in nlargest(_TOP, found, key=attrgetter("memory"))],
        }

    def _with_cpu(self, it: Process, whole: float) -> Process:
        spent = max(0, it.ticks - self._last.get((it.pid, it.started), 0))
        return Process(it.pid, it.name, it.state, it.started, it.ticks, it.memory, min(100.0, 100 * spent / whole))

    def _read(self) -> list[Process]:
        found = []
        for name in os.listdir(self._proc):  # noqa: PTH208  # each made into a Path costs as much as reading it
            if name.isdecimal():
                try:
                    found.append(parsed((self._proc / name / "stat").read_bytes()))
                except (OSError, ValueError, IndexError):  # it has just ended
                    continue
        return found


_PAGE = os.sysconf("SC_PAGE_SIZE")


def parsed(stat: bytes) -> Process:
    """A process from its /proc/<pid>/stat; its name may hold spaces and brackets."""
    pid, _, rest = stat.partition(b" (")
    name, _, after = rest.rpartition(b") ")
    fields = after.split()
    return Process(
        pid=int(pid),
        name=clean(name.decode(errors="replace")),
        state=STATES.get(fields[0].decode(errors="replace"), "dead"),
        ticks=int(fields[11]) + int(fields[12]),
        started=int(fields[19]),
        memory=int(fields[21]) * _PAGE,
    )


def _shown(it: Process) -> dict[str, Any]:
    return {"pid": it.pid, "name": it.name, "cpu": round(it.cpu, 3), "memory": it.memory}
