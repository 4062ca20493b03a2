"""The first three steps: a site, a cron line, an alert that arrives."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response

from console.api import Away, Refused
from console.pages.editing import Choices
from console.pages.heartbeats import snippets
from console.render import page
from console.viewer import Form, Somebody, Viewer

routes = APIRouter(include_in_schema=False)


@routes.get("/start")
async def start(v: Somebody) -> Response:
    """What has been done of them, and the form of the next one."""
    return await _show(v)


@routes.post("/start/site")
async def site(v: Somebody, form: Form) -> Response:
    """Watches a site."""
    address = form.one("url").strip()
    url = address if "://" in address else f"https://{address}"
    choices = await Choices.of(v)
    body = {
        "name": url.partition("://")[2].strip("/")[:255],
        "type": "http",
        "url": url,
        "service_id": choices.services[0][0],
        "regions": [name for name, _ in choices.regions][:1],
        "interval": 60,
    }
    return await _sent(v, "resource", body, form.one("key"), {"url": address})


@routes.post("/start/job")
async def job(v: Somebody, form: Form) -> Response:
    """Waits for a job."""
    choices, schedule = await Choices.of(v), form.one("schedule").strip()
    zone = form.one("zone") or "UTC"
    body = {
        "name": form.one("name").strip(),
        "service_id": choices.services[0][0],
        "interval": 86400,
        "grace": 300,
        **({"schedule": schedule, "timezone": zone} if schedule else {}),
    }
    return await _sent(v, "heartbeat", body, form.one("key"), {"name": form.one("name"), "schedule": schedule})


@routes.post("/start/channel")
async def channel(v: Somebody, form: Form) -> Response:
    """Tells somebody, and sends a test at once; all services tell it that told nobody."""
    kind, to = ("email" if form.one("kind") == "email" else "webhook"), form.one("to").strip()
    choices = await Choices.of(v)
    config = {"to": [to]} if kind == "email" else {"url": to}
    given = {"to": to, "kind": kind, "key": form.one("key")}
    body = {"name": v.t("On call"), "kind": kind, "service_id": choices.services[0][0], "config": config}
    try:
        made = await v.api.send("POST", "resource-cmd/v1/channel", body, form.one("key"))
        services = await v.api.all("resource-query/v1/services")
        for each in services:
            if not each["channels"]:
                await v.api.send("PUT", f"resource-cmd/v1/service/{each['id']}", {"channels": [made["id"]]})
    except Refused as refusal:
        return await _show(v, "channel", refusal, given)
    except Away as away:
        return await _show(v, "channel", away, given | {"to": ""})  # an address may be a secret
    try:
        said = await v.api.send("POST", f"resource-cmd/v1/channel/{made['id']}/test")
    except Refused as refusal:
        said = {"delivered": False, "error": refusal.message}
    return v.goto("/start", done="tested" if said.get("delivered") else "untested")


async def _sent(v: Viewer, noun: str, body: dict[str, object], key: str, given: dict[str, str]) -> Response:
    try:
        await v.api.send("POST", f"resource-cmd/v1/{noun}", body, key)
    except (Refused, Away) as error:
        return await _show(v, noun, error, given | {"key": key})
    return v.goto("/start", done="made")


async def _show(
    v: Viewer, step: str = "", error: Refused | Away | None = None, given: dict[str, str] | None = None
) -> Response:
    sites, jobs, channels = await asyncio.gather(
        v.api.get("resource-query/v1/resources", limit=1),
        v.api.get("resource-query/v1/heartbeats", limit=1),
        v.api.get("resource-query/v1/channels", limit=1),
    )
    away = error.service if isinstance(error, Away) else ""
    problem = "; ".join(error.errors.values()) or error.message if isinstance(error, Refused) else ""
    first = jobs["data"][0] if jobs["data"] else None
    return page(
        v,
        "start.html",
        503 if away else 422 if error else 200,
        site=sites["data"][0] if sites["data"] else None,
        job=first,
        channel=channels["data"][0] if channels["data"] else None,
        snippets=snippets(first) if first else [],
        step=step,
        problem=problem,
        away=away,
        given=given or {},
    )
