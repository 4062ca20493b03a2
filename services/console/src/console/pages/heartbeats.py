"""A heartbeat: its URL in every form in which jobs need it, its schedule in words, and its pings."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from console import nouns
from console.cron import in_words
from console.forms import Field
from console.pages.editing import Choices, Document, Editor
from console.pages.monitors import since
from console.render import page
from console.viewer import Somebody

routes = APIRouter(include_in_schema=False)

PINGS = 50
_PERIODS = (60, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 604800, 2592000)
_USUAL = ("GET", "HEAD", "POST")
METHODS = tuple((each, each) for each in (*_USUAL, "PUT", "PATCH", "DELETE", "OPTIONS"))
_GRACES = (0, 60, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400)


def fields(choices: Choices, document: Document | None, _: str) -> Sequence[Field]:
    """The form."""
    period, grace = (document or {}).get("interval"), (document or {}).get("grace")
    return [
        Field("name", "Name", required=True, example="Nightly backup"),
        Field(
            "schedule",
            "Cron expression",
            hint="As in the crontab. Leave it empty if the job has a fixed period.",
            example="0 3 * * *",
        ),
        Field("timezone", "Time zone", "zone", "Of the cron expression.", default="UTC", example="Europe/Berlin"),
        Field(
            "interval",
            "Period",
            "seconds",
            "Between two check-ins, where there is no cron expression.",
            _seconds(_PERIODS, period),
            86400,
        ),
        Field("grace", "Grace", "seconds", "How late it may be.", _seconds(_GRACES, grace), 300),
        Field("description", "Description", "area", default="", more=True),
        Field("methods", "Methods", "many", "With which it may check in.", METHODS, list(_USUAL), more=True),
        *choices.common(),
    ]


EDITOR = Editor(nouns.HEARTBEAT, fields)


def _seconds(known: Sequence[int], own: int | None) -> list[tuple[str, str]]:
    return [(str(each), str(each)) for each in sorted({*known, *([own] if own is not None else [])})]


@routes.get("/heartbeats/{id}")
async def heartbeat(v: Somebody, id: str, before: str = "") -> Response:  # noqa: A002
    """All of one heartbeat."""
    statistic = f"statistic-query/v1/heartbeat/{id}"
    it, counts, pings, told = await asyncio.gather(
        v.api.get(f"resource-query/v1/heartbeat/{id}"),
        v.api.get(f"{statistic}/statistic", interval="1d", start_date=since(30)),
        v.api.get(f"{statistic}/events", limit=PINGS, last_received_at=before),
        v.api.get(f"{statistic}/notifications", limit=10),
    )
    return page(
        v,
        "heartbeat.html",
        noun=nouns.HEARTBEAT,
        it=it,
        counts=counts["data"],
        pings=pings["data"],
        before=before,
        more=len(pings["data"]) == PINGS,
        told=told["data"],
        words=in_words(it["schedule"], v.t.code),
        snippets=snippets(it),
    )


@routes.get("/heartbeats/{id}/pings/{number}")
async def body(v: Somebody, id: str, number: int) -> Response:  # noqa: A002
    """What a ping sent along, as plain text, whatever it is."""
    raw, _ = await v.api.raw(f"statistic-query/v1/heartbeat/{id}/events/{number}/body")
    return Response(raw, media_type="text/plain; charset=utf-8", headers={"Content-Disposition": "inline"})


def snippets(it: dict[str, Any]) -> list[tuple[str, str]]:
    """How jobs check in; nothing for who may not write, as the URL is the heartbeat's secret."""
    url = it.get("url")
    if not url:
        return []
    when = it["schedule"] if it["schedule"] and it["schedule"].count(" ") == 4 else "0 3 * * *"
    name = "".join(each if each.isalnum() else "-" for each in it["name"].lower()).strip("-")[:40] or "job"
    ask = "curl -fsS -m 10 --retry 5"
    run = f'{ask} "$url?result=run"'
    end = "if /path/to/job; then result=complete; else result=fail; fi"
    unit = f"# {name}.service\n[Service]\nType=oneshot\nExecStart=/path/to/job"
    return [
        ("curl", f"{ask} {url}"),
        ("crontab", f"{when} /path/to/job && {ask} -o /dev/null {url}"),
        ("bash", f'url={url}\n{run}\n{end}\n{ask} "$url?result=$result"'),
        ("systemd", f"{unit}\nExecStartPost=/usr/bin/{ask} {url}"),
        ("GitHub Actions", f"- name: Check in\n  if: success()\n  run: {ask} {url}"),
        ("Python", f'import urllib.request\n\nurllib.request.urlopen("{url}", timeout=10)'),
    ]
