"""Integration `statuspageIo`: an incident on a page of Atlassian's, open while the monitor is down.

https://developer.statuspage.io: at most one request a second for each token, 420 or 429 when it was more.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self
from urllib.parse import quote

from pinghome_common.errors import FieldError, Invalid
from pinghome_delivery.message import Allowed, DeliveryError, Kind, Message, Transports
from pinghome_delivery.web import Answer, host, refused
from pinghome_delivery.webhook import encode

STATUSES = ("investigating", "identified", "monitoring")
"""Atlassian's words for an incident that is not resolved."""
PAGE = 100
"""Incidents in one answer."""
TOO_FAST = (420, 429)
_ID = re.compile(r"[a-z0-9]{6,32}", re.ASCII)
MISSING = "it has no token, and the operator has set no PINGHOME_STATUSPAGE_IO_TOKEN"
NOT_ALLOWED = "it has no token, and the operator's serves the pages of PINGHOME_STATUSPAGE_IO_PAGES only"


@dataclass(slots=True, kw_only=True)
class StatuspageIo(Kind):
    """`page` and `items` are ids of Atlassian's; `name`, `status` and `message` are the incident's.

    No id of an incident is kept here: the one that is ours carries the monitor's id in its metadata, and is looked for
    before anything is done. So there is never a second one, wherever the last attempt was cut off.
    """

    limited: ClassVar[bool] = True

    page: str
    name: str
    status: str = ""
    message: str = ""
    items: list[str] = field(default_factory=list)
    token: str = ""

    async def check(self, transports: Transports) -> None:  # noqa: ARG002  # a missing token is its problem
        """Its ids are of Atlassian's form, so that they stay one segment of a path each."""
        if not _ID.fullmatch(self.page):
            raise Invalid(FieldError("page", "must be the id of a page: 6 to 32 lower-case letters and digits"))
        for place, item in enumerate(self.items):
            if not _ID.fullmatch(item):
                raise Invalid(
                    FieldError(f"items.{place}", "must be the id of a component: 6 to 32 lower-case letters and digits")
                )

    def ready(self, transports: Transports, allowed: Allowed) -> Self | None:
        """With the operator's token where it has none of its own and may use that."""
        if self.problem(transports, allowed):
            return None
        return replace(self, token=self.token or transports.statuspage_token)

    def problem(self, transports: Transports, allowed: Allowed) -> str:
        """There is no token for it."""
        if self.token:
            return ""
        if not transports.statuspage_token:
            return MISSING
        named = {self.page, f"{allowed.organisation}:{self.page}"} & transports.statuspage_pages
        return "" if named or (allowed.first and not transports.statuspage_pages) else NOT_ALLOWED

    def shown(self, mask: str) -> dict[str, str | list[str]]:
        """The page; the rest is the integration's own."""
        return {"page": self.page, "token": mask if self.token else ""}

    async def send(self, message: Message, transports: Transports) -> None:
        """Opens or resolves the monitor's incident; raises DeliveryError, or RateLimited until it is its turn."""
        newest = message.notifications[-1]
        await transports.pace.turn(self.token, calls=2)
        ours = await self._ours(str(newest.about), transports)
        if newest.what == "up":
            for incident in ours:
                await transports.pace.turn(self.token, calls=0)
                await self._call(
                    "PATCH", f"/incidents/{quote(incident, safe='')}", self._resolved(newest.text), transports
                )
        elif not ours:
            await transports.pace.turn(self.token, calls=0)
            await self._call("POST", "/incidents", self._opened(str(newest.about), newest.text), transports)

    async def _ours(self, monitor: str, transports: Transports) -> list[str]:
        """The ids of the page's unresolved incidents that are this monitor's."""
        found: list[str] = []
        for page in range(1, 100):
            if page > 1:
                await transports.pace.turn(self.token, calls=0)
            answer = await self._call("GET", f"/incidents/unresolved?page={page}&per_page={PAGE}", None, transports)
            incidents = answer.json()
            if not isinstance(incidents, list):
                raise DeliveryError(f"{host(transports.statuspage_url)} did not answer with a list of incidents")
            found += [str(it["id"]) for it in incidents if isinstance(it, dict) and _monitor(it) == monitor]
            if len(incidents) < PAGE:
                break
        return found

    def _opened(self, monitor: str, text: str) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": self.status if self.status in STATUSES else STATUSES[0],
            "body": self.message or text,
            "component_ids": self.items,
            "components": dict.fromkeys(self.items, "major_outage"),
            "metadata": {"pinghome": {"monitor": monitor}},
        }

    def _resolved(self, text: str) -> dict[str, Any]:
        return {
            "status": "resolved",
            "body": text,
            "component_ids": self.items,
            "components": dict.fromkeys(self.items, "operational"),
        }

    async def _call(self, method: str, path: str, incident: dict[str, Any] | None, transports: Transports) -> Answer:
        if not _ID.fullmatch(self.page):
            raise DeliveryError("the page's id is not valid; make another integration")
        headers = {"Authorization": f"OAuth {self.token}", "Content-Type": "application/json"}
        body = b"" if incident is None else encode({"incident": incident})
        url = f"{transports.statuspage_url}/v1/pages/{self.page}{path}"
        answer = await transports.web.request(method, url, headers, body)
        if answer.status in TOO_FAST:
            error = refused(host(url), answer)
            raise DeliveryError(str(error), max(error.wait, 60.0))  # Atlassian counts the next one in that minute, too
        if not 200 <= answer.status < 300:
            raise refused(host(url), answer)
        return answer


def _monitor(incident: dict[str, Any]) -> str:
    """The monitor that an incident of ours names."""
    metadata = incident.get("metadata")
    ours = metadata.get("pinghome") if isinstance(metadata, dict) else None
    return str(ours.get("monitor", "")) if isinstance(ours, dict) else ""
