"""Charts of response times: lines that stretch with the page; what is written beside them is HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import floor, log10

from markupsafe import Markup, escape

from statuspage_query.public.language import Language
from statuspage_query.public.material import ResponseTimes

HEIGHT = 100
"""Units from the foot to the top of a chart, whose values are one unit apart."""
SPARK = 3
"""Values of five minutes that are one of a small chart."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of what is shown, in milliseconds: the average, the lowest and the highest value, and the top of the axis."""

    average: float
    least: float
    most: float
    top: float


def figures(values: Sequence[float | None]) -> Figures | None:
    """None when there is nothing to show."""
    known = [each for each in values if each is not None]
    return Figures(sum(known) / len(known), min(known), max(known), _top(max(known))) if known else None


def both(name: str, times: ResponseTimes, t: Language) -> Markup:
    """The last 24 hours and the last 90 days."""
    day = draw(name, t("windows.24h"), times.recent, t("hours_ago", hours=24), t("now"), t)
    days = draw(name, t("windows.90d"), times.days, t("days_ago", days=len(times.days)), t("today"), t)
    return day + days


def draw(name: str, window: str, values: Sequence[float | None], begin: str, end: str, t: Language) -> Markup:
    """A chart with its axes and its figures; empty when there is nothing to show.

    Args:
        name: of the component.
        window: the time that is shown, in words.
        values: averages in milliseconds, ascending in time, None where nothing was measured.
        begin: what stands at the left end of the axis.
        end: what stands at the right end.
        t: the language.
    """
    it = figures(values)
    if it is None:
        return Markup()
    ticks = "".join(f"<span>{escape(t.milliseconds(part * it.top))}</span>" for part in (1, 0.5, 0))
    return Markup(  # noqa: S704  # what is not ours is escaped
        f'<figure class="times"><figcaption><b>{escape(window)}</b> {escape(_summary(it, t))}</figcaption>\n'
        f'<div class="plot" role="img" aria-label="{escape(_label(name, window, it, t))}">'
        f'<div class="axis">{ticks}</div>{_svg(values, it.top, grid=True)}</div>\n'
        f'<p class="scale" aria-hidden="true"><span>{escape(begin)}</span><span>{escape(end)}</span></p></figure>'
    )


def spark(name: str, times: ResponseTimes, t: Language) -> Markup:
    """The last 24 hours in one line; empty when there is nothing to show."""
    values = [_mean(times.recent[place : place + SPARK]) for place in range(0, len(times.recent), SPARK)]
    it = figures(values)
    if it is None:
        return Markup()
    label = _label(name, t("windows.24h"), it, t)
    return Markup(  # noqa: S704  # what is not ours is escaped
        f'<p class="pace" role="img" aria-label="{escape(label)}"><span>{escape(t("response_time"))}</span>'
        f"{_svg(values, max(it.most, 1.0), grid=False)}<b>{escape(t.milliseconds(it.average))}</b></p>"
    )


def _svg(values: Sequence[float | None], top: float, *, grid: bool) -> str:
    width, line, area = len(values) - 1, "", ""
    for known, part in groupby(enumerate(values), lambda each: each[1] is not None):
        if known:
            points = [(x, round(HEIGHT - HEIGHT * (value or 0.0) / top)) for x, value in part]
            path = f"M{points[0][0]} {points[0][1]}" + _steps(points)
            line += path
            area += f"{path}V{HEIGHT}H{points[0][0]}z"
    lines = f'<path class="grid" d="M0 0H{width}M0 {HEIGHT // 2}H{width}M0 {HEIGHT}H{width}"/>' if grid else ""
    return (
        f'<svg viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{lines}'
        f'<path class="area" d="{area}"/><path class="line" d="{line}"/></svg>'
    )


def _steps(points: Sequence[tuple[int, int]]) -> str:
    """The way from the first point to the last; a single one is a line without length, which is drawn as a dot."""
    steps = "".join(f" 1 {y - before}" for (_, before), (_, y) in pairwise(points))
    return f"l{steps[1:]}" if steps else "h0"


def _summary(it: Figures, t: Language) -> str:
    return t("times_summary", average=t.milliseconds(it.average), most=t.milliseconds(it.most))


def _label(name: str, window: str, it: Figures, t: Language) -> str:
    figures = {"average": it.average, "least": it.least, "most": it.most}
    written = {key: t.milliseconds(value) for key, value in figures.items()}
    return t("times_label", name=name, window=window, **written)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return sum(known) / len(known) if known else None


def _top(highest: float) -> float:
    """The smallest number with a round half that is not smaller, at least one millisecond."""
    power = 10.0 ** floor(log10(max(highest, 1.0)))
    return next(power * factor for factor in (1, 2, 4, 6, 8, 10) if power * factor >= max(highest, 1.0))
