"""Uptime from changes of state: how long a monitor was up and down in a span of time."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds up and down; time that was paused, in maintenance, pending or unknown is in neither."""

    up: float
    down: float

    @property
    def uptime(self) -> float | None:
        """Percent with four decimals; None when nothing is known of the span."""
        watched = self.up + self.down
        return round(100 * self.up / watched, 4) if watched else None


class History:
    """The states of one monitor over time.

    Args:
        begins: when each state began, ascending.
        states: which they were.
        until: when the last one ends, the present.
    """

    def __init__(self, begins: Sequence[datetime], states: Sequence[str], until: datetime) -> None:
        self._begins, self._states = begins, states
        self._ends = [*begins[1:], until] if begins else []

    def span(self, start: datetime, end: datetime) -> Span:
        """What happened in `[start, end)`."""
        seconds = {"up": 0.0, "down": 0.0}
        place = max(bisect_right(self._begins, start) - 1, 0)
        for index in range(place, len(self._begins)):
            begin = max(self._begins[index], start)
            if begin >= end:
                break
            if self._states[index] in seconds:
                seconds[self._states[index]] += max((min(self._ends[index], end) - begin).total_seconds(), 0.0)
        return Span(seconds["up"], seconds["down"])

    def uptimes(self, edges: Sequence[datetime]) -> list[float | None]:
        """The uptime of each span from one edge to the next; nearly all lie within one state."""
        found: list[float | None] = [None] * (len(edges) - 1)
        mixed = set()
        for begin, end, state in zip(self._begins, self._ends, self._states, strict=True):
            first, last = bisect_left(edges, begin), bisect_right(edges, end) - 1
            if first < last:
                found[first:last] = [_ALL_ALONG.get(state)] * (last - first)
            mixed |= {first - 1, last}
        for place in mixed:
            if 0 <= place < len(found):
                found[place] = self.span(edges[place], edges[place + 1]).uptime
        return found


_ALL_ALONG = {"up": 100.0, "down": 0.0}
