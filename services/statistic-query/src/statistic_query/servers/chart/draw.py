"""The chart of a server: which points are read for it, and its picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from pinghome_common.clock import now
from pinghome_common.cron import zone
from statistic_query.owned import Owned
from statistic_query.servers.chart.picture import Picture, Theme
from statistic_query.servers.chart.series import KINDS, bounds, lines
from statistic_query.servers.points import Points, Spans
from statistic_query.servers.thinning import Point

SHORT, MIDDLE, LONG = timedelta(hours=3), timedelta(hours=49), timedelta(days=62)


@dataclass(frozen=True)
class Kept:
    """For how many days single samples and minutes are kept."""

    samples: int
    minutes: int


async def draw(
    points: Points, it: Owned, type_: str, span: tuple[datetime, datetime], interval: str | None, kept: Kept,
    width: int, theme: Theme,
) -> str:  # fmt: skip
    """A chart of one metric type as SVG; without an interval, of what suits the length of the span."""
    settings = await points.settings(it)
    start, end = span
    found: Sequence[Point] | Spans
    interval = interval or _interval(start, end, kept)
    if interval == "on-demand":
        found = await points.samples(it, type_, start, end, 2 * width)
        gap = _gap([each.at for each in found], timedelta(0), end - start)
    else:
        found = await points.spans(it, type_, interval, start, end, width // 2)
        gap = _gap(found.times, found.length, end - start)
    picture = Picture(
        KINDS[type_], settings.name, lines(type_, found), bounds(type_, found, settings.thresholds), start, end,
        zone(settings.timezone), gap, settings.chart_type_default, width, theme,
    )  # fmt: skip
    return picture.svg()


def _interval(start: datetime, end: datetime, kept: Kept) -> str:
    age = now() - start
    if end - start <= SHORT and age < timedelta(days=kept.samples):
        return "on-demand"
    if end - start <= MIDDLE and age < timedelta(days=kept.minutes):
        return "minute"
    return "hour" if end - start <= LONG else "day"


def _gap(times: Sequence[datetime], length: timedelta, whole: timedelta) -> timedelta:
    """Three times what is usual between two points, unless that is less than a hundredth of the chart."""
    usual = median([(after - before).total_seconds() for before, after in pairwise(times)] or [0.0])
    return max(3 * timedelta(seconds=usual), 2.5 * length, whole / 100)
