"""The metrics of hosts that we keep, and their labels in every spelling (OpenTelemetry's semantic conventions)."""

import re
from collections.abc import Iterable
from typing import NamedTuple

CPU = ("cpu", "cpu.logical_number", "system.cpu.logical_number")
STATE = (
    "state", "cpu.mode", "system.cpu.state", "system.memory.state", "linux.memory.state", "system.paging.state",
    "system.filesystem.state",
)  # fmt: skip
DEVICE = ("device", "system.device", "network.interface.name")
DIRECTION = (
    "direction", "disk.io.direction", "network.io.direction", "system.disk.direction", "system.network.direction",
)  # fmt: skip
MOUNT = ("mountpoint", "system.filesystem.mountpoint")
KIND = ("type", "system.filesystem.type")


class Source(NamedTuple):
    """A metric: `name` is the same for all of its spellings, `labels` tell its points apart, `needed` of them always.

    `counter`: it only grows, so that the difference of two points is a rate.
    """

    name: str
    labels: tuple[tuple[str, ...], ...] = ()
    needed: int = 0
    counter: bool = False


_SOURCES = (
    Source("system.cpu.time", (STATE, CPU), 1, counter=True),
    Source("system.cpu.utilization", (STATE, CPU), 1),
    Source("system.cpu.logical.count"),
    Source("system.cpu.load_average.1m"),
    Source("system.cpu.load_average.5m"),
    Source("system.cpu.load_average.15m"),
    Source("system.memory.usage", (STATE,), 1),
    Source("system.memory.utilization", (STATE,), 1),
    Source("system.memory.limit"),
    Source("system.linux.memory.available"),
    Source("system.paging.usage", (STATE, DEVICE), 1),
    Source("system.paging.utilization", (STATE, DEVICE), 1),
    Source("system.disk.io", (DIRECTION, DEVICE), 1, counter=True),
    Source("system.disk.operations", (DIRECTION, DEVICE), 1, counter=True),
    Source("system.network.io", (DIRECTION, DEVICE), 1, counter=True),
    Source("system.network.errors", (DIRECTION, DEVICE), 1, counter=True),
    Source("system.filesystem.usage", (MOUNT, STATE, DEVICE, KIND), 2),
    Source("system.filesystem.utilization", (MOUNT, STATE, DEVICE, KIND), 1),
)
_ALIASES = {
    "system.swap.usage": "system.paging.usage",
    "system.swap.utilization": "system.paging.utilization",
    "system.memory.linux.available": "system.linux.memory.available",
}
SOURCES = {it.name: it for it in _SOURCES}
SOURCES |= {alias: SOURCES[name] for alias, name in _ALIASES.items()}
"""By the names that clients use."""

# As the agent's own defaults (services/agent host/disks.py, network.py), which see in /sys what names alone tell here.
_NO_DISK = re.compile(r"(loop|ram|zram|sr|fd|zd)\d+")
_OF_DISKS = re.compile(r"(dm-|md|bcache|drbd).*")
_PART = re.compile(r"(.*\d)p\d+|(.*\D)\d+")
_VIRTUAL = re.compile(
    r"lo\d*|(docker|br-|virbr|veth|cali|cni|flannel|vxlan|dummy|ifb|tun|tap|wg|bond|team|sit|gre|erspan|ip6|tunl|teql"
    r"|br\d|vmbr|lxc|lxdbr|vnet|fwbr|fwpr|fwln|ovs|kube|nodelocaldns|utun|bridge|awdl|llw|gif|stf|anpi).*",
)


def disks(names: Iterable[str]) -> set[str]:
    """The whole disks: no partition of another one, and nothing that is made of disks where there are any."""
    real = {name for name in names if not _NO_DISK.fullmatch(name)}
    whole = {name for name in real if not _is_part(name, real)}
    return {name for name in whole if not _OF_DISKS.fullmatch(name)} or whole


def _is_part(name: str, of: set[str]) -> bool:
    found = _PART.fullmatch(name)
    return found is not None and (found[1] or found[2]) in of


def interfaces(names: Iterable[str]) -> set[str]:
    """The ways out of a host: no VLAN of another one, and nothing virtual."""
    all_ = {*names}
    return {name for name in all_ if not _VIRTUAL.fullmatch(name) and not _is_vlan(name, all_)}


def _is_vlan(name: str, of: set[str]) -> bool:
    below, dot, _ = name.rpartition(".")
    return bool(dot) and below in of
