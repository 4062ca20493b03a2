"""`memory-usage` and `swap-usage`, in bytes."""

from contextlib import suppress
from pathlib import Path

import psutil

from pinghome_agent.host.mount_table import mounts


def memory(proc: Path) -> dict[str, float]:
    """Total, used = total - available, available, cached and percent; never below 0, never above total.

    psutil estimates `available` where the kernel gives none, 0, or more than there is. The cache of ZFS gives way as
    the page cache does, but the kernel does not count it as available.
    """
    it = psutil.virtual_memory()
    total = max(0, it.total)
    arc = 0 if of_container(proc) else reclaimable_arc(proc)
    available = min(max(0, it.available) + arc, total)
    used = total - available
    return {
        "total": total,
        "used": used,
        "available": available,
        "cached": min(max(0, it.cached) + arc, total),
        "percent": 100 * used / total if total else 0.0,
    }


def swap() -> dict[str, float]:
    """Total, used and percent; all 0 without swap."""
    it = psutil.swap_memory()
    total = max(0, it.total)
    used = min(max(0, it.used), total)
    return {"total": total, "used": used, "percent": 100 * used / total if total else 0.0}


def of_container(proc: Path) -> bool:
    """True when /proc/meminfo is the container's own (lxcfs); statistics of ZFS are the host's even there."""
    return any(it.point == "/proc/meminfo" and it.type.startswith("fuse.lxcfs") for it in mounts(proc))


def reclaimable_arc(proc: Path) -> int:
    """Bytes of ZFS's cache above the least that it keeps; 0 without ZFS."""
    figures = {"size": 0, "c_min": 0}
    with suppress(OSError, ValueError):
        for line in (proc / "spl/kstat/zfs/arcstats").read_text().splitlines():
            fields = line.split()
            if len(fields) == 3 and fields[0] in figures:
                figures[fields[0]] = int(fields[2])
    return max(0, figures["size"] - figures["c_min"])
