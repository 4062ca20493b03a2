"""What else follows a monitor: reminders of expiry, and systems outside."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from console.api import Away, Refused
from console.forms import Field
from console.forms import Form as Shown
from console.pages.announcing import STATUSES
from console.render import page
from console.viewer import GUARDED, Form, Somebody, Viewer

routes = APIRouter(include_in_schema=False)

TYPES = (("statuspageIo", "Atlassian Statuspage"), ("webhook", "Webhook"), ("slack", "Slack"), ("email", "E-mail"))
_DAYS = "Days before, such as 1 7 30. Empty: none."
REMINDERS = (
    Field("ssl", "Before the certificate expires", "days", _DAYS, default=[], example="1 7 14"),
    Field("tld", "Before the domain expires", "days", _DAYS, default=[], example="7 30"),
)


def fields(of: str, *, new: bool) -> list[Field]:
    """The form of a type."""
    if of == "statuspageIo":
        where = Field("integration", "Page", hint="Its id at Atlassian.", required=True, example="r276xxt51c23")
        more = [
            Field("items", "Components", "lines", "Their ids there, one in each line.", default=[]),
            Field("status", "Status", "optional", "Of the incident that is opened.", STATUSES, None),
            Field("message", "Message", "area", "Empty: what has happened."),
            Field("token", "API token", "secret", "Leave it empty to keep the one that there is."),
        ]
    elif of == "email":
        where = Field("integration", "Mail address", required=True, example="oncall@example.com")
        more = []
    else:
        where = Field(
            "integration", "Address", "web", required=True, example="https://hooks.example.com/pinghome", secret=True
        )
        hint = "Leave it empty to have one made, or to keep the one that there is."
        more = [Field("token", "Secret", "secret", hint)] if of == "webhook" else []
    name = Field("name", "Name", hint="Of what is opened or sent there.", required=True, example="Web shop")
    return [name, *([where] if new else []), *more]


@routes.get("/monitors/{id}/outside")
async def outside(v: Somebody, id: str) -> Response:  # noqa: A002
    """Reminders and integrations of a monitor."""
    return await _show(v, id)


@routes.post("/monitors/{id}/outside")
async def remind(v: Somebody, id: str, form: Form) -> Response:  # noqa: A002
    """Sets its reminders, or takes them away."""
    shown = Shown.posted(REMINDERS, form)
    before = await _reminders(v, id)
    for name, days in shown.values.items():
        if days == before[name]:
            continue
        method = "DELETE" if not days else "PUT" if before[name] else "POST"
        body = {"days_before": days} if days else None
        try:
            await v.api.send(method, f"resource-cmd/v1/resource/{id}/{name}/reminder", body)
        except (Refused, Away) as error:
            if isinstance(error, Refused):
                error.errors = {name: "; ".join(error.errors.values()) or error.message}
            return await _show(v, id, shown.refused(error))
    return v.goto(f"/monitors/{id}/outside", done="saved")


@routes.get("/monitors/{id}/outside/new")
async def new(v: Somebody, id: str, type: str = "") -> Response:  # noqa: A002
    """The form of a new integration."""
    of = type if type in dict(TYPES) else TYPES[0][0]
    return await _edit(v, id, Shown.of(fields(of, new=True)), of, None)


@routes.post("/monitors/{id}/outside/new")
async def make(v: Somebody, id: str, form: Form) -> Response:  # noqa: A002
    """Makes an integration; a webhook's secret that was made with it is shown once."""
    of = form.one("type") if form.one("type") in dict(TYPES) else TYPES[0][0]
    shown = Shown.posted(fields(of, new=True), form)
    try:
        made = await v.api.send(
            "POST", f"resource-cmd/v1/resource/{id}/integration", _body(shown) | {"type": of}, shown.key
        )
    except (Refused, Away) as error:
        return await _edit(v, id, shown.refused(error), of, None)
    it = made["integration"]
    if of == "webhook" and not shown.values["token"]:
        return page(v, "secret.html", it=it, secret=it["token"], back=f"/monitors/{id}/outside")
    return v.goto(f"/monitors/{id}/outside", done="made")


@routes.get("/monitors/{id}/outside/{key}")
async def integration(v: Somebody, id: str, key: str) -> Response:  # noqa: A002
    """The form to change an integration."""
    it = await _integration(v, id, key)
    return await _edit(v, id, Shown.of(fields(it["type"], new=False), it), it["type"], it)


@routes.post("/monitors/{id}/outside/{key}")
async def change(v: Somebody, id: str, key: str, form: Form) -> Response:  # noqa: A002
    """Changes an integration."""
    it = await _integration(v, id, key)
    shown = Shown.posted(fields(it["type"], new=False), form)
    try:
        await v.api.send("PUT", f"resource-cmd/v1/resource/{id}/integration/{key}", _body(shown))
    except (Refused, Away) as error:
        return await _edit(v, id, shown.refused(error), it["type"], it)
    return v.goto(f"/monitors/{id}/outside", done="saved")


@routes.post("/monitors/{id}/outside/{key}/delete", dependencies=GUARDED)
async def delete(v: Somebody, id: str, key: str) -> Response:  # noqa: A002
    """Ends an integration."""
    await v.api.send("DELETE", f"resource-cmd/v1/resource/{id}/integration/{key}")
    return v.goto(f"/monitors/{id}/outside", done="delete")


def _body(shown: Shown) -> dict[str, Any]:
    return {name: "" if value is None else value for name, value in shown.body().items()}


async def _integrations(v: Viewer, id_: str) -> Sequence[Any]:
    return (await v.api.get(f"resource-query/v1/resource/{id_}/integrations"))["data"]  # type: ignore[no-any-return]


async def _integration(v: Viewer, id_: str, key: str) -> Any:
    found = [each for each in await _integrations(v, id_) if each["id"] == key]
    if not found:
        raise HTTPException(404)
    return found[0]


async def _reminders(v: Viewer, id_: str) -> dict[str, list[int]]:
    names = [each.name for each in REMINDERS]
    found = await asyncio.gather(*(v.api.maybe(f"resource-query/v1/resource/{id_}/{name}/reminder") for name in names))
    return {name: each["days_before"] if each else [] for name, each in zip(names, found, strict=True)}


async def _show(v: Viewer, id_: str, wrong: Shown | None = None) -> Response:
    it, reminders, integrations = await asyncio.gather(
        v.api.get(f"resource-query/v1/resource/{id_}"), _reminders(v, id_), _integrations(v, id_)
    )
    form = wrong or Shown.of(REMINDERS, reminders)
    return page(v, "outside.html", form.status, it=it, form=form, integrations=integrations, types=dict(TYPES))


async def _edit(v: Viewer, id_: str, form: Shown, of: str, it: Any) -> Response:
    monitor = await v.api.get(f"resource-query/v1/resource/{id_}")
    return page(v, "integration.html", form.status, monitor=monitor, form=form, of=of, types=TYPES, it=it)
