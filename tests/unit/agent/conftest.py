"""Hosts made of files: /proc and /sys as kernels write them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

MEMINFO = {"MemTotal": 1000, "MemFree": 200, "MemAvailable": 600, "Buffers": 50, "Cached": 300, "SReclaimable": 30,
           "Shmem": 10, "Active": 200, "Inactive": 200, "SwapTotal": 100, "SwapFree": 75}  # fmt: skip
ROOT = "29 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw"


@dataclass
class Host:
    """A made host; numbers of memory are kB."""

    proc: Path
    sys: Path

    def write(self, path: str, text: str | bytes) -> None:
        full = self.proc.parent / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(text if isinstance(text, bytes) else text.encode())

    def cpu(self, *ticks: int) -> None:
        """user nice system idle iowait irq softirq steal guest guest_nice"""
        whole = [*ticks, *(0,) * (10 - len(ticks))]
        self.write("proc/stat", f"cpu  {' '.join(map(str, whole))}\ncpu0 1 1 1 1 1 1 1 1 0 0\nbtime 1790000000\n")

    def memory(self, **changed: int | None) -> None:
        lines = [f"{name}: {value} kB" for name, value in (MEMINFO | changed).items() if value is not None]
        self.write("proc/meminfo", "\n".join(lines) + "\n")

    def arc(self, size: int, least: int) -> None:
        self.write("proc/spl/kstat/zfs/arcstats", f"13 1 0x01\nname type data\nc_min 4 {least}\nsize 4 {size}\n")

    def mounts(self, *lines: str) -> None:
        self.write("proc/self/mountinfo", "\n".join(lines) + "\n")

    def disk(self, name: str, *, slaves: tuple[str, ...] = (), hidden: bool = False) -> None:
        (self.sys / "block" / name / "slaves").mkdir(parents=True)
        for each in slaves:
            (self.sys / "block" / name / "slaves" / each).mkdir()
        self.write(f"sys/block/{name}/hidden", f"{hidden:d}\n")

    def diskstats(self, **sectors: int) -> None:
        """Each disk has read so many sectors of 512 bytes in 7 operations, and written none."""
        lines = (f"8 0 {name} 7 0 {read} 0 0 0 0 0 0 0 0 0 0 0 0 0 0" for name, read in sectors.items())
        self.write("proc/diskstats", "\n".join(lines) + "\n")

    def network(self, **received: int) -> None:
        """Each interface has received so many bytes and one error, and sent 5 bytes."""
        lines = (f"{name}: {got} 2 1 0 0 0 0 0 5 1 0 0 0 0 0 0" for name, got in received.items())
        self.write("proc/net/dev", "\n".join(["Inter-| Receive", " face |bytes", *lines]) + "\n")

    def process(
        self, pid: int, name: bytes, state: str = "S", ticks: int = 0, pages: int = 1, started: int = 1
    ) -> None:
        after = [state, *["0"] * 10, str(ticks), "0", *["0"] * 6, str(started), "0", str(pages)]
        self.write(f"proc/{pid}/stat", b"%d (%b) %b\n" % (pid, name, " ".join(after).encode()))


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A small virtual machine with one disk, one interface and one process."""
    it = Host(tmp_path / "proc", tmp_path / "sys")
    it.cpu(100, 0, 50, 1000)
    it.memory()
    it.write("proc/vmstat", "pswpin 0\npswpout 0\n")
    it.write("proc/loadavg", "0.50 0.40 0.30 1/100 4242\n")
    it.mounts(ROOT)
    it.disk("vda")
    it.diskstats(vda=2)
    (it.sys / "class/net/eth0/device").mkdir(parents=True)
    it.network(lo=9, eth0=1000)
    it.process(1, b"init")
    psutil.PROCFS_PATH = str(it.proc)
    yield it
    psutil.PROCFS_PATH = "/proc"
