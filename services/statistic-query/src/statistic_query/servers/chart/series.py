"""What a chart of each metric type shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pinghome_common.events.metric import FIELDS
from statistic_query.servers.chart.axes import BYTE_RATE, BYTES, NUMBER, PERCENT, Unit
from statistic_query.servers.points import Spans
from statistic_query.servers.settings import Threshold
from statistic_query.servers.stats import TIMES
from statistic_query.servers.thinning import Point

MOST_LINES = 8
"""Mounts that one chart shows: those with the highest values."""

Drawn = tuple[datetime, float, float, float]
"""A time with the average, the lowest and the highest value."""


@dataclass(frozen=True)
class Kind:
    """The chart of one metric type: its title, its unit, its fields with their labels; `by_name` has a line each."""

    title: str
    unit: Unit
    fields: Mapping[str, str]
    by_name: bool = False


KINDS = {
    "cpu-total-usage": Kind(
        "CPU usage", PERCENT, {"total": "total", "user": "user", "system": "system", "iowait": "I/O wait"}
    ),
    "memory-usage": Kind("Memory", BYTES, {"used": "used", "cached": "cached"}),
    "swap-usage": Kind("Swap", BYTES, {"used": "used"}),
    "disk-io-unified": Kind("Disk throughput", BYTE_RATE, {"read_bytes": "read", "write_bytes": "written"}),
    "disk-usage-unified": Kind("Disk usage", PERCENT, {"percent": "used"}, by_name=True),
    "system-load-unified": Kind("Load", NUMBER, {"load1": "1 min", "load5": "5 min", "load15": "15 min"}),
    "network-usage-unified": Kind("Network", BYTE_RATE, {"received_bytes": "received", "sent_bytes": "sent"}),
}


@dataclass(frozen=True)
class Line:
    """One line of a chart."""

    label: str
    points: Sequence[Drawn]

    @property
    def highest(self) -> float:
        """Its highest value."""
        return max(point[3] for point in self.points)


@dataclass(frozen=True)
class Bound:
    """A horizontal line: a threshold, or how much there is in all."""

    value: float
    label: str
    threshold: bool


def lines(type_: str, found: Sequence[Point] | Spans) -> list[Line]:
    """The lines of a metric type; those without a value are left out, and so are further ones that are always 0."""
    kind = KINDS[type_]
    seen = found.packed if isinstance(found, Spans) else {name for each in found for name in each.values}
    names = sorted(name for name in seen if name) if kind.by_name else []
    made = [
        Line(name or label, list(_drawn(found, name, FIELDS[type_].index(field))))
        for name in names or [""]
        for field, label in kind.fields.items()
    ]
    made = [line for line in made if line.points]
    if kind.by_name:
        return sorted(made, key=lambda line: -line.highest)[:MOST_LINES]
    return [line for place, line in enumerate(made) if place == 0 or line.highest > 0]


def _drawn(found: Sequence[Point] | Spans, name: str, place: int) -> Iterator[Drawn]:
    if isinstance(found, Spans):
        for at, packed in zip(found.times, found.packed.get(name, ()), strict=False):
            if packed and (average := packed[place]) is not None:
                lowest, highest = packed[place + len(packed) // TIMES], packed[place + 2 * len(packed) // TIMES]
                yield at, average, lowest or 0.0, highest or 0.0
        return
    for it in found:
        if (values := it.values.get(name)) and (value := values[place]) is not None:
            yield it.at, value, value, value


def bounds(type_: str, found: Sequence[Point] | Spans, thresholds: Sequence[Threshold]) -> list[Bound]:
    """The thresholds of a type that have a place on its axis, and the total of memory and swap."""
    kind, made = KINDS[type_], []
    total = 0.0
    if kind.unit is BYTES and (points := list(_drawn(found, "", FIELDS[type_].index("total")))):
        total = points[-1][1]
        made.append(Bound(total, f"total {kind.unit.text(total)}", threshold=False))
    for it in thresholds:
        if it.type != type_:
            continue
        value = it.value * total / 100 if it.field == "percent" and kind.unit is BYTES else it.value
        if value > 0 and (it.field in kind.fields or (it.field == "percent" and total)):
            sign = ">" if it.operator == "greater-than" else "<"
            label = PERCENT.text(it.value) if it.field == "percent" else kind.unit.text(it.value)
            of = kind.fields.get(it.field, "used")  # percent is that of what is used
            made.append(Bound(value, f"{of} {sign} {label}", threshold=True))
    return made
