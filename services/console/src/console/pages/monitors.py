"""A monitor: how it is and was, what was told of it, and its settings."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from console import nouns
from console.forms import Field
from console.pages.editing import Choices, Document, Editor
from console.render import page
from console.viewer import Somebody, Viewer

routes = APIRouter(include_in_schema=False)

WINDOWS = {"24h": (1, "hour", 24), "7d": (7, "3h", 56), "30d": (30, "12h", 60), "90d": (90, "1d", 90)}
"""Days, the interval of the buckets, and their number."""
FEW, NEW = 3, 10
"""Hours of a new monitor, whose chart has minutes, and how many of these it has at least."""
PHASES = ("dns", "connect", "tls", "first_byte", "transfer")
TYPES = (
    ("http", "Website or API"),
    ("tcp", "TCP port"),
    ("icmp", "Ping"),
    ("tls", "Certificate"),
    ("dns", "DNS record"),
    ("smtp", "Mail: SMTP"),
    ("imap", "Mail: IMAP"),
    ("pop", "Mail: POP"),
    ("udp", "UDP"),
)
_METHODS = tuple((each, each) for each in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_INTERVALS = (5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_PORTS = {"tcp": "", "udp": "", "tls": "443", "smtp": "25", "pop": "110", "imap": "143"}
_ANY = "Also one that is expired or of another host."
_TLS = Field("skip_ssl_error", "Accept any certificate", "flag", _ANY, default=False, more=True)


def _target(of: str) -> list[Field]:
    """What a type asks for, and nothing else."""
    if of == "http":
        return [
            Field("url", "Address", "web", required=True, example="https://www.example.com/"),
            Field("method", "Method", "choice", options=_METHODS, default="GET"),
            Field("data", "Keyword", hint="The answer must contain it. Leave it empty if any answer will do."),
            Field(
                "conditions",
                "Conditions",
                "conditions",
                "All must hold. Without any, 2xx and 3xx are well. Separate values by |: one of them is enough.",
                default=[],
            ),
            Field(
                "headers",
                "Headers",
                "headers",
                "One in each line, as Name: value.",
                default={},
                more=True,
                example="Authorization: Bearer …",
                secret=True,
            ),
            Field("body", "Body", "area", default="", more=True, secret=True),
            Field("not_follow_redirect", "Do not follow redirects", "flag", default=False, more=True),
            Field("max_redirects", "Most redirects", "number", default=10, least=0, more=True),
            _TLS,
        ]
    host = Field("host", "Name" if of == "dns" else "Host", "text", required=True, example="www.example.com")
    if of == "dns":
        record = Field("data", "Record", hint="A type, and what it must say, if you know that.", example="A 192.0.2.1")
        server = Field("url", "DNS server", hint="Empty: the one of the region.", example="dns://192.0.2.53", more=True)
        return [host, record, server]
    if of == "icmp":
        return [host]
    needed = of in ("tcp", "udp")
    port = Field("port", "Port", "text", required=needed, example=_PORTS[of])
    if needed:
        hint = "What is sent; an answer must come." if of == "udp" else "What is sent, if anything."
        return [host, port, Field("data", "Payload", hint=hint, required=of == "udp", more=of == "tcp")]
    return [host, port, _TLS]


def fields(choices: Choices, _: Document | None, of: str) -> Sequence[Field]:
    """The form of a type."""
    regions = [name for name, _ in choices.regions]
    return [
        Field("name", "Name", required=True, example="Web shop"),
        *_target(of),
        Field("interval", "Every", "seconds", options=[(str(each), str(each)) for each in _INTERVALS], default=60),
        Field("regions", "From", "many", "Regions that probe it; the majority decides.", choices.regions, regions[:1]),
        *choices.common(),
        choices.parent(),
        Field(
            "grace_period",
            "Down after",
            "number",
            "How long it may fail before it counts.",
            default=0,
            unit="minutes",
            least=0,
            more=True,
        ),
        Field("recovery_period", "Up again after", "number", default=0, unit="minutes", least=0, more=True),
        Field(
            "maintenance_cron_expression",
            "Maintenance begins",
            hint="Five cron fields, in UTC.",
            example="0 3 * * 0",
            more=True,
        ),
        Field("maintenance_duration", "Maintenance lasts", "number", default=0, unit="minutes", least=0, more=True),
    ]


async def _trial(v: Viewer, body: dict[str, Any]) -> Any:
    left_out = ("name", "service_id")
    sent = {name: value for name, value in body.items() if name not in left_out}
    return (await v.api.send("POST", "resource-cmd/v1/resource/test", sent))["data"]


EDITOR = Editor(nouns.MONITOR, fields, TYPES, _trial)


@routes.get("/monitors/{id}")
async def monitor(v: Somebody, id: str, window: str = "24h", by: str = "") -> Response:  # noqa: A002
    """All of one monitor."""
    window, by = window if window in WINDOWS else "24h", "region" if by == "region" else ""
    path = f"resource/{id}"
    get, statistic = v.api.get, f"statistic-query/v1/{path}"
    days, interval, count = WINDOWS[window]
    others = [name for name in WINDOWS if name != window]
    it, regions, shown, events, told, results, failures, ssl, tld, *sums = await asyncio.gather(
        get(f"resource-query/v1/{path}"),
        get(f"resource-query/v1/{path}/regions"),
        get(f"{statistic}/statistic", interval=interval, limit=count, start_date=since(days), by=by),
        get(f"{statistic}/state-changed-logs", limit=20),
        get(f"{statistic}/notifications", limit=10),
        get(f"{statistic}/results", limit=1, verdict="up"),
        get(f"{statistic}/results", limit=5, verdict="fail"),
        v.api.maybe(f"resource-query/v1/{path}/ssl"),
        v.api.maybe(f"resource-query/v1/{path}/tld"),
        *(get(f"{statistic}/statistic", interval="1d", limit=1, start_date=since(WINDOWS[name][0])) for name in others),
    )
    summary, began = shown["summary"], v.t(window)
    if days == 1 and len(shown["data"]) <= FEW:  # a new one: by minutes
        limit = 60 * FEW
        fine = await get(f"{statistic}/statistic", interval="minute", limit=limit, start_date=it["created_at"], by=by)
        if any(each["checks"] for each in fine["data"]):
            shown, count = fine, max(len(fine["data"]), NEW)
            began = v.t.duration(60 * count)
    uptimes = {window: summary["uptime"]} | {
        name: each["summary"]["uptime"] for name, each in zip(others, sums, strict=True)
    }
    return page(
        v,
        "monitor.html",
        noun=nouns.MONITOR,
        it=it,
        regions=regions["data"],
        statistic=shown,
        by=by,
        began=began,
        window=window,
        uptimes={name: uptimes[name] for name in WINDOWS},
        count=count,
        events=events["data"],
        told=told["data"],
        phases=_phases(results["data"]),
        failures=failures["data"],
        ssl=ssl,
        tld=tld,
        names=PHASES,
    )


def since(days: int) -> str:
    """A time some days ago, as the API takes it; on a full hour, so that buckets are whole."""
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1) - timedelta(days=days)
    return at.isoformat().replace("+00:00", "Z")


def _phases(results: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The newest good result, whose phases follow each other; what is left of the total is the transfer."""
    if not results:
        return None
    phases = results[0]["phases"]
    known = {name: phases.get(name) or 0.0 for name in PHASES[:-1]}
    total = phases.get("total") or sum(known.values())
    parts = [*known.items(), ("transfer", max(total - sum(known.values()), 0.0))]
    return {"parts": parts, "total": total, "at": results[0]["checked_at"], "region": results[0]["region"]}
