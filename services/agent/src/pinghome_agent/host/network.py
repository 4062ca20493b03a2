"""`network-usage-unified`: counters of interfaces since they came up."""

import re
from collections.abc import Iterable
from pathlib import Path

import psutil

from pinghome_agent.choice import Choice

# Where there is no physical interface, as in a container, these are still none of the host's own ways out.
_VIRTUAL = re.compile(
    r"lo|(docker|br-|virbr|veth|cali|cni|flannel|vxlan|dummy|ifb|tun|tap|wg|bond|team|sit|gre|erspan|ip6|tunl|teql).*"
)


def counters(sys: Path, choice: Choice) -> dict[str, dict[str, float]]:
    """Bytes and errors received and sent, by interface; they only grow until an interface comes up anew.

    Without psutil's `nowrap`, which would turn a reset into a jump.
    """
    found = psutil.net_io_counters(pernic=True, nowrap=False) or {}
    own = ways_out(sys, found)
    return {
        name: {
            "received_bytes": it.bytes_recv,
            "sent_bytes": it.bytes_sent,
            "received_errors": it.errin,
            "sent_errors": it.errout,
        }
        for name, it in found.items()
        if choice.takes(name, by_default=name in own)
    }


def ways_out(sys: Path, names: Iterable[str]) -> set[str]:
    """The physical interfaces; bridges, bonds and virtual ones would count their bytes twice."""
    names = set(names)
    physical = {name for name in names if (sys / "class/net" / name / "device").exists()}
    return physical or {name for name in names if not _VIRTUAL.fullmatch(name)}
