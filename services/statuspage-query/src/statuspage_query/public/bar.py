"""The bar of a component's last days: what to draw of it, and what to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup, escape

from pinghome_common.events.statuspage import ComponentStatus
from pinghome_web.language import Language
from statuspage_query.statuses import Span

PITCH, HEIGHT, CUT = 4, 28, 20
"""Units from one day to the next, of which the style sheet draws three; a bar's foot; where an outage's bar is cut."""

LATELY = 45
"""Days of which there is room on a phone."""

_SHAPES = {
    ComponentStatus.operational: "ok",
    ComponentStatus.degraded: "degraded",
    ComponentStatus.partial_outage: "partial",
    ComponentStatus.major_outage: "major",
    ComponentStatus.unavailable: "major",
    ComponentStatus.maintenance: "maintenance",
    ComponentStatus.unknown: "unknown",
}
"""How days are drawn: in colours, and in heights that can be told apart without them."""


@dataclass(frozen=True, slots=True)
class Line:
    """What there is to say of one day, or of consecutive days that are alike; `first` and `last` count from 0."""

    first: int
    last: int
    since: str
    until: str
    status: ComponentStatus
    downtime: float


def shape(status: ComponentStatus) -> str:
    """The name of what a status looks like, everywhere on a page."""
    return _SHAPES[status]


def draw(name: str, days: Sequence[tuple[str, Span]], uptime: float | None, t: Language) -> Markup:
    """The bar with its scale and the list of its days; not a template, for there may be hundreds on a page."""
    summary = t("uptime", percent=t.percent(uptime)) if uptime is not None else t("no_uptime")
    label = escape(t("bar", name=name, days=len(days), summary=summary))
    paths = "".join(f'<path class="{shape}" d="{path}"/>' for shape, path in strokes(days))
    said = "\n".join(_item(each, t) for each in lines(days)) or f"<li>{escape(t('all_well'))}</li>"
    ago, lately = (escape(t("days_ago", days=count)) for count in (len(days), LATELY))
    return Markup(  # noqa: S704  # what is not ours is escaped above
        f'<div class="bar" role="img" aria-label="{label}" data-first="{days[0][0]}">'
        f'<svg viewBox="0 0 {PITCH * len(days) - 1} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{paths}'
        f'</svg></div>\n<details class="days"><summary>'
        f'<span class="all">{ago}</span><span class="lately">{lately}</span>'
        f"<b>{escape(summary)}</b><span>{escape(t('today'))}</span></summary>\n<ol>\n{said}\n</ol></details>"
    )


def _item(it: Line, t: Language) -> str:
    last = f' data-l="{it.last}"' if it.last != it.first else ""
    until = f" \N{EN DASH} {_date(it.until, t)}" if last else ""
    status = t(f"status.{it.status.value}")
    said = t("down_for", status=status, duration=t.duration(it.downtime)) if it.downtime else status
    return f'<li data-f="{it.first}"{last}><b>{_date(it.since, t)}{until}</b> <span>{escape(said)}</span></li>'


@lru_cache(maxsize=4096)
def _date(date: str, t: Language) -> str:
    return f'<time datetime="{date}">{escape(t.date(date))}</time>'


def strokes(days: Sequence[tuple[str, Span]]) -> list[tuple[str, str]]:
    """The SVG paths of a bar, one for each shape: a dashed line through each run of days.

    The bar of a day with an outage is cut, so that it looks like an exclamation mark.
    """
    found: dict[str, str] = {}
    begin, end = 0, len(days)
    while begin < end:
        status, after = days[begin][1].status, begin + 1
        while after < end and days[after][1].status is status:
            after += 1
        name, left, right = shape(status), PITCH * begin, PITCH * after - 1
        found[name] = found.get(name, "") + f"M{left} {HEIGHT}H{right}"
        if name in ("partial", "major"):
            found["cut"] = found.get("cut", "") + f"M{left} {CUT}H{right}"
        begin = after
    if "cut" in found:
        found["cut"] = found.pop("cut")  # over the others
    return list(found.items())


def lines(days: Sequence[tuple[str, Span]]) -> list[Line]:
    """What there is to say of the days, newest first; nothing of those that were well."""
    found: list[Line] = []
    last: Line | None = None
    for place, (date, each) in enumerate(days):
        if each.status is ComponentStatus.operational:
            last = None
        elif last and last.status is each.status and not last.downtime and not each.downtime:
            found[-1] = last = Line(last.first, place, last.since, date, each.status, 0.0)
        else:
            last = Line(place, place, date, date, each.status, each.downtime)
            found.append(last)
    return found[::-1]
