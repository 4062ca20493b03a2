"""A server: its figures now and over time, and the line that installs its agent."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse, Response

from console import nouns
from console.forms import Field
from console.pages.editing import Choices, Document, Editor
from console.pages.monitors import since
from console.render import page
from console.viewer import GUARDED, Somebody, Viewer

routes = APIRouter(include_in_schema=False)

WINDOWS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}
CHARTS = {
    "cpu-total-usage": "CPU",
    "memory-usage": "Memory",
    "disk-usage-unified": "Disk usage",
    "system-load-unified": "Load",
    "disk-io-unified": "Disk traffic",
    "network-usage-unified": "Network traffic",
    "swap-usage": "Swap",
}
VALUES = {
    "cpu-total-usage": (("total", "{value} %", ""), ("iowait", "{value} %", "waits for disks")),
    "memory-usage": (("percent", "{value} %", ""),),
    "disk-usage-unified": (("percent", "{value} %", ""),),
    "system-load-unified": (("load1", "{value}", "1 minute"), ("load15", "{value}", "15 minutes")),
    "disk-io-unified": (("read_bytes", "{value} MB/s", "read"), ("write_bytes", "{value} MB/s", "written")),
    "network-usage-unified": (("received_bytes", "{value} MB/s", "received"), ("sent_bytes", "{value} MB/s", "sent")),
    "swap-usage": (("percent", "{value} %", ""),),
}
"""What is shown where a chart is pointed at: fields, how they are written, and what they are."""
INTERVALS = {"24h": "minute", "7d": "hour", "30d": "hour", "90d": "day"}
"""Those of the pictures."""
POINTED = 240
"""Places of a chart that can be told apart."""
BOUNDS = (
    ("cpu-total-usage total", "CPU, percent"),
    ("memory-usage percent", "Memory, percent"),
    ("disk-usage-unified percent", "Disk usage, percent"),
    ("swap-usage percent", "Swap, percent"),
    ("system-load-unified load1", "Load, 1 minute"),
    ("system-load-unified load5", "Load, 5 minutes"),
    ("system-load-unified load15", "Load, 15 minutes"),
)
SHAPES = (("line", "Lines"), ("area", "Areas"), ("bar", "Bars"))
_INTERVALS = (10, 30, 60, 120, 300, 600, 1800, 3600)


def fields(choices: Choices, *_: Document | str | None) -> Sequence[Field]:
    """The form."""
    return [
        Field("name", "Name", required=True, example="web-1"),
        Field("description", "Description", "area", default=""),
        Field("interval", "Every", "seconds", options=[(str(each), str(each)) for each in _INTERVALS], default=60),
        Field(
            "thresholds",
            "Thresholds",
            "thresholds",
            "You are told when all points of so many minutes break one.",
            BOUNDS,
            [],
        ),
        Field("reboot_alert", "Tell me of reboots", "flag", default=False),
        *choices.common(),
        choices.parent(),
        Field("chart_type_default", "Charts", "choice", options=SHAPES, default="line", more=True),
        Field("timezone", "Time zone", "zone", "Of its charts.", default="UTC", example="Europe/Berlin", more=True),
    ]


EDITOR = Editor(nouns.SERVER, fields, shown_once="install")


@routes.get("/servers/{id}")
async def server(v: Somebody, id: str, window: str = "24h") -> Response:  # noqa: A002
    """All of one server."""
    window = window if window in WINDOWS else "24h"
    statistic = f"statistic-query/v1/server-resource/{id}"
    it, events, told = await asyncio.gather(
        v.api.get(f"resource-query/v1/server-resource/{id}"),
        v.api.get(f"{statistic}/state-changed-logs", limit=20),
        v.api.get(f"{statistic}/notifications", limit=10),
    )
    return page(
        v,
        "server.html",
        noun=nouns.SERVER,
        it=it,
        events=events["data"],
        told=told["data"],
        window=window,
        windows=WINDOWS,
        charts=CHARTS,
        bounds=dict(BOUNDS),
    )


@routes.get("/servers/{id}/{type}.svg")
async def picture(v: Somebody, id: str, type: str, window: str = "24h", width: int = 800) -> Response:  # noqa: A002
    """A chart, drawn by statistic-query; a browser keeps it for a minute."""
    days = WINDOWS.get(window, 1)
    raw, kind = await v.api.raw(
        f"statistic-query/v1/server-resource/{id}/metrics.svg",
        type=type,
        width=min(max(width, 320), 2000),
        theme=v.session.theme,
        start_date=since(days) if days > 1 else None,
    )
    headers = {
        "Cache-Control": "private, max-age=60",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    }
    return Response(raw, media_type=kind, headers=headers)


@routes.get("/servers/{id}/{type}.json")
async def values(v: Somebody, id: str, type: str, window: str = "24h") -> Response:  # noqa: A002
    """What a chart shows at its places: where each is from 0 to 1, its time, and a text."""
    if type not in VALUES:
        raise HTTPException(404)
    window = window if window in WINDOWS else "24h"
    days, now = WINDOWS[window], datetime.now(UTC)
    start = datetime.fromisoformat(since(days)) if days > 1 else now - timedelta(days=1)
    found = await v.api.get(
        f"statistic-query/v1/server-resource/{id}/metrics",
        type=type,
        interval=INTERVALS[window],
        limit=POINTED,
        start_date=start.isoformat(),
    )
    points = [
        (
            (datetime.fromisoformat(each["received_at"]) - start) / (now - start),
            each["received_at"],
            _written(v, type, each["values"]),
        )
        for each in found["data"]
    ]
    return JSONResponse(points, headers={"Cache-Control": "private, max-age=60"})


@routes.post("/servers/{id}/token", dependencies=GUARDED)
async def token(v: Somebody, id: str) -> Response:  # noqa: A002
    """A new token of its agent, shown once; the old one is good no more."""
    made = await v.api.send("POST", nouns.SERVER.command(f"{id}/token"), {})
    it = await v.api.get(nouns.SERVER.read(id))
    return page(v, "once.html", noun=nouns.SERVER, id=id, name=it["name"], made=made)


def _written(v: Viewer, type_: str, values: Mapping[str, Any]) -> str:
    """The average of each field that is shown."""
    parts = []
    for field, form, label in VALUES[type_]:
        value = (values.get(field) or {}).get("avg")
        if value is None:
            continue
        text = form.format(value=v.t.number(value / 1_000_000 if "MB" in form else value))
        parts.append(f"{text} {v.t(label)}".strip() if label else text)
    return ", ".join(parts)
