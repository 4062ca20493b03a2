"""Incidents and maintenance: what status pages tell."""

import asyncio
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from console.api import Away, Refused
from console.forms import Field
from console.forms import Form as Shown
from console.render import page
from console.viewer import GUARDED, Form, Posted, Somebody, Viewer

routes = APIRouter(include_in_schema=False)

PAGES = 20
"""Pages whose incidents are shown together."""
STATUSES = tuple((each, each.capitalize()) for each in ("investigating", "identified", "monitoring", "resolved"))
IMPACTS = (("minor", "Minor"), ("major", "Major"), ("critical", "Critical"))
AFFECTED = (
    ("degraded", "Degraded"),
    ("partial-outage", "Partial outage"),
    ("offline", "Offline"),
    ("maintenance", "Maintenance"),
    ("operational", "Operational"),
)
_NOTIFY = Field("notify", "Tell subscribers", "flag", default=True)
_MESSAGE = Field(
    "message", "Message", "area", "HTML such as <b>, <a> and <ul> is allowed; everything else is taken out."
)


def _incident(new: bool) -> list[Field]:  # noqa: FBT001
    return [
        Field("title", "Title", required=True, example="Payments fail"),
        _MESSAGE,
        Field("status", "Status", "choice", options=STATUSES, default="investigating"),
        Field("impact", "Impact", "optional", "Empty: by the worst of its components.", IMPACTS, None),
        *([_NOTIFY] if new else []),
    ]


def _maintenance() -> list[Field]:
    return [
        Field("title", "Title", required=True, example="Database upgrade"),
        _MESSAGE,
        Field("scheduled_for", "Begins", "moment", required=True, default=None),
        Field("duration", "Lasts", "number", default=60, unit="minutes", least=1),
        Field("rrule", "Repeats", hint="An RFC 5545 rule; empty: once.", example="FREQ=WEEKLY;BYDAY=SU", more=True),
        _NOTIFY,
        Field("silence_alerts", "Send no alerts meanwhile", "flag", default=False),
    ]


_UPDATE = [Field("status", "Status", "choice", options=STATUSES, default="identified"), _MESSAGE, _NOTIFY]
_TEMPLATE = [Field("name", "Name", required=True), *_incident(new=False)]


@routes.get("/incidents")
async def incidents(v: Somebody) -> Response:
    """What is open, what is planned, and what was."""
    pages = (await v.api.get("statuspage-query/v1/statuspages"))["data"]
    found = await asyncio.gather(*(_of_page(v, each) for each in pages[:PAGES]))
    told = sorted((each for of, _, _ in found for each in of), key=lambda it: it["occurred_at"], reverse=True)
    planned = sorted((each for _, of, _ in found for each in of), key=lambda it: it["scheduled_for"])
    return page(
        v,
        "incidents.html",
        pages=pages,
        shown=min(len(pages), PAGES),
        open=[each for each in told if each["status"] != "resolved"],
        over=[each for each in told if each["status"] == "resolved"],
        planned=[each for each in planned if each["status"] in ("scheduled", "in_progress")],
        past=[each for each in planned if each["status"] == "completed"][::-1],
        templates=[each for _, _, of in found for each in of],
    )


async def _of_page(v: Viewer, of: dict[str, Any]) -> tuple[list[Any], list[Any], list[Any]]:
    path = f"statuspage-query/v1/statuspage/{of['id']}"
    found = await asyncio.gather(
        *(v.api.get(f"{path}/{noun}", limit=30) for noun in ("incidents", "maintenances", "templates"))
    )
    one, two, three = ([each | {"page": of} for each in each_["data"]] for each_ in found)
    return one, two, three


@routes.get("/incidents/new")
async def new(v: Somebody, of: str, kind: str = "incident", template: str = "") -> Response:
    """The form of an incident, from a template where one is named, or of maintenance."""
    fields = _maintenance() if kind == "maintenance" else _incident(new=True)
    given = await v.api.get(f"statuspage-query/v1/statuspage/{of}/templates/{template}") if template else None
    return await _edit(v, of, kind, Shown.of(fields, given), given["components"] if given else [])


@routes.post("/incidents/new")
async def publish(v: Somebody, form: Form) -> Response:
    """Publishes it, or keeps its text as a template."""
    of, kind = form.one("of"), "maintenance" if form.one("kind") == "maintenance" else "incident"
    shown = Shown.posted(_maintenance() if kind == "maintenance" else _incident(new=True), form)
    affected = _affected(form, kind)
    body = {name: value for name, value in shown.body().items() if value not in ("", None)} | {"components": affected}
    if kind == "maintenance" and form.one("zone") and body.get("rrule"):
        body["timezone"] = form.one("zone")
    try:
        if form.one("do") == "template":
            body = {"name": shown.values["title"]} | {each: body[each] for each in body if each != "notify"}
            await v.api.send("POST", f"statuspage-cmd/v1/statuspage/{of}/template", body, shown.key)
            return v.goto("/incidents", done="made")
        made = await v.api.send("POST", f"statuspage-cmd/v1/statuspage/{of}/{kind}", body, shown.key)
    except (Refused, Away) as error:
        return await _edit(v, of, kind, shown.refused(error), affected)
    return v.goto(f"/incidents/{of}/{kind}/{made['id']}", done="published")


@routes.get("/incidents/{of}/{kind}/{id}")
async def one(v: Somebody, of: str, kind: str, id: str) -> Response:  # noqa: A002
    """An incident or maintenance with what was told of it, and the form to go on."""
    return await _one(v, of, kind, id)


@routes.post("/incidents/{of}/incident/{id}/update")
async def update(v: Somebody, of: str, id: str, form: Form) -> Response:  # noqa: A002
    """Writes an update."""
    shown = Shown.posted(_UPDATE, form)
    body = shown.body() | ({"components": _affected(form, "incident")} if form.has("affects") else {})
    try:
        await v.api.send("POST", f"statuspage-cmd/v1/statuspage/{of}/incident/{id}/update", body, shown.key)
    except (Refused, Away) as error:
        return await _one(v, of, "incident", id, shown.refused(error))
    return v.goto(f"/incidents/{of}/incident/{id}", done="published")


@routes.post("/incidents/{of}/maintenance/{id}/{do}", dependencies=GUARDED)
async def clock(v: Somebody, of: str, id: str, do: str) -> Response:  # noqa: A002
    """Begins or ends maintenance now, or takes it back."""
    path = f"statuspage-cmd/v1/statuspage/{of}/maintenance/{id}"
    if do == "delete":
        await v.api.send("DELETE", path)
        return v.goto("/incidents", done="delete")
    await v.api.send("POST", f"{path}/{'start' if do == 'start' else 'end'}")
    return v.goto(f"/incidents/{of}/maintenance/{id}", done="saved")


@routes.post("/incidents/{of}/incident/{id}/delete", dependencies=GUARDED)
async def delete(v: Somebody, of: str, id: str) -> Response:  # noqa: A002
    """Deletes an incident without a trace."""
    await v.api.send("DELETE", f"statuspage-cmd/v1/statuspage/{of}/incident/{id}")
    return v.goto("/incidents", done="delete")


def _affected(form: Posted, kind: str) -> list[Any]:
    """The components that a form names, with what each shows; maintenance names them alone."""
    pairs = [(each, form.one(f"status.{each}")) for each in form.all("component")]
    named = [(each, status) for each, status in pairs if status]
    return [each for each, _ in named] if kind == "maintenance" else [{"id": each, "status": to} for each, to in named]


async def _edit(v: Viewer, of: str, kind: str, form: Shown, affected: list[Any]) -> Response:
    about, components, templates = await asyncio.gather(
        v.api.get(f"statuspage-query/v1/statuspage/{of}"),
        v.api.get(f"statuspage-query/v1/statuspage/{of}/components"),
        v.api.get(f"statuspage-query/v1/statuspage/{of}/templates", limit=100),
    )
    chosen = {each: "maintenance" for each in affected if isinstance(each, str)} | {
        each["id"]: each["status"] for each in affected if isinstance(each, dict)
    }
    return page(
        v,
        "incident_new.html",
        form.status,
        form=form,
        kind=kind,
        about=about,
        components=components["data"],
        templates=templates["data"] if kind == "incident" else [],
        chosen=chosen,
        statuses=AFFECTED,
    )


async def _one(v: Viewer, of: str, kind: str, id_: str, form: Shown | None = None) -> Response:
    noun = "maintenances" if kind == "maintenance" else "incidents"
    it, about, components, told = await asyncio.gather(
        v.api.get(f"statuspage-query/v1/statuspage/{of}/{noun}/{id_}"),
        v.api.get(f"statuspage-query/v1/statuspage/{of}"),
        v.api.get(f"statuspage-query/v1/statuspage/{of}/components"),
        v.api.get(f"statistic-query/v1/statuspage/{of}/notifications", limit=50),
    )
    form = form or Shown.of(_UPDATE, {"status": _next(it), "notify": True})
    return page(
        v,
        "incident.html",
        form.status,
        it=it,
        kind=kind,
        about=about,
        components=components["data"],
        form=form,
        told=told["data"],
        statuses=AFFECTED,
    )


def _next(it: dict[str, Any]) -> str:
    """What an incident's next update most likely says."""
    order = [name for name, _ in STATUSES]
    status = it["status"]
    return order[min(order.index(status) + 1, len(order) - 1)] if status in order else "identified"
