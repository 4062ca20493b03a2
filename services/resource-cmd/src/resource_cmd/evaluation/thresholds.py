"""Thresholds of servers: which of them a sample breaks or clears, and how that is told; no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from msgspec import structs

from pinghome_common.clock import from_micros
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.events.metric import COUNTED, FIELDS, Figures, Sample
from pinghome_common.events.server_resource import ServerResource, Threshold
from pinghome_common.rates import rates
from resource_cmd.servers.runtime_state import Judged, Run
from resource_cmd.servers.server_resource import key

DISKS = "disk-usage-unified"


@dataclass(slots=True, kw_only=True)
class Crossing:
    """A threshold, by its `place`, that is broken or cleared with this `value`, since when."""

    place: int
    broken: bool
    value: float
    since: datetime
    at: datetime


def judge(
    it: ServerResource, judged: Judged, sample: Sample, at: int, patience: float, *, fresh: bool
) -> tuple[Judged, list[Crossing]]:
    """What the thresholds of a server say of a sample, and what to remember of it.

    A threshold is broken when all points of its last minutes break it, and cleared when none of them does. Points
    that came late, or before others, say nothing; after a silence its minutes begin anew.

    Args:
        it: the server.
        judged: what is remembered of earlier samples.
        sample: the new one.
        at: its time by our clock, in UNIX microseconds.
        patience: seconds of silence that are allowed.
        fresh: False for a sample that came late.
    """
    if not it.thresholds:
        return Judged(), []
    types = {each.type for each in it.thresholds}
    figures = {type_: _figures(judged.counters.get(type_), sample, type_) for type_ in types} if fresh else {}
    counters = {type_: before for type_, before in judged.counters.items() if type_ in types}
    for type_ in types & set(COUNTED):
        only = _only(sample, type_)
        if any(each.counter for each in only.figures) and (type_ not in counters or counters[type_].at < sample.at):
            counters[type_] = only
    runs, crossings = {}, []
    for place, each in enumerate(it.thresholds):
        run, value = judged.runs.get(key(each)), _value(figures.get(each.type, []), each)
        if value is not None and (run is None or run.last < at):
            run = _continued(run, _is_broken(each, value), at, patience)
            if run.broken is (each.breached_since is None) and at - run.since >= each.minutes * 60 * MICRO:
                crossings.append(
                    Crossing(
                        place=place, broken=run.broken, value=value, since=from_micros(run.since), at=from_micros(at)
                    )
                )
        if run:
            runs[key(each)] = run
    return Judged(runs, counters), crossings


def _only(sample: Sample, type_: str) -> Sample:
    figures = [each for each in sample.figures if each.type == type_]
    return structs.replace(sample, figures=figures, processes=b"", agent=None)


def _figures(before: Sample | None, sample: Sample, type_: str) -> list[Figures]:
    return rates(before, _only(sample, type_))


def _value(figures: Sequence[Figures], it: Threshold) -> float | None:
    """The host's figure; where disks have no total, that of the fullest."""
    place = FIELDS[it.type].index(it.field)
    found = next((each.values[place] for each in figures if not each.name), None)
    if found is None and it.type == DISKS:
        percent = FIELDS[DISKS].index("percent")
        named = [each.values for each in figures if each.name and each.values[percent] is not None]
        found = max(named, key=lambda values: values[percent] or 0.0, default=[None] * len(FIELDS[DISKS]))[place]
    return found


def _is_broken(it: Threshold, value: float) -> bool:
    return value > it.value if it.operator == "greater-than" else value < it.value


def _continued(run: Run | None, broken: bool, at: int, patience: float) -> Run:  # noqa: FBT001
    if run is None or run.broken is not broken or at - run.last > patience * MICRO:
        return Run(broken, at, at)
    return Run(broken, run.since, at)


def crossed(it: ServerResource, crossing: Crossing) -> ServerResource:
    """The server after one of its thresholds was broken or cleared."""
    thresholds = list(it.thresholds)
    since = crossing.since if crossing.broken else None
    thresholds[crossing.place] = replace(thresholds[crossing.place], breached_since=since)
    return replace(it, thresholds=thresholds)


def words(it: Threshold, crossing: Crossing) -> tuple[str, str]:
    """What the threshold says now, as a title and as the rest of a sentence; `it` is as it was before."""
    what = f"{it.type} {it.field}"
    value, bound = measure(it.type, it.field, crossing.value), measure(it.type, it.field, it.value)
    side = "above" if it.operator == "greater-than" else "below"
    since = f"{crossing.since:%Y-%m-%d %H:%M:%S} UTC"
    if crossing.broken:
        return f"{what} is {value}", f"{what} is {value}, {side} {bound} since {since}"
    return f"{what} is {value} again", f"{what} is {value}, not {side} {bound} any more since {since}"


def measure(type_: str, field: str, value: float) -> str:
    """A figure with its unit, such as `97.3 %`, `1.5 GiB` or `20 MiB/s`."""
    if field == "percent" or type_ == "cpu-total-usage":
        return f"{_number(value)} %"
    if type_ == "system-load-unified":
        return _number(value)
    rate = "/s" if type_ in COUNTED else ""
    if rate and not field.endswith("_bytes"):
        return f"{_number(value)}{rate}"
    power = 0
    while abs(value) >= 1024 and power < 5:
        value, power = value / 1024, power + 1
    return f"{_number(value)} {('B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB')[power]}{rate}"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
