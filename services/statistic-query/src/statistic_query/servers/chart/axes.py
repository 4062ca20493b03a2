"""Axes with the units and the round numbers that people read; times in the server's own zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from math import ceil, log10

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_TIME_STEPS = (
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 3, 6, 12)),
    *(DAY * n for n in (1, 2, 7, 14, 28, 56, 112, 224, 448, 896, 1792, 3584)),
)


@dataclass(frozen=True)
class Unit:
    """How values are written: `sizes` are its multiples, ascending, each with its name; `least` is the lowest top."""

    sizes: Sequence[tuple[float, str]]
    least: float
    binary: bool = False

    def size(self, value: float) -> tuple[float, str]:
        """The largest multiple that is not larger than a value."""
        return next((each for each in reversed(self.sizes) if each[0] <= value), self.sizes[0])

    def text(self, value: float) -> str:
        """A value with its unit and at most three digits, such as `7.25 GiB`."""
        size, name = self.size(abs(value))
        return f"{_rounded(value / size)} {name}".rstrip()


PERCENT = Unit([(1, "%")], 10)
NUMBER = Unit([(1, "")], 1)
BYTES = Unit(
    [(1024.0**power, name) for power, name in enumerate(("B", "KiB", "MiB", "GiB", "TiB", "PiB"))], 4096, binary=True
)
BYTE_RATE = Unit([(1000.0**power, f"{name}/s") for power, name in enumerate(("B", "kB", "MB", "GB", "TB"))], 1000)


@dataclass(frozen=True)
class Scale:
    """A value axis from 0 to `top`, with its ticks and their labels."""

    top: float
    ticks: Sequence[tuple[float, str]]


def scale(highest: float, unit: Unit) -> Scale:
    """The axis for values up to `highest`, with three to six round ticks."""
    highest = max(highest, unit.least)
    size, name = unit.size(highest)
    step = _round_step(highest / size / 4, binary=unit.binary)
    count = max(ceil(highest / size / step - 1e-9), 1)
    decimals = next(places for places in range(4) if places == 3 or round(step, places) == step)
    labels = ["0", *(f"{place * step:.{decimals}f} {name}".rstrip() for place in range(1, count + 1))]
    return Scale(count * step * size, [(place * step * size, label) for place, label in enumerate(labels)])


def _round_step(value: float, *, binary: bool) -> float:
    """The smallest round number that is not smaller."""
    if binary and value > 0.5:
        return next((2.0**power for power in range(12) if 2.0**power >= value), 4096.0)
    power = float(10 ** (log10(value) // 1))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10, 20) if power * factor >= value * (1 - 1e-9))


def _rounded(value: float) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{round(value, digits):.10g}"


def times(start: datetime, end: datetime, zone: tzinfo, most: int) -> list[tuple[datetime, str, str]]:
    """At most about `most` ticks at round times of the zone: each with its time of day, and its date at midnight.

    Across a change of the clocks they stay at round times, so that two of them may be closer or farther than others.
    """
    step = next((each for each in _TIME_STEPS if (end - start) / each <= most), _TIME_STEPS[-1])
    midnight = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if step > DAY:
        midnight -= (midnight - datetime(2001, 1, 1)) % step  # noqa: DTZ001  # a Monday, by the clock on the wall
    found: list[tuple[datetime, str, str]] = []
    wall = midnight
    while (at := wall.replace(tzinfo=zone).astimezone(UTC)) <= end:
        if at >= start and (not found or at > found[-1][0]):
            date = f"{wall:%a} {wall.day} {wall:%b}" if end - start < 60 * DAY else f"{wall.day} {wall:%b %Y}"
            found.append((at, "" if step >= DAY else f"{wall:%H:%M}", date if wall.hour == wall.minute == 0 else ""))
        wall += step
    return found
