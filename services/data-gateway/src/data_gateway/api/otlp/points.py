"""From a request of OTLP to samples: which points are kept, refused or ignored, and which are of one moment."""

from collections import defaultdict
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, NamedTuple

from data_gateway.api.otlp.figures import Labels, figures
from data_gateway.api.otlp.form import Form
from data_gateway.api.otlp.names import SOURCES, Source
from data_gateway.metric_intake import LARGEST, MetricIntake
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.metric import Agent, Sample
from pinghome_common.text import clean

TOGETHER = 500_000
"""Microseconds within which points are of one moment: a collector asks its parts one after the other."""

NAME, SERIES, SAMPLES = 255, 2_000, 10_000
"""Most characters of a label, series of a metric, and moments of a request."""

_NO_RECORDED_VALUE = 1
_DELTA = 1
_DAY = 86_400

Values = dict[str, dict[Labels, float]]


class Point(NamedTuple):
    """One that is kept; with `delta` its value is already one per second."""

    at: int
    source: str
    labels: Labels
    value: float
    delta: bool


class _RefusedError(Exception):
    """A point is refused; the message says why."""


class Points:
    """The points of one request that are kept, and how many were refused and why the first of them was."""

    def __init__(self, intake: MetricIntake, form: Form, received: int) -> None:
        self._intake, self._form, self._received = intake, form, received
        self._kept: list[Point] = []
        self._series: dict[str, set[Labels]] = {}
        self.rejected, self.reason = 0, ""

    def samples(self, request: Any, server: bytes) -> list[Sample]:
        """The samples in a request of a server.

        Points of about one moment make one sample, at the newest of their times: the same request gives the
        same samples, however often it is sent. Metrics that we do not know, histograms, and points without a recorded
        value are ignored.

        Raises:
            Invalid: every point that we would keep was refused, or there are too many moments.
        """
        for resource in request.resource_metrics or ():
            for scope in resource.scope_metrics or ():
                for metric in scope.metrics or ():
                    if source := SOURCES.get(metric.name):
                        self._take(metric, source)
        if self.rejected and not self._kept:
            raise Invalid(FieldError("resourceMetrics", self.reason))
        agent = _agent(request)
        found: list[Sample] = []
        for moment in self._moments():
            at, made = moment[-1].at, figures(*self._together(moment))
            if made:
                found.append(Sample(server, at, self._received, 0.0, made, b"", None if found else agent))
            if len(found) > SAMPLES:
                raise Invalid(FieldError("resourceMetrics", f"holds more than {SAMPLES} moments"))
        return found

    def _take(self, metric: Any, source: Source) -> None:
        for data in (metric.gauge, metric.sum):
            delta = getattr(data, "aggregation_temporality", 0) == _DELTA  # a gauge has none
            for point in (data.data_points if data else None) or ():
                if (point.flags or 0) & _NO_RECORDED_VALUE:
                    continue
                try:
                    self._kept.append(self._checked(point, source, delta=delta))
                except _RefusedError as error:
                    self._refuse(metric.name, str(error))

    def _refuse(self, name: str, why: str) -> None:
        self.rejected += 1
        self.reason = self.reason or f"a point of {name} {why}"

    def _checked(self, point: Any, source: Source, *, delta: bool) -> Point:
        nanoseconds = int(point.time_unix_nano or 0)
        at = nanoseconds // 1000
        if reason := self._intake.refuses(at, self._received):
            raise _RefusedError(reason)
        value = self._form.value(point)
        if value is None or not 0 <= value <= LARGEST:
            raise _RefusedError("has no value from 0 to 2^64")
        seconds = 0.0
        if delta and not source.counter:
            raise _RefusedError("is a delta, and not of a counter")
        if delta:
            seconds = (nanoseconds - int(point.start_time_unix_nano or 0)) / 1e9
            if not 0 < seconds <= _DAY:
                raise _RefusedError("is a delta and does not start within the day before its time")
        labels = self._labels(point, source)
        return Point(at, source.name, labels, value / seconds if delta else value, delta)

    def _labels(self, point: Any, source: Source) -> Labels:
        attributes = {it.key: _text(it.value) for it in point.attributes or ()}
        found = tuple(next((attributes[name] for name in each if name in attributes), "") for each in source.labels)
        if not all(found[: source.needed]):
            raise _RefusedError(f"has no {source.labels[found.index('')][0]}")
        if any(len(label) > NAME for label in found):
            raise _RefusedError(f"has a name of more than {NAME} characters")
        found = tuple(clean(label, NAME) for label in found)
        known = self._series.setdefault(source.name, set())
        known.add(found)
        if len(known) > SERIES:
            raise _RefusedError(f"is of one of more than {SERIES} series")
        return found

    def _moments(self) -> Iterator[list[Point]]:
        """The points by time, those within half a second together."""
        moment: list[Point] = []
        for it in sorted(self._kept, key=attrgetter("at")):
            if moment and it.at > moment[0].at + TOGETHER:
                yield moment
                moment = []
            moment.append(it)
        if moment:
            yield moment

    def _together(self, moment: list[Point]) -> tuple[Values, Values]:
        """Levels and counters, and the rates of deltas; of two points of a series the newer one counts."""
        levels: Values = defaultdict(dict)
        rates: Values = defaultdict(dict)
        seen: dict[tuple[str, Labels], int] = {}
        for it in moment:
            if seen.get((it.source, it.labels)) == it.at:
                self._refuse(it.source, "has the labels and the time of another: a token is of one host")
                continue
            seen[it.source, it.labels] = it.at
            (rates if it.delta else levels)[it.source][it.labels] = it.value
        return levels, rates


def _text(value: Any) -> str:
    """An attribute as text; other than text and integers we look at none."""
    return "" if value is None else value.string_value or str(value.int_value or 0)


def _agent(request: Any) -> Agent | None:
    """What the first resource says of its host and client."""
    for resource in request.resource_metrics or ():
        attributes = (resource.resource.attributes if resource.resource else None) or ()
        about = {it.key: _text(it.value) for it in attributes}
        client = [about.get(f"telemetry.sdk.{part}", "") for part in ("name", "language", "version")]
        system = about.get("os.description") or about.get("os.type", "")
        return Agent(
            clean(" ".join(filter(None, client)), 50), clean(about.get("host.name", ""), NAME), clean(system, 100)
        )
    return None
