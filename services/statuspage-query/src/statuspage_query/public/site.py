"""The paths of a public page and what each of them answers; no I/O."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from pinghome_web.answer import Answer, answer
from pinghome_web.language import Language
from statuspage_query.public import api_v2, feeds, render
from statuspage_query.public.languages import LANGUAGES
from statuspage_query.public.render import Place
from statuspage_query.public.reports import MaintenanceReport
from statuspage_query.public.view import ComponentView, Report, View
from statuspage_query.statuses import Since, span

MONTHS = 3
"""Months with something to tell on the first page of the history."""
WINDOWS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}

_ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_ONE = re.compile(rf"/(incidents|maintenances|components)/{_ID}")
_MONTH = re.compile(r"/history/(\d{4}-\d{2})")

_GOOGLE = "https://*.google-analytics.com https://*.analytics.google.com https://*.googletagmanager.com"
OPEN = {"access-control-allow-origin": "*"}
"""For what programs of other sites read."""
MINUTE = "public, max-age=60"


def policy(tracking: str = "", *, framed: bool = False) -> dict[str, str]:
    """The security headers of HTML; with tracking, exactly its hosts are allowed, too."""
    scripts, connects, images = "'self'", "'self'", "'self'"
    if tracking:
        scripts += " https://www.googletagmanager.com"
        connects += f" {_GOOGLE}"
        images += f" {_GOOGLE}"
    csp = (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src {images}; connect-src {connects};"
        f" form-action 'self'; base-uri 'none'; frame-ancestors {'*' if framed else chr(39) + 'none' + chr(39)}"
    )
    return {"content-security-policy": csp, "referrer-policy": "strict-origin-when-cross-origin"}


def _html(body: str, view: View, *, framed: bool = False) -> Answer:
    tracking = "" if framed else view.page.ga_tracking
    return answer(body, "text/html", headers=policy(tracking, framed=framed))


def _data(kind: str, write: Callable[[View, str, Language], bytes]) -> Callable[[View, Place], Answer]:
    return lambda view, at: answer(write(view, at.url, LANGUAGES[at.language]), kind, headers=OPEN)


_rss = _data("application/rss+xml", feeds.rss)
_atom = _data("application/atom+xml", feeds.atom)
_PATHS: dict[str, Callable[[View, Place], Answer]] = {
    "": lambda view, at: _html(render.status(view, at), view),
    "/history": lambda view, at: _html(_history(view, at, None), view),
    "/history.rss": _rss,
    "/rss": _rss,
    "/history.atom": _atom,
    "/atom": _atom,
    "/feed.json": _data("application/feed+json", feeds.json_feed),
    "/badge.svg": lambda view, at: answer(render.badge(view, at), "image/svg+xml", cache=MINUTE, headers=OPEN),
    "/icon.svg": lambda view, _: answer(render.icon(view), "image/svg+xml", cache=MINUTE),
    "/card.png": lambda view, at: answer(render.banner_card(view, at), "image/png", cache=MINUTE),
    "/widget": lambda view, at: _html(render.widget(view, at), view, framed=True),
    **{
        f"/api/v2/{name}.json": _data("application/json", lambda view, url, _, name=name: api_v2.body(name, view, url))  # type: ignore[misc]
        for name in api_v2.NAMES
    },
}
PATHS = tuple(_PATHS)
"""All paths but those of single incidents, maintenances, components and months."""


def found(path: str, view: View, timelines: dict[UUID, list[Since]], at: Place) -> Answer | None:
    """The answer at a path below the page's address; None when there is nothing.

    Args:
        path: empty or with a leading slash, without one at the end.
        view: what the page shows.
        timelines: what its components showed, for windows of other lengths than the view's.
        at: where it is seen.
    """
    if known := _PATHS.get(path):
        return known(view, at)
    body = None
    if (match := _MONTH.fullmatch(path)) and match[1] in dict(view.history):
        body = _history(view, at, match[1])
    elif match := _ONE.fullmatch(path):
        body = _one(match[1], UUID(match[2]), view, timelines, at)
    return _html(body, view) if body else None


def _history(view: View, at: Place, month: str | None) -> str:
    months = [name for name, _ in view.history]
    first = months.index(month) if month else 0
    last = first + (1 if month else MONTHS)
    newer = ("" if first <= MONTHS else f"/{months[first - 1]}") if month else None
    older = f"/{months[last]}" if last < len(months) else None
    path = f"/history/{month}" if month else "/history"
    shown = view.history[first:last]
    return render.history(view, at, shown, newer=newer, older=older, path=path)


def _one(noun: str, id_: UUID, view: View, timelines: dict[UUID, list[Since]], at: Place) -> str | None:
    if noun == "components":
        component = next((each for each in view.components if each.id == id_), None)
        return _component(component, view, timelines.get(id_, []), at) if component else None
    told: list[Report] = [*view.incidents, *view.maintenances]
    report = next((each for each in told if each.id == id_ and f"{each.kind}s" == noun), None)
    return render.report(view, at, report) if report else None


def _component(it: ComponentView, view: View, changes: list[Since], at: Place) -> str:
    now: datetime = view.at
    windows = [(name, span(changes, now - timedelta(days=count), now).uptime) for name, count in WINDOWS.items()]
    reports = [each for _, month in view.history for each in month if _names(each, it.id)]
    return render.component(view, at, it, windows, reports)


def _names(it: Report, component: UUID) -> bool:
    """Whether a report is about a component."""
    if isinstance(it, MaintenanceReport):
        return any(id_ == component for id_, _ in it.components)
    return any(each.id == component for each in it.components)
