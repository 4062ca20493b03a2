"""Prometheus' text of a service: states of monitors, heartbeats and servers, and servers' newest figures."""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pinghome_common.clock import micros, now
from pinghome_common.events.heartbeat import MICRO, Heartbeat, shown
from pinghome_common.events.resource import Resource
from pinghome_common.events.server_resource import Heard, ServerResource

SERIES = 10_000
"""Most series of one answer."""

Monitored = tuple[Resource, int, int | None, float | None]
"""A monitor, its version, when it was last checked (UNIX microseconds) and its response time (ms)."""

_NAMES = {
    "cpu-total-usage": ("cpu", "", ("usage_ratio", "user_ratio", "system_ratio", "iowait_ratio", "steal_ratio")),
    "memory-usage": ("memory", "", ("size_bytes", "used_bytes", "available_bytes", "cached_bytes", "used_ratio")),
    "swap-usage": ("swap", "", ("size_bytes", "used_bytes", "used_ratio")),
    "disk-io-unified": (
        "disk",
        "disk",
        ("read_bytes_per_second", "written_bytes_per_second", "reads_per_second", "writes_per_second"),
    ),
    "disk-usage-unified": ("filesystem", "mount", ("size_bytes", "used_bytes", "free_bytes", "used_ratio")),
    "system-load-unified": ("load", "", ("average_1m", "average_5m", "average_15m")),
    "network-usage-unified": (
        "network",
        "interface",
        (
            "received_bytes_per_second", "sent_bytes_per_second",
            "received_errors_per_second", "sent_errors_per_second",
        ),
    ),
}  # fmt: skip
"""By metric type: the beginning of names, the label of a name, and the ends of names in the order of its fields."""

_IDENTITY = ("id", "name", "type")


class _Families(Collector):
    """Families of gauges with at most `SERIES` series in all."""

    def __init__(self) -> None:
        self._families: dict[str, GaugeMetricFamily] = {}
        self._left = SERIES

    def add(self, name: str, help_: str, labels: dict[str, str], value: float | None) -> None:
        """Adds a series, unless there is no value or there are too many."""
        if value is None or not self._left:
            return
        family = self._families.get(name)
        if family is None:
            family = self._families[name] = GaugeMetricFamily(f"pinghome_{name}", help_, labels=list(labels))
        family.add_metric(list(labels.values()), value)
        self._left -= 1

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """As a registry asks for them."""
        yield from self._families.values()


def write(
    monitors: Sequence[Monitored],
    heartbeats: Sequence[Heartbeat],
    servers: Sequence[tuple[ServerResource, Heard | None]],
) -> bytes:
    """The text; in base units: seconds, bytes and ratios from 0 to 1."""
    families, present = _Families(), micros(now())
    for monitor, _, checked_at, response_time in monitors:
        of = _labels(monitor, monitor.type)
        _state(families, "monitor", of, monitor.change.status.value)
        families.add(
            "monitor_response_time_seconds", "of the last probe of the monitor", of, _divided(response_time, 1000)
        )
        families.add("monitor_last_checked_timestamp_seconds", "when it was probed", of, _divided(checked_at, MICRO))
    for heartbeat in heartbeats:
        of = _labels(heartbeat, "heartbeat")
        _state(families, "heartbeat", of, shown(heartbeat, heartbeat.vitals, present))
        last = heartbeat.vitals.last_event
        families.add("heartbeat_last_event_timestamp_seconds", "when it was last pinged", of, _divided(last, MICRO))
    for server, heard in servers:
        of = _labels(server, "server")
        _state(families, "server", of, server.change.status.value)
        seen_at = heard.seen_at if heard else None
        families.add("server_last_seen_timestamp_seconds", "when it was last heard of", of, _divided(seen_at, MICRO))
    for server, heard in servers:
        if heard:
            _figures(families, _labels(server, "server"), heard)
    registry = CollectorRegistry()
    registry.register(families)
    return generate_latest(registry)


def _labels(it: Resource | Heartbeat | ServerResource, type_: str) -> dict[str, str]:
    return dict(zip(_IDENTITY, (str(it.id), it.name, type_), strict=True))


def _divided(value: float | None, by: int) -> float | None:
    return None if value is None else value / by


def _state(families: _Families, noun: str, of: dict[str, str], state: str) -> None:
    families.add(f"{noun}_state", f"1 for the state that the {noun} is in", of | {"state": state}, 1)
    up = {"up": 1.0, "running": 1.0, "down": 0.0}.get(state)
    families.add(f"{noun}_up", f"whether the {noun} is up (1) or down (0); absent in other states", of, up)


def _figures(families: _Families, of: dict[str, str], heard: Heard) -> None:
    """Those of mounts, disks and interfaces where there are any, else the host's, so that sums count nothing twice."""
    named = {each.type for each in heard.figures if each.name}
    for each in heard.figures:
        if each.type not in _NAMES or bool(each.name) is not (each.type in named):
            continue
        subject, label, ends = _NAMES[each.type]
        labels = of | ({label: each.name} if label else {})
        for end, value in zip(ends, each.values, strict=False):
            ratio = end.endswith("_ratio")
            families.add(
                f"server_{subject}_{end}", f"{subject} of the server: {_words(end)}", labels,
                _divided(value, 100) if ratio else value,
            )  # fmt: skip


def _words(end: str) -> str:
    """An end of a name as words, such as `read bytes per second`."""
    return end.replace("_", " ")
