"""Uptime: how long a monitor was up and down in a time span, computed from its state changes."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pinghome_common.uptime import percentage


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds up and down; time in other states (pending, unknown, maintenance, paused) counts as neither."""

    up: float
    down: float

    @property
    def uptime(self) -> float | None:
        """The percentage of the time in which the monitor was up or down; None if it was neither."""
        return percentage(self.up, self.up + self.down)


class History:
    """The states of one monitor over time.

    Args:
        starts: when each state began, ascending.
        states: the states.
        until: when the last one ends: now.
    """

    def __init__(self, starts: Sequence[datetime], states: Sequence[str], until: datetime) -> None:
        self._starts, self._states = starts, states
        self._ends = [*starts[1:], until] if starts else []

    def span(self, start: datetime, end: datetime) -> Span:
        """Seconds up and down in `[start, end)`."""
        seconds = {"up": 0.0, "down": 0.0}
        place = max(bisect_right(self._starts, start) - 1, 0)
        for index in range(place, len(self._starts)):
            begin = max(self._starts[index], start)
            if begin >= end:
                break
            if self._states[index] in seconds:
                seconds[self._states[index]] += max((min(self._ends[index], end) - begin).total_seconds(), 0.0)
        return Span(seconds["up"], seconds["down"])

    def uptimes(self, edges: Sequence[datetime]) -> list[float | None]:
        """The uptime between each two edges; spans within one state, which are most, are not computed one by one."""
        found: list[float | None] = [None] * (len(edges) - 1)
        mixed = set()
        for begin, end, state in zip(self._starts, self._ends, self._states, strict=True):
            first, last = bisect_left(edges, begin), bisect_right(edges, end) - 1
            if first < last:
                found[first:last] = [_WITHIN_STATE.get(state)] * (last - first)
            mixed |= {first - 1, last}
        for place in mixed:
            if 0 <= place < len(found):
                found[place] = self.span(edges[place], edges[place + 1]).uptime
        return found


_WITHIN_STATE = {"up": 100.0, "down": 0.0}
