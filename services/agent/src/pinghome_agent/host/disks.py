"""`disk-io-unified`: counters of whole disks since they were attached."""

import re
from pathlib import Path

import psutil

from pinghome_agent.choice import Choice

# Memory, images, removable media, and volumes of ZFS, whose disks are counted themselves.
_OTHERS = re.compile(r"(loop|ram|zram|sr|fd|zd)\d+")


def counters(sys: Path, choice: Choice) -> dict[str, dict[str, float]]:
    """Bytes and operations read and written, by disk; they only grow until a disk or the host starts anew.

    Without psutil's `nowrap`, which would turn a reset into a jump.
    """
    found = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
    return {
        name: {
            "read_bytes": it.read_bytes,
            "write_bytes": it.write_bytes,
            "reads": it.read_count,
            "writes": it.write_count,
        }
        for name, it in found.items()
        if choice.takes(name, by_default=whole(sys, name))
    }


def whole(sys: Path, name: str) -> bool:
    """True for a disk, false for a partition and for what is made of disks (LVM, RAID, multipath)."""
    block = sys / "block" / name.replace("/", "!")
    if _OTHERS.fullmatch(name) or not block.exists():
        return False
    hidden = block / "hidden"  # one path of a disk with several
    if hidden.exists() and hidden.read_text().strip() == "1":
        return False
    slaves = block / "slaves"
    return not (slaves.is_dir() and any(slaves.iterdir()))
