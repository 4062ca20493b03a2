"""One page as it is served: what it answers is made once, and again when something has changed or time has passed."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pinghome_web.answer import FOREVER, Answer, answer
from statuspage_query.public.material import Material
from statuspage_query.public.render import Place
from statuspage_query.public.site import found
from statuspage_query.public.view import Indicator, View
from statuspage_query.public.view import view as view_of

QUIET, TROUBLE = timedelta(minutes=5), timedelta(minutes=1)
"""How long what is shown stays true while nothing changes: percentages move with the time, faster during an outage."""
ANSWERS = 100
"""Answers that are kept of one page: few, because where no address is set the header Host is a part of each."""


class Published:
    """A page of the public; `names` are the ids of all whose change may change it."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.names = material.names()
        self.watchers: set[asyncio.Event] = set()
        self._view: View | None = None
        self._until = datetime.min.replace(tzinfo=UTC)
        self._answers: dict[tuple[str, Place], Answer] = {}

    @property
    def logo(self) -> str:
        """The file name of its logo; empty when it has none of ours."""
        return self._picture(self.material.page.logo)

    @property
    def favicon(self) -> str:
        """The file name of its icon; empty when it has none of ours."""
        return self._picture(self.material.page.favicon)

    def _picture(self, path: str) -> str:
        name = path.rpartition("/")[2]
        return name if name in self.material.pictures else ""

    def become(self, material: Material) -> None:
        """What is known of the page has changed."""
        self.material, self.names = material, material.names()
        self._view = None
        self.tell()

    def tell(self) -> None:
        """Tells who watches that the page is another one, or gone."""
        for each in self.watchers:
            each.set()

    def answer(self, path: str, at: Place, now: datetime) -> Answer | None:
        """The answer at a path below the page's address; None when there is nothing."""
        shown = self.view(now)
        key = path, at
        if (known := self._answers.get(key)) is not None:
            return known
        name = path.removeprefix("/images/")
        if name in (self.logo, self.favicon) and name != path:
            made: Answer | None = answer(self.material.pictures[name], "image/png", cache=FOREVER)
        else:
            made = found(path, shown, self.material.timelines, at)
        if made is None:
            return None
        if len(self._answers) >= ANSWERS:
            self._answers.clear()
        self._answers[key] = made = self._limited(made)
        return made

    def view(self, now: datetime) -> View:
        """What it shows."""
        if self._view is None or now >= self._until:
            self._answers.clear()
            self._view = shown = view_of(self.material, now)
            zone = ZoneInfo(shown.page.timezone)
            tomorrow = datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)
            self._until = min(now + (QUIET if shown.indicator is Indicator.none else TROUBLE), tomorrow)
        return self._view

    def _limited(self, it: Answer) -> Answer:
        """An answer with what the page's settings say of it: its language may vary, and some are not for all."""
        page, head = self.material.page, dict(it.headers)
        if page.language == "auto":
            head[b"vary"] = b", ".join(filter(None, [b"Accept-Language", head.get(b"vary")]))
        if page.type == "private":
            head[b"cache-control"] = b"private, no-cache"
            head.pop(b"access-control-allow-origin", None)
        return replace(it, headers=list(head.items()))
