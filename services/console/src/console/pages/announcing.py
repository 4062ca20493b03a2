"""The forms of what status pages tell: incidents, maintenance, and templates of incidents."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from console.api import Away, Refused
from console.forms import Field
from console.forms import Form as Shown
from console.render import page
from console.viewer import GUARDED, Form, Posted, Somebody, Viewer

routes = APIRouter(include_in_schema=False)

KINDS = {"incident": "incidents", "maintenance": "maintenances", "template": "templates"}
STATUSES = tuple((each, each.capitalize()) for each in ("investigating", "identified", "monitoring", "resolved"))
IMPACTS = (("none", "None"), ("minor", "Minor"), ("major", "Major"), ("critical", "Critical"))
AFFECTED = (
    ("degraded", "Degraded"),
    ("partial-outage", "Partial outage"),
    ("offline", "Offline"),
    ("maintenance", "Maintenance"),
    ("operational", "Operational"),
)
NOTIFY = Field("notify", "Tell subscribers", "flag", default=True)
MESSAGE = Field(
    "message", "Message", "area", "HTML such as <b>, <a> and <ul> is allowed; everything else is taken out."
)
_OPENED = (
    Field("title", "Title", required=True, example="Payments fail"),
    MESSAGE,
    Field("status", "Status", "choice", options=STATUSES, default="investigating"),
    Field("impact", "Impact", "optional", "Empty: by the worst of its components.", IMPACTS, None),
)
FIELDS: dict[str, Sequence[Field]] = {
    "incident": (
        *_OPENED,
        Field("occurred_at", "Began", "moment", "Empty: now.", default=None, more=True),
        NOTIFY,
    ),
    "template": (Field("name", "Name", required=True, example="Bank"), *_OPENED),
    "maintenance": (
        Field("title", "Title", required=True, example="Database upgrade"),
        MESSAGE,
        Field("scheduled_for", "Begins", "moment", required=True, default=None),
        Field("duration", "Lasts", "number", default=60, unit="minutes", least=1),
        Field("rrule", "Repeats", hint="An RFC 5545 rule; empty: once.", example="FREQ=WEEKLY;BYDAY=SU", more=True),
        NOTIFY,
        Field("silence_alerts", "Send no alerts meanwhile", "flag", default=False),
    ),
}


@routes.get("/incidents/new")
async def new(v: Somebody, of: str, kind: str = "incident", template: str = "") -> Response:
    """The form of a new one; that of an incident may be filled by a template."""
    given = await v.api.get(f"statuspage-query/v1/statuspage/{of}/templates/{template}") if template else None
    kind = _known(kind)
    return await _show(v, of, kind, Shown.of(FIELDS[kind], given), given["components"] if given else [])


@routes.post("/incidents/new")
async def publish(v: Somebody, form: Form) -> Response:
    """Publishes it, or keeps an incident's text as a template."""
    of, kind = form.one("of"), _known(form.one("kind"))
    shown, chosen = Shown.posted(FIELDS[kind], form), affected(form, kind)
    body = {name: value for name, value in shown.body().items() if value not in ("", None)} | {"components": chosen}
    if body.get("rrule") and form.has("zone"):
        body["timezone"] = form.one("zone")
    noun = kind
    if form.one("do") == "template":
        known = {each.name for each in FIELDS["template"]} | {"components"}
        noun, body = "template", {"name": shown.values["title"]} | {each: body[each] for each in body if each in known}
    try:
        made = await v.api.send("POST", f"statuspage-cmd/v1/statuspage/{of}/{noun}", body, shown.key)
    except (Refused, Away) as error:
        return await _show(v, of, kind, shown.refused(error), chosen)
    if noun == "template":
        return v.goto("/incidents", done="made")
    return v.goto(f"/incidents/{of}/{kind}/{made['id']}", done="published")


@routes.get("/incidents/{of}/{kind}/{id}/edit")
async def edit(v: Somebody, of: str, kind: str, id: str) -> Response:  # noqa: A002
    """The form to change one."""
    kind = _known(kind)
    it = await _one(v, of, kind, id)
    given = it | {"notify": False, "duration": it.get("duration") or _minutes(it)}
    return await _show(v, of, kind, Shown.of(_fields(kind, it), given), it["components"], it)


@routes.post("/incidents/{of}/{kind}/{id}/edit")
async def change(v: Somebody, of: str, kind: str, id: str, form: Form) -> Response:  # noqa: A002
    """Changes one."""
    kind = _known(kind)
    it = await _one(v, of, kind, id)
    shown, chosen = Shown.posted(_fields(kind, it), form), affected(form, kind)
    body = shown.body() | {"components": chosen}
    if not body.get("occurred_at", "as it is"):
        del body["occurred_at"]
    try:
        await v.api.send("PUT", f"statuspage-cmd/v1/statuspage/{of}/{kind}/{id}", body)
    except (Refused, Away) as error:
        return await _show(v, of, kind, shown.refused(error), chosen, it)
    return v.goto("/incidents" if kind == "template" else f"/incidents/{of}/{kind}/{id}", done="saved")


@routes.post("/incidents/{of}/template/{id}/delete", dependencies=GUARDED)
async def delete(v: Somebody, of: str, id: str) -> Response:  # noqa: A002
    """Deletes a template."""
    await v.api.send("DELETE", f"statuspage-cmd/v1/statuspage/{of}/template/{id}")
    return v.goto("/incidents", done="delete")


def affected(form: Posted, kind: str) -> list[Any]:
    """The components that a form names, with what each shows; maintenance names them alone."""
    pairs = [(each, form.one(f"status.{each}")) for each in form.all("component")]
    named = [(each, status) for each, status in pairs if status]
    return [each for each, _ in named] if kind == "maintenance" else [{"id": each, "status": to} for each, to in named]


def _known(kind: str) -> str:
    return kind if kind in KINDS else "incident"


def _fields(kind: str, it: dict[str, Any]) -> Sequence[Field]:
    """Of one that there is: maintenance that does not repeat cannot begin to."""
    return [each for each in FIELDS[kind] if each.name != "rrule" or "rrule" in it]


def _minutes(it: dict[str, Any]) -> int:
    """How long maintenance lasts."""
    ends = it.get("ends_at")
    lasts = datetime.fromisoformat(ends) - datetime.fromisoformat(it["scheduled_for"]) if ends else timedelta()
    return max(round(lasts.total_seconds() / 60), 1)


async def _one(v: Viewer, of: str, kind: str, id_: str) -> dict[str, Any]:
    return await v.api.get(f"statuspage-query/v1/statuspage/{of}/{KINDS[kind]}/{id_}")  # type: ignore[no-any-return]


async def _show(v: Viewer, of: str, kind: str, form: Shown, chosen: list[Any], it: Any = None) -> Response:
    about, components, templates = await asyncio.gather(
        v.api.get(f"statuspage-query/v1/statuspage/{of}"),
        v.api.get(f"statuspage-query/v1/statuspage/{of}/components"),
        v.api.all(f"statuspage-query/v1/statuspage/{of}/templates"),
    )
    statuses = {each: "maintenance" for each in chosen if isinstance(each, str)} | {
        each["id"]: each["status"] for each in chosen if isinstance(each, dict)
    }
    return page(
        v,
        "announcement.html",
        form.status,
        form=form,
        kind=kind,
        it=it,
        about=about,
        components=components["data"],
        templates=templates if kind == "incident" and not it else [],
        chosen=statuses,
        statuses=AFFECTED,
    )
