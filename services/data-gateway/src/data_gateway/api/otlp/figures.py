"""What the points of one moment say of a host: OpenTelemetry's metrics as figures of ours (contract G)."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Self

from data_gateway.api.otlp import names
from pinghome_common.events.metric import FIELDS, Figures

Labels = tuple[str, ...]
Points = Mapping[str, Mapping[Labels, float]]
"""Values by name of the metric and by the labels of `names.SOURCES`, in their order."""

Row = list[float | None]

_FIRST = 0.01
"""A processor whose states, idle too, are less than this share of the time was not measured yet (trap 1)."""

_DISKS = "disk-usage-unified"
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "fuse.glusterfs", "fuse.ceph"}
_WITHOUT_BLOCK_DEVICE = {"zfs", "9p", "virtiofs"}
_IMAGES = {"squashfs", "erofs", "iso9660", "udf", "cramfs", "romfs"}
_PSEUDO = {"tmpfs", "devtmpfs", "ramfs", "overlay", "proc", "sysfs", "cgroup", "cgroup2", "devfs", "autofs", "tracefs"}


def figures(now: Points, rates: Points) -> list[Figures]:
    """The figures of one moment: `now` are levels and counters, `rates` what clients have divided into seconds."""
    found = [*_cpu(now, rates), *_memory(now), *_swap(now), *_load(now), *_filesystems(now)]
    for points, counter in ((now, True), (rates, False)):
        rows = _rows(points, ("system.disk.io", "system.disk.operations"), ("read", "write"))
        found += _devices("disk-io-unified", rows, names.disks, counter=counter)
        rows = _rows(points, ("system.network.io", "system.network.errors"), ("receive", "transmit"))
        found += _devices("network-usage-unified", rows, names.interfaces, counter=counter)
    return found


# -- processor --------------------------------------------------------------------------------------------------------

_STATES = {
    "user": "user", "nice": "user",
    "system": "system", "kernel": "system", "irq": "system", "interrupt": "system", "softirq": "system",
    "wait": "iowait", "iowait": "iowait", "steal": "steal", "idle": "idle",
}  # fmt: skip


def _cpu(now: Points, rates: Points) -> list[Figures]:
    """Counted seconds are preferred to shares: their difference is exact, and the first of them is not wrong."""
    count = next(iter(now.get("system.cpu.logical.count", {}).values()), 0.0)
    if (seconds := now.get("system.cpu.time")) and (processors := _processors(seconds, count)):
        return [_of_cpu(_by_state(seconds, 100 / processors), counter=True)]
    shares = rates.get("system.cpu.time") or now.get("system.cpu.utilization") or {}
    processors = _processors(shares, count if "system.cpu.time" in rates else 1.0)
    if not processors:
        return []
    spent = _by_state(shares, 100 / processors)
    if "idle" in spent and sum(spent.values()) < 100 * _FIRST:
        return []
    return [_of_cpu({state: min(value, 100.0) for state, value in spent.items()}, counter=False)]


def _processors(points: Mapping[Labels, float], count: float) -> float:
    """How many processors the points are of; 0 when that is not known."""
    each = {cpu for _, cpu in points}
    return len(each) if "" not in each else count


def _by_state(points: Mapping[Labels, float], factor: float) -> dict[str, float]:
    found: dict[str, float] = {}
    for (state, _), value in points.items():
        if ours := _STATES.get(state):
            found[ours] = found.get(ours, 0.0) + factor * value
    return found


def _of_cpu(spent: Mapping[str, float], *, counter: bool) -> Figures:
    busy = [spent[state] for state in ("user", "system", "steal") if state in spent]
    total = sum(busy) if busy else None
    return Figures("cpu-total-usage", "", [total, *map(spent.get, ("user", "system", "iowait", "steal"))], counter)


def _load(now: Points) -> list[Figures]:
    row = [now.get(f"system.cpu.load_average.{minutes}m", {}).get(()) for minutes in (1, 5, 15)]
    return _known("system-load-unified", row)


# -- memory -----------------------------------------------------------------------------------------------------------


def _memory(now: Points) -> list[Figures]:
    """Used is total - available where that is known, and never more than the total (trap 4)."""
    usage = {state: value for (state,), value in now.get("system.memory.usage", {}).items()}
    shares = {state: value for (state,), value in now.get("system.memory.utilization", {}).items()}
    if "used" not in usage:
        return _known("memory-usage", [None, None, None, None, _percent(shares.get("used"))])
    total = now.get("system.memory.limit", {}).get(()) or _total_memory(usage, shares)
    available = now.get("system.linux.memory.available", {}).get(())
    used = min(usage["used"] if available is None else max(total - available, 0.0), total)
    return _known("memory-usage", [total, used, total - used, usage.get("cached"), _share(used, total)])


def _total_memory(usage: Mapping[str, float], shares: Mapping[str, float]) -> float:
    """What the states are shares of, for they overlap, so that their sum is not the total; without shares the sum.

    Python's client reads both at different times: the ratio is exact of a state that has not changed in between. Memory
    is whole KiB, which tells that one.
    """
    both = sorted((state for state in usage if shares.get(state)), key=usage.__getitem__, reverse=True)
    totals = [round(usage[state] / shares[state]) for state in both]
    if totals:
        return next((total for total in totals if total % 1024 == 0), totals[0])
    return sum(usage.get(state, 0.0) for state in ("used", "free", "cached", "buffered"))


def _swap(now: Points) -> list[Figures]:
    usage: dict[str, float] = {}
    for (state, _), value in now.get("system.paging.usage", {}).items():
        usage[state] = usage.get(state, 0.0) + value
    if "used" in usage and "free" in usage:
        total = usage["used"] + usage["free"]
        return _known("swap-usage", [total, usage["used"], _share(usage["used"], total)])
    shares = [value for (state, _), value in now.get("system.paging.utilization", {}).items() if state == "used"]
    return _known("swap-usage", [None, usage.get("used"), _percent(shares[0]) if len(shares) == 1 else None])


# -- devices ----------------------------------------------------------------------------------------------------------


def _rows(points: Points, metrics: tuple[str, str], directions: tuple[str, str]) -> dict[str, Row]:
    """Four fields by device: the first metric in both directions, then the second."""
    found: dict[str, Row] = {}
    for number, metric in enumerate(metrics):
        for (direction, device), value in points.get(metric, {}).items():
            if direction in directions:
                found.setdefault(device, [None] * 4)[2 * number + directions.index(direction)] = value
    return found


def _devices(
    type_: str, rows: dict[str, Row], choose: Callable[[set[str]], set[str]], *, counter: bool
) -> list[Figures]:
    """The host's own devices; counters are added up when they have become rates."""
    chosen = choose({name for name in rows if name})
    found = [Figures(type_, name, rows[name], counter) for name in sorted(chosen)]
    if "" in rows:
        found.append(Figures(type_, "", rows[""], counter))
    elif found and not counter:
        columns = zip(*(it.values for it in found), strict=True)
        found.append(Figures(type_, "", [_sum(column) for column in columns]))
    return found


# -- file systems -----------------------------------------------------------------------------------------------------


class _FileSystem(NamedTuple):
    mount: str
    device: str
    kind: str

    @property
    def local(self) -> bool:
        """True when its space is one of the host's own disks, or nothing says otherwise."""
        if self.kind in _REMOTE | _IMAGES | _PSEUDO or self.device.startswith(("/dev/loop", "/dev/fuse")):
            return False
        return self.device.startswith("/dev/") or self.kind in _WITHOUT_BLOCK_DEVICE or not self.device

    @property
    def pool(self) -> str:
        """What shares its free space: the pool of ZFS, else the device alone."""
        return f"zfs {self.device.partition('/')[0]}" if self.kind == "zfs" else self.device or self.mount


class _Space(NamedTuple):
    used: float
    free: float
    reserved: float

    @classmethod
    def of(cls, states: Mapping[str, float]) -> Self:
        return cls(states["used"], states["free"], states.get("reserved", 0.0))

    def row(self) -> Row:
        """The fields of the metric; percent as `df` has it."""
        return [sum(self), self.used, self.free, _share(self.used, self.used + self.free)]


def _filesystems(now: Points) -> list[Figures]:
    """Each device once, however often it is mounted; the host's total is of its own disks."""
    space: dict[_FileSystem, dict[str, float]] = {}
    for (mount, state, device, kind), value in now.get("system.filesystem.usage", {}).items():
        space.setdefault(_FileSystem(mount, device, kind), {})[state] = value
    whole = {it: _Space.of(states) for it, states in space.items() if {"used", "free"} <= states.keys()}
    shown = _each_once(whole)
    found = [Figures(_DISKS, it.mount, whole[it].row()) for it in shown]
    own = [it for it in shown if it.local] or [it for it in shown if it.mount == "/"]
    if own:
        found.append(Figures(_DISKS, "", _total([(it.pool, whole[it]) for it in own]).row()))
    shares = {
        _FileSystem(mount, device, kind): 100 * value
        for (mount, state, device, kind), value in now.get("system.filesystem.utilization", {}).items()
        if state in ("", "used")
    }
    more = {it: share for it, share in shares.items() if it not in space}
    return found + [Figures(_DISKS, it.mount, [None, None, None, min(more[it], 100.0)]) for it in _each_once(more)]


def _each_once(seen: Iterable[_FileSystem]) -> list[_FileSystem]:
    """By device the one with the shortest mount point; without pseudo file systems and images."""
    best: dict[str, _FileSystem] = {}
    for it in sorted(seen, key=lambda it: (len(it.mount), it)):
        if it.local or it.kind in _REMOTE or it.mount == "/":
            best.setdefault(it.device or it.mount, it)
    return list(best.values())


def _total(measured: list[tuple[str, _Space]]) -> _Space:
    """The sum of pools; within one, what is free is free for all."""
    pools: dict[str, list[_Space]] = {}
    for pool, space in measured:
        pools.setdefault(pool, []).append(space)
    return _Space(
        sum(each.used for group in pools.values() for each in group),
        sum(max(each.free for each in group) for group in pools.values()),
        sum(max(each.reserved for each in group) for group in pools.values()),
    )


# -- numbers ----------------------------------------------------------------------------------------------------------


def _known(type_: str, row: Row) -> list[Figures]:
    """The host's figures of a type, if there is any."""
    assert len(row) == len(FIELDS[type_])  # noqa: S101  # each caller names the fields of its type
    return [] if all(it is None for it in row) else [Figures(type_, "", row)]


def _percent(share: float | None) -> float | None:
    return None if share is None else min(100 * share, 100.0)


def _share(part: float, whole: float) -> float:
    return 100 * part / whole if whole else 0.0


def _sum(column: tuple[float | None, ...]) -> float | None:
    known = [it for it in column if it is not None]
    return sum(known) if known else None
