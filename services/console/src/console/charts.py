"""Bars and charts as SVG: shapes by attributes, colours by classes; what is written beside them is HTML."""

from collections.abc import Sequence
from itertools import groupby, pairwise
from math import floor, log10

from markupsafe import Markup, escape

HEIGHT, WIDTH = 100, 600
PITCH, FEW_PITCH, BAR, CUT = 4, 12, 28, 20
FEW = 40
"""Spans of a bar up to which they are so wide that the gaps between them are a smaller part."""


def bar(label: str, shapes: Sequence[str], texts: Sequence[str] = ()) -> Markup:
    """A bar of equal spans of time, oldest first, by their shapes; `texts` say each of them when pointed at."""
    found: dict[str, str] = {}
    few = len(shapes) <= FEW
    pitch = FEW_PITCH if few else PITCH
    for shape, run in groupby(enumerate(shapes), key=lambda each: each[1]):
        places = [place for place, _ in run]
        left, right = pitch * places[0], pitch * (places[-1] + 1) - 1
        found[shape] = found.get(shape, "") + f"M{left} {BAR}H{right}"
        if shape in ("partial", "major"):
            found["cut"] = found.get("cut", "") + f"M{left} {CUT}H{right}"
    if "cut" in found:
        found["cut"] = found.pop("cut")  # over the others
    paths = "".join(f'<path class="{shape}" d="{path}"/>' for shape, path in found.items())
    tips = f' data-tips="{escape(chr(10).join(texts))}"' if texts else ""
    return Markup(  # noqa: S704  # what is not ours is escaped
        f'<div class="bar{" few" if few else ""}" role="img" aria-label="{escape(label)}"{tips}><svg viewBox="0 0'
        f" {pitch * len(shapes) - 1}"
        f' {BAR}" preserveAspectRatio="none" aria-hidden="true">{paths}</svg></div>'
    )


def lines(
    values: Sequence[tuple[str, Sequence[float | None], str]], highest: float, texts: Sequence[str] = ()
) -> Markup:
    """Lines over one axis, which ends at `highest`; each with the name of its class; `texts` say each place of it."""
    grid = "".join(f"M0 {y}H{WIDTH}" for y in (0, HEIGHT // 2, HEIGHT))
    body = f'<path class="grid" d="{grid}"/>'
    for name, each, _ in values:
        body += _curve(each, highest, f"line {name}", "area" if name == "average" else "")
    tips = f' data-tips="{escape(chr(10).join(texts))}" data-line' if texts else ""
    return Markup(  # noqa: S704  # numbers, names of ours, and what is escaped
        f'<span class="lines"{tips}><svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f"{body}</svg></span>"
    )


def phases(parts: Sequence[tuple[str, float | None]]) -> Markup:
    """One bar of the phases of a request, after each other."""
    total = sum(each or 0.0 for _, each in parts)
    if not total:
        return Markup()
    body, x = "", 0.0
    for name, value in parts:
        width = WIDTH * (value or 0.0) / total
        body += f'<rect class="{name}" x="{x:.1f}" y="0" width="{max(width - 1, 0):.1f}" height="8" rx="1"/>'
        x += width
    return Markup(  # noqa: S704  # numbers, and names of ours
        f'<svg class="phases" viewBox="0 0 {WIDTH} 8" preserveAspectRatio="none" aria-hidden="true">{body}</svg>'
    )


def top(highest: float) -> float:
    """The smallest round number that is not smaller."""
    highest = max(highest, 1e-9)
    power = 10.0 ** floor(log10(highest))
    return next((power * factor for factor in (1, 2, 4, 6, 8, 10) if power * factor >= highest), highest)


def _curve(values: Sequence[float | None], highest: float, line: str, area: str) -> str:
    step = WIDTH / max(len(values) - 1, 1)
    drawn, filled, alone = "", "", ""
    for known, run in groupby(enumerate(values), lambda each: each[1] is not None):
        if not known:
            continue
        points = [(place * step, HEIGHT * (1 - min((value or 0.0) / highest, 1))) for place, value in run]
        path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
        if len(points) == 1:
            alone += f"{path}h0"
            continue
        path += "".join(f"l{x - x0:.1f} {y - y0:.1f}" for (x0, y0), (x, y) in pairwise(points))
        drawn += path
        filled += f"{path}V{HEIGHT}H{points[0][0]:.1f}z"
    parts = ((area, filled), (line, drawn), (f"{line} point", alone))
    return "".join(f'<path class="{name}" d="{path}"/>' for name, path in parts if name and path)
