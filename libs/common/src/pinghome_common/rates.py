"""Rates of counters: what a server's disks, interfaces or CPUs did per second between two samples (contract G)."""

from math import isfinite

from pinghome_common.events.metric import COUNTED, FIELDS, Figures, Sample

LONGEST_GAP = 900.0
"""Seconds between two samples beyond which their difference says nothing."""

CPU = "cpu-total-usage"
"""Its counters are percent-seconds of the host, of which there are 100 in a second."""

Values = list[float | None]


class Counters:
    """The newest totals of one server's counters; samples come in the order of their times.

    Totals are remembered one by one, because OTLP clients may send disks and interfaces at times of their own.
    """

    def __init__(self) -> None:
        self._newest: dict[tuple[str, str], tuple[int, Values]] = {}

    def rates(self, at: int, interval: float, figures: list[Figures]) -> list[Figures]:
        """The figures with the rate since the sample before in place of each counter.

        A counter that is smaller than before, new, or more than 3 intervals or 15 minutes later has no rate: None.
        Disks and interfaces without figures of the host get those, too, as their sums. The same counter at the same or
        an earlier time again is left out.

        Args:
            at: the time of the sample in UNIX microseconds.
            interval: of its client in seconds; 0 when unknown.
            figures: of the sample, in any order.
        """
        found: list[Figures] = []
        for it in figures:
            if not it.counter:
                found.append(it)
                continue
            before, earlier = self._newest.get((it.type, it.name), (0, None))
            if earlier and at <= before:
                continue
            self._newest[it.type, it.name] = at, it.values
            seconds = _seconds(at - before, interval) if earlier else 0.0
            values = _differences(earlier or [], it.values, seconds)
            if it.type == CPU:  # two clocks, the client's and its kernel's, never agree to the last digit
                values = [None if value is None else min(value, 100.0) for value in values]
            found.append(Figures(it.type, it.name, values))
        return found + _of_host(found)


def rates(before: Sample | None, after: Sample) -> list[Figures]:
    """The figures of a sample with rates since the one before it, as `Counters.rates` has them."""
    counters = Counters()
    if before:
        counters.rates(before.at, before.interval, before.figures)
    return counters.rates(after.at, after.interval, after.figures)


def longest_gap(interval: float) -> float:
    """Seconds between two samples up to which their difference is a rate; the interval is 0 when unknown."""
    return min(LONGEST_GAP, 3 * interval) if interval > 0 else LONGEST_GAP


def _seconds(micros: int, interval: float) -> float:
    """Between two samples whose difference is a rate; otherwise 0."""
    seconds = micros / 1e6
    return seconds if 0 < seconds <= longest_gap(interval) else 0.0


def _differences(earlier: Values, values: Values, seconds: float) -> Values:
    if any(old is not None and new is not None and new < old for old, new in zip(earlier, values, strict=False)):
        seconds = 0.0  # one that begins anew does so with all its fields
    found: Values = [None] * len(values)
    if seconds:
        for place, (old, new) in enumerate(zip(earlier, values, strict=False)):
            if old is not None and new is not None and isfinite(rate := (new - old) / seconds):
                found[place] = round(rate, 6)
    return found


def _of_host(found: list[Figures]) -> list[Figures]:
    sums = []
    for type_ in COUNTED:
        named = [it for it in found if it.type == type_]
        if named and all(it.name for it in named):
            sums.append(Figures(type_, "", _sums([it.values for it in named], len(FIELDS[type_]))))
    return sums


def _sums(named: list[Values], fields: int) -> Values:
    columns = [[values[place] for values in named] for place in range(fields)]
    return [sum(known) if (known := [it for it in column if it is not None]) else None for column in columns]
