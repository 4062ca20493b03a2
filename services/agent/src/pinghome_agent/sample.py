"""One sample of the host, as the JSON that is kept and sent."""

import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import psutil

from pinghome_agent.choice import ALL_BY_DEFAULT, Choice
from pinghome_agent.clock import rfc3339
from pinghome_agent.host import disks, memory, network
from pinghome_agent.host.cpu import Cpu, load
from pinghome_agent.host.disk_usage import DiskUsage
from pinghome_agent.host.processes import Processes
from pinghome_agent.logs import log
from pinghome_agent.text import clean

PRIMING = 1.5
"""Seconds between the first times of the processor, which say nothing, and the first sample."""

MOST_NAMES = 256
"""Of mounts, disks and interfaces each, so that a sample stays below what one request may hold."""


@dataclass(frozen=True)
class Choices:
    """What is measured of which there may be several."""

    mounts: Choice = ALL_BY_DEFAULT
    disks: Choice = ALL_BY_DEFAULT
    interfaces: Choice = ALL_BY_DEFAULT


@dataclass
class Parts:
    """What one sample consists of."""

    values: dict[str, Any] = field(default_factory=dict)
    by: dict[str, dict[str, Any]] = field(default_factory=dict)
    counters: dict[str, dict[str, Any]] = field(default_factory=dict)


class Sampler:
    """Measures the host whose /proc and /sys are given; usage is counted from the moment when it is made."""

    def __init__(self, interval: float, choices: Choices, proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> None:
        warnings.simplefilter("ignore", RuntimeWarning)  # psutil's, of a field that this kernel does not have
        psutil.PROCFS_PATH = str(proc)
        self.proc = proc
        self._interval, self._choices, self._sys = interval, choices, sys
        self._cpu, self._processes = Cpu(), Processes(proc, interval)
        self._disk_usage = DiskUsage(proc, choices.mounts)
        self._failing: set[str] = set()

    def sample(self) -> bytes:
        """The sample of now, in at most a little more than the deadline of mounts."""
        at, parts = time.time(), Parts()
        self._add("cpu-total-usage", parts.values, self._cpu.usage)
        self._add("disk-io-unified", parts.counters, lambda: disks.counters(self._sys, self._choices.disks))
        self._add(
            "network-usage-unified", parts.counters, lambda: network.counters(self._sys, self._choices.interfaces)
        )
        self._add("memory-usage", parts.values, lambda: memory.memory(self.proc))
        self._add("swap-usage", parts.values, memory.swap)
        self._add("system-load-unified", parts.values, lambda: load(self.proc))
        self._add("processes-unified", parts.values, self._processes.sample)
        usage: dict[str, Any] = {}
        self._add("disk-usage-unified", usage, self._disk_usage.sample)
        for name, (total, by_mount) in usage.items():
            if total:
                parts.values[name] = total
            if by_mount:
                parts.by[name] = by_mount
        return encoded(at, self._interval, parts)

    def _add(self, name: str, to: dict[str, Any], measure: Callable[[], Any]) -> None:
        """Add what is measured, if anything; what fails costs only itself and is told once."""
        try:
            measured = measure()
        except Exception as error:  # noqa: BLE001  # a strange kernel must not cost the other figures
            if name not in self._failing:
                log.warning("not_measured", type=name, reason=repr(error))
            self._failing.add(name)
            return
        self._failing.discard(name)
        if measured:
            to[name] = measured


def encoded(at: float, interval: float, parts: Parts) -> bytes:
    """The JSON of a sample measured at a UNIX time."""
    sample = {
        "at": rfc3339(at),
        "interval": interval,
        "values": {
            name: values if name == "processes-unified" else _rounded(values) for name, values in parts.values.items()
        },
        "by": _named(parts.by),
        "counters": _named(parts.counters),
    }
    return json.dumps(sample, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _named(types: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        type_: {clean(name): _rounded(values) for name, values in islice(named.items(), MOST_NAMES)}
        for type_, named in types.items()
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in values.items()}
