"""What is down, first; how many of what; one line of history for each service."""

import asyncio
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from console import nouns
from console.api import Away, Refused
from console.render import page
from console.states import shape
from console.viewer import Somebody, Viewer

routes = APIRouter(include_in_schema=False)

FOUND = 10
"""What is found of each noun."""
HOURS = {"24h": 24, "90d": 2160}
_LISTED = (("resource", nouns.MONITOR), ("heartbeat", nouns.HEARTBEAT), ("server-resource", nouns.SERVER))


@routes.get("/")
async def overview(v: Somebody, window: str = "24h") -> Response:
    """The first page; an empty platform leads through its first steps."""
    window = window if window in HOURS else "24h"
    found, services, history, channels = await asyncio.gather(
        v.api.get("resource-query/v1/overview"),
        v.api.all("resource-query/v1/services"),
        _history(v, HOURS[window]),
        v.api.get("resource-query/v1/channels", limit=1),
    )
    counts = [(noun, _counts(found, name)) for name, noun in _LISTED]
    total = sum(sum(each.values()) for _, each in counts)
    if total == 0 and v.writes:
        return v.goto("/start")
    return page(
        v,
        "overview.html",
        counts=counts,
        total=total,
        down=[each | {"page": nouns.OF_API[each["noun"]]} for each in found["down"]],
        services=services,
        history=history,
        window=window,
        windows=HOURS,
        silent=channels["total"] == 0,
    )


@routes.get("/search")
async def search(v: Somebody, q: str = "") -> Response:
    """What has some letters in its name, address or tags, of every noun."""
    q = q.strip()[:100]
    found = await asyncio.gather(*(v.api.get(noun.listed, q=q, limit=FOUND, sort="name") for _, noun in _LISTED))
    return page(v, "search.html", q=q, found=[(noun, of) for (_, noun), of in zip(_LISTED, found, strict=True)])


def _counts(found: dict[str, Any], name: str) -> dict[str, int]:
    return {state: count for state, count in found["counts"].get(name, {}).items() if count}


async def _history(v: Viewer, hours: int) -> dict[str, list[str]] | None:
    """What each service's spans look like; None while statistic-query is away: the rest is shown."""
    try:
        found = await v.api.get("statistic-query/v1/services/history", hours=hours)
    except (Away, Refused):
        return None
    return {each["service_id"]: [shape(state or "") for state in each["history"]] for each in found["data"]}
