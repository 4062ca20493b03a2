"""The mounts of this host and which of them hold its disks' space."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pinghome_agent.choice import Choice

REMOTE = {"nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "fuse.glusterfs", "fuse.ceph"}
WITHOUT_BLOCK_DEVICE = {"zfs", "9p", "virtiofs"}
READ_ONLY_IMAGES = {"squashfs", "erofs", "iso9660", "udf", "cramfs", "romfs"}  # always full
MOST = 100
"""Mounts that are measured at most."""


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo: `device` is its number, `root` which part of the file system is shown at `point`."""

    device: str
    root: str
    point: str
    type: str
    source: str

    @property
    def local(self) -> bool:
        """True when its space is one of this host's own disks."""
        if self.type in READ_ONLY_IMAGES:
            return False
        on_disk = self.source.startswith("/dev/") and not self.source.startswith(("/dev/loop", "/dev/fuse"))
        return on_disk or self.type in WITHOUT_BLOCK_DEVICE

    @property
    def pool(self) -> str:
        """What shares its free space: the pool of ZFS, else the device alone."""
        return f"zfs {self.source.partition('/')[0]}" if self.type == "zfs" else self.device


@dataclass(frozen=True)
class Device:
    """A file system with the mounts that show it, the best one first; `counted` in the host's total.

    A `fallback` counts only where no other one does.
    """

    mounts: tuple[Mount, ...]
    counted: bool
    fallback: bool


def mounts(proc: Path) -> list[Mount]:
    """The mounts that this process sees; of several at one point the last, which covers the others."""
    found: dict[str, Mount] = {}
    for line in os.fsdecode((proc / "self/mountinfo").read_bytes()).splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) >= 6 and len(kind) >= 2:
            point = _plain(fields[4])
            found[point] = Mount(fields[2], _plain(fields[3]), point, kind[0], _plain(kind[1]))
    return list(found.values())


def devices(proc: Path, choice: Choice) -> dict[str, Device]:
    """What is to be measured, by device number: each file system once, however often it is mounted.

    Pseudo file systems and read-only images are out. A root without a disk is a fallback: that of a container is an
    overlay, and beside it there may be mounted files alone; that of an immutable system is an image, and its disk is
    mounted elsewhere.
    """
    seen = mounts(proc)
    wanted: dict[str, list[Mount]] = {}
    for each in seen:
        if choice.takes(each.point, by_default=each.local or each.type in REMOTE or each.point == "/"):
            wanted.setdefault(each.device, []).append(each)
    found = {}
    for device, group in list(wanted.items())[:MOST]:
        group.sort(key=lambda each: (not choice.includes(each.point), each.root != "/", len(each.point), each.point))
        local = any(each.local for each in group)
        is_root = any(each.point == "/" for each in group)
        included = any(choice.includes(each.point) for each in group)
        found[device] = Device(tuple(group), counted=local or is_root, fallback=not local and is_root and not included)
    return found


def _plain(text: str) -> str:
    r"""A name without the octal escapes in which the kernel writes space, tab, line feed and backslash."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
