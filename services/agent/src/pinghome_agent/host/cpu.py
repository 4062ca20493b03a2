"""`cpu-total-usage` and `system-load-unified`."""

from pathlib import Path

import psutil

FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")  # guest time is part of user and nice


class Cpu:
    """Shares of all processors together since the last call, 0 to 100; the first times are read when it is made."""

    def __init__(self) -> None:
        self._last = _times()

    def usage(self) -> dict[str, float] | None:
        """Percent of total, user, system, iowait and steal; None when no time has passed.

        A time that went backwards, as iowait does on some kernels, counts as not having moved.
        """
        now, last = _times(), self._last
        self._last = now
        spent = {name: max(0.0, now[name] - last[name]) for name in FIELDS}
        whole = sum(spent.values())
        if not whole:
            return None

        def percent(*names: str) -> float:
            return 100 * sum(spent[name] for name in names) / whole

        return {
            "total": percent("user", "nice", "system", "irq", "softirq", "steal"),
            "user": percent("user", "nice"),
            "system": percent("system", "irq", "softirq"),
            "iowait": percent("iowait"),
            "steal": percent("steal"),
        }


def _times() -> dict[str, float]:
    times = psutil.cpu_times()
    return {name: getattr(times, name, 0.0) for name in FIELDS}


def load(proc: Path) -> dict[str, float]:
    """The load averages of 1, 5 and 15 minutes."""
    one, five, fifteen = (proc / "loadavg").read_text().split()[:3]
    return {"load1": float(one), "load5": float(five), "load15": float(fifteen)}
