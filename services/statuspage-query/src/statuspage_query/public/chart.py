"""Charts of response times and of custom metrics: lines that stretch with the page; what is beside them is HTML."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from math import floor, log10

from markupsafe import Markup, escape

from pinghome_web.language import Language
from statuspage_query.public.material import Series

HEIGHT = 100
"""Units from the foot to the top of a chart, whose values are one unit apart."""
SPARK = 3
"""Values of five minutes that are one of a small chart."""
SMALLEST = 1e-9
"""The smallest top of an axis of a custom metric, whose values may be anything."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of what is shown: the average, the lowest and the highest value, and the ends of the axis."""

    average: float
    least: float
    most: float
    top: float
    bottom: float = 0.0


@dataclass(frozen=True, slots=True)
class Unit:
    """How values are written, in texts and at the axis; what is said of them; and the smallest top of an axis.

    `summary` is empty where the figures stand beside the chart already.
    """

    written: Callable[[float], str]
    tick: Callable[[float], str]
    label: str
    summary: str
    smallest: float


def milliseconds(t: Language) -> Unit:
    """The unit of response times."""
    return Unit(t.milliseconds, t.milliseconds, "times_label", "times_summary", 1.0)


def of_metric(suffix: str, t: Language) -> Unit:
    """The unit of a custom metric."""
    return Unit(lambda value: f"{t.number(value)} {suffix}".rstrip(), t.number, "values_label", "", SMALLEST)


def figures(values: Sequence[float | None], smallest: float = 1.0) -> Figures | None:
    """None when there is nothing to show."""
    known = [each for each in values if each is not None]
    if not known:
        return None
    least, most = min(known), max(known)
    top = _top(most, smallest) if most > 0 or least >= 0 else 0.0
    return Figures(sum(known) / len(known), least, most, top, -_top(-least, smallest) if least < 0 else 0.0)


def both(name: str, it: Series, unit: Unit, t: Language) -> Markup:
    """The last 24 hours and the last 90 days."""
    day = draw(name, t("windows.24h"), it.recent, t("hours_ago", hours=24), t("now"), unit, t)
    days = draw(name, t("windows.90d"), it.days, t("days_ago", days=len(it.days)), t("today"), unit, t)
    return day + days


def draw(
    name: str, window: str, values: Sequence[float | None], begin: str, end: str, unit: Unit, t: Language
) -> Markup:
    """A chart with its axes and its figures; empty when there is nothing to show.

    Args:
        name: of the component or the metric.
        window: the time that is shown, in words.
        values: ascending in time, None where there is none.
        begin: what stands at the left end of the axis.
        end: what stands at the right end.
        unit: of the values.
        t: the language.
    """
    it = figures(values, unit.smallest)
    if it is None:
        return Markup()
    ticks = "".join(f"<span>{escape(unit.tick(each))}</span>" for each in (it.top, (it.top + it.bottom) / 2, it.bottom))
    return Markup(  # noqa: S704  # what is not ours is escaped
        f'<figure class="times"><figcaption><b>{escape(window)}</b> {escape(_summary(it, unit, t))}</figcaption>\n'
        f'<div class="plot" role="img" aria-label="{escape(_label(name, window, it, unit, t))}">'
        f'<div class="axis">{ticks}</div>{_svg(values, it, grid=True)}</div>\n'
        f'<p class="scale" aria-hidden="true"><span>{escape(begin)}</span><span>{escape(end)}</span></p></figure>'
    )


def spark(name: str, times: Series, t: Language) -> Markup:
    """The last 24 hours in one line; empty when there is nothing to show."""
    values = [_mean(times.recent[place : place + SPARK]) for place in range(0, len(times.recent), SPARK)]
    it = figures(values)
    if it is None:
        return Markup()
    label = _label(name, t("windows.24h"), it, milliseconds(t), t)
    return Markup(  # noqa: S704  # what is not ours is escaped
        f'<p class="pace" role="img" aria-label="{escape(label)}"><span>{escape(t("response_time"))}</span>'
        f"{_svg(values, replace(it, top=max(it.most, 1.0)), grid=False)}<b>{escape(t.milliseconds(it.average))}</b></p>"
    )


def _svg(values: Sequence[float | None], axis: Figures, *, grid: bool) -> str:
    width, line, area = len(values) - 1, "", ""
    height = axis.top - axis.bottom
    zero = round(HEIGHT * axis.top / height)
    for known, part in groupby(enumerate(values), lambda each: each[1] is not None):
        if known:
            points = [(x, round(HEIGHT * (axis.top - (value or 0.0)) / height)) for x, value in part]
            path = f"M{points[0][0]} {points[0][1]}" + _steps(points)
            line += path
            area += f"{path}V{zero}H{points[0][0]}z"
    lines = f'<path class="grid" d="M0 0H{width}M0 {HEIGHT // 2}H{width}M0 {HEIGHT}H{width}"/>' if grid else ""
    return (
        f'<svg viewBox="0 0 {width} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{lines}'
        f'<path class="area" d="{area}"/><path class="line" d="{line}"/></svg>'
    )


def _steps(points: Sequence[tuple[int, int]]) -> str:
    """The way from the first point to the last; a single one is a line without length, which is drawn as a dot."""
    steps = "".join(f" 1 {y - before}" for (_, before), (_, y) in pairwise(points))
    return f"l{steps[1:]}" if steps else "h0"


def _summary(it: Figures, unit: Unit, t: Language) -> str:
    return t(unit.summary, average=unit.written(it.average), most=unit.written(it.most)) if unit.summary else ""


def _label(name: str, window: str, it: Figures, unit: Unit, t: Language) -> str:
    figures = {"average": it.average, "least": it.least, "most": it.most}
    written = {key: unit.written(value) for key, value in figures.items()}
    return t(unit.label, name=name, window=window, **written)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return sum(known) / len(known) if known else None


def _top(highest: float, smallest: float) -> float:
    """The smallest number with a round half that is not smaller, at least `smallest`."""
    highest = max(highest, smallest)
    power = 10.0 ** floor(log10(highest))
    return next((power * factor for factor in (1, 2, 4, 6, 8, 10) if power * factor >= highest), highest)
