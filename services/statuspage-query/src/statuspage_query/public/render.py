"""Draws the HTML of a public page."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pinghome_common.events.statuspage import ComponentStatus, StatusPage
from pinghome_web.glyphs import GLYPHS
from pinghome_web.language import Language
from pinghome_web.templates import templates
from statuspage_query.public import bar, chart
from statuspage_query.public.assets import NAMES, accent_name
from statuspage_query.public.card import card
from statuspage_query.public.languages import LANGUAGES
from statuspage_query.public.reports import UpdateView
from statuspage_query.public.view import ComponentView, Indicator, Report, View

FEW = 12
"""Components on a page up to which its groups are open although all is well, and response times have room."""

SHAPES = {
    Indicator.none: "ok",
    Indicator.minor: "degraded",
    Indicator.major: "partial",
    Indicator.critical: "major",
    Indicator.maintenance: "maintenance",
    Indicator.unknown: "unknown",
}

_EDIT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page is seen: `root` is what its paths begin with, `url` its address, both without a slash at the end.

    `logo` and `favicon` are the file names of its pictures, empty for none. `stale`: since when nothing
    new is known, if so.
    """

    root: str
    url: str
    language: str
    logo: str = ""
    favicon: str = ""
    stale: datetime | None = None


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _edited(it: UpdateView) -> bool:
    return it.updated_at - it.at > _EDIT


_templates = templates(
    Path(__file__).parent / "templates",
    {"shape": bar.shape, "glyphs": GLYPHS, "iso": _iso, "edited": _edited},
)


def status(view: View, at: Place) -> str:
    """The page itself."""
    few, about = len(view.components) <= FEW, _about(view, LANGUAGES[at.language])
    return _page("status.html", view, at, "", indicator_shape=SHAPES[view.indicator], few=few, about=about)


def _about(view: View, t: Language) -> str:
    """The line below the banner: how much of all is affected, or what the page says of itself."""
    count = sum(each.status not in (ComponentStatus.operational, ComponentStatus.unknown) for each in view.components)
    if view.indicator in (Indicator.none, Indicator.unknown) or not count:
        return view.page.description or t(f"indicator_about.{view.indicator.value}")
    return t("affected_system" if count == 1 else "affected_systems", count=count, total=len(view.components))


def history(
    view: View, at: Place, months: list[tuple[str, list[Report]]], newer: str | None, older: str | None, path: str
) -> str:
    """What was, by month; `newer` and `older` are the ends of the neighbours' paths."""
    return _page("history.html", view, at, path, months=months, newer=newer, older=older)


def report(view: View, at: Place, it: Report) -> str:
    """An incident's or a maintenance's own page."""
    return _page("incident.html", view, at, f"/{it.kind}s/{it.id}", report=it)


def component(
    view: View, at: Place, it: ComponentView, windows: list[tuple[str, float | None]], reports: list[Report]
) -> str:
    """A component's own page."""
    tones = {shape: indicator.value for indicator, shape in SHAPES.items()}
    more = {"it": it, "windows": windows, "reports": reports, "component_indicator": tones[bar.shape(it.status)]}
    return _page("component.html", view, at, f"/components/{it.id}", **more)


def widget(view: View, at: Place) -> str:
    """The banner in one line, to be embedded elsewhere."""
    return _draw("widget.html", view.page, at, view=view, title=view.title, indicator_shape=SHAPES[view.indicator])


def badge(view: View, at: Place) -> str:
    """The banner as an SVG picture in the form that README files know."""
    t = LANGUAGES[at.language]
    label, text = t("badge"), t(f"indicator.{view.indicator.value}")
    return _templates.get_template("badge.svg").render(
        label=label, text=text, left=_width(label), right=_width(text), indicator=view.indicator.value
    )


def banner_card(view: View, at: Place) -> bytes:
    """The banner as a picture for chats."""
    t = LANGUAGES[at.language]
    return card(t("page_title", name=view.title), t(f"indicator.{view.indicator.value}"), SHAPES[view.indicator])


def icon(view: View) -> str:
    """The icon of a page that has none of its own."""
    return _templates.get_template("icon.svg").render(indicator=view.indicator.value)


def notice(page: StatusPage, at: Place, kind: str, *, unlock: bool = False, said: str = "") -> str:
    """A page that says why there is nothing to see, with a form for the password, and what came of the last."""
    t = LANGUAGES[at.language]
    words = {"heading": t(kind), "about": t(f"{kind}_about"), "title": t(kind)}
    return _draw("notice.html", page, at, unlock=unlock, said=said, **words)


def words(at: Place, kind: str) -> str:
    """What such a page says, in one sentence."""
    return LANGUAGES[at.language](f"{kind}_about")


def _page(template: str, view: View, at: Place, path: str, **more: Any) -> str:
    t = LANGUAGES[at.language]
    describe = f"{t(f'indicator.{view.indicator.value}')}. {view.page.description}".strip()
    robots = "noindex" if view.page.type == "private" else ", ".join(view.page.robots_meta_contents)
    return _draw(
        template,
        view.page,
        at,
        view=view,
        title=view.title,
        path=path,
        describe=describe,
        robots=robots,
        tracking=view.page.ga_tracking,
        **more,
    )


def _draw(template: str, page: StatusPage, at: Place, **more: Any) -> str:
    t = LANGUAGES[at.language]
    prefix = f"{at.root}/static/"
    return _templates.get_template(template).render(
        **{"tracking": "", **more},
        t=t,
        root=at.root,
        url=at.url,
        stale=at.stale,
        logo=at.logo and f"{at.root}/images/{at.logo}",
        favicon=at.favicon and f"{at.root}/images/{at.favicon}",
        zone=ZoneInfo(page.timezone),
        theme=page.theme or ("dark" if page.dark_theme else "auto"),
        accent=f"{prefix}{accent_name(page.accent_color)}" if page.accent_color else "",
        asset=lambda name: prefix + NAMES[name],
        bar=lambda it: bar.draw(it.name, it.days, it.uptime, t),
        spark=lambda it: chart.spark(it.name, it.response_times, t),
        times=lambda it: chart.both(it.name, it.response_times, chart.milliseconds(t), t),
        values=lambda it: chart.both(it.name, it.values.series, chart.of_metric(it.suffix, t), t),
        value=lambda it, value: chart.of_metric(it.suffix, t).written(value),
    )


def _width(text: str) -> int:
    """About the pixels of a text in 11 px Verdana."""
    return round(sum(4.2 if each in "iljtfrI.,:;|' " else 9.8 if each in "mwMW" else 7.1 for each in text)) + 10
