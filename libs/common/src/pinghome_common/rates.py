"""Rates of counters: what a server's disks and interfaces did per second between two samples (contract G)."""

from pinghome_common.events.metric import FIELDS, Figures, Sample

LONGEST_GAP = 900.0
"""Seconds between two samples beyond which their difference says nothing."""


def rates(before: Sample | None, after: Sample) -> list[Figures]:
    """The figures of a sample with the rate since the one before it in place of each counter.

    A counter that is smaller than before, new, or more than 3 intervals or 15 minutes later has no rate: None. A type
    that has rates of names only gets those of the host, too, which are their sums.
    """
    seconds = _seconds(before, after)
    counters = {(it.type, it.name): it.values for it in before.figures if it.counter} if before else {}
    found: list[Figures] = []
    for it in after.figures:
        if not it.counter:
            found.append(it)
            continue
        earlier = counters.get((it.type, it.name), []) if seconds else []
        found.append(Figures(it.type, it.name, _differences(earlier, it.values, seconds)))
    whole = {it.type for it in found if not it.name}
    for type_ in {it.type for it in after.figures if it.counter} - whole:
        found.append(Figures(type_, "", _sums([it.values for it in found if it.type == type_], len(FIELDS[type_]))))
    return found


def _seconds(before: Sample | None, after: Sample) -> float:
    """Between two samples whose difference is a rate; otherwise 0."""
    if before is None:
        return 0.0
    seconds = (after.at - before.at) / 1e6
    longest = min(LONGEST_GAP, 3 * after.interval) if after.interval else LONGEST_GAP
    return seconds if 0 < seconds <= longest else 0.0


def _differences(earlier: list[float | None], values: list[float | None], seconds: float) -> list[float | None]:
    if any(old is not None and new is not None and new < old for old, new in zip(earlier, values, strict=False)):
        earlier = []  # one that begins anew does so with all its fields
    found: list[float | None] = [None] * len(values)
    for place, (old, new) in enumerate(zip(earlier, values, strict=False)):
        if old is not None and new is not None:
            found[place] = (new - old) / seconds
    return found


def _sums(named: list[list[float | None]], fields: int) -> list[float | None]:
    columns = [[values[place] for values in named] for place in range(fields)]
    return [sum(known) if (known := [it for it in column if it is not None]) else None for column in columns]
