"""Incidents and maintenance: what status pages tell."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response

from console.api import Away, Refused
from console.forms import Field
from console.forms import Form as Shown
from console.pages.announcing import AFFECTED, MESSAGE, NOTIFY, STATUSES, affected
from console.render import page
from console.viewer import GUARDED, Form, Somebody, Viewer

routes = APIRouter(include_in_schema=False)

PAGES, LIMIT = 20, 30
"""Pages whose incidents are shown together, and how many of each."""
_UPDATE = [Field("status", "Status", "choice", options=STATUSES, default="identified"), MESSAGE, NOTIFY]
_LEARNT = [Field("message", "What was learnt", "area", "Shown on the page below the incident. Empty: nothing.")]


@routes.get("/incidents")
async def incidents(v: Somebody, of: str = "", number: Annotated[int, Query(alias="page")] = 1) -> Response:
    """What is open, what is planned, and what was: the newest of all pages, or all of one page."""
    pages = (await v.api.get("statuspage-query/v1/statuspages"))["data"]
    number = max(number, 1) if of else 1
    wanted = [each for each in pages if each["id"] == of] if of else pages[:PAGES]
    lists = await asyncio.gather(*(_of_page(v, each, number) for each in wanted))
    found = [
        [[it | {"page": each} for it in of_noun["data"]] for of_noun in of_page]
        for each, of_page in zip(wanted, lists, strict=True)
    ]
    told = sorted((each for of, _, _ in found for each in of), key=lambda it: it["occurred_at"], reverse=True)
    planned = sorted((each for _, of, _ in found for each in of), key=lambda it: it["scheduled_for"])
    most = max((each["total"] for of_page in lists for each in of_page), default=0)
    return page(
        v,
        "incidents.html",
        pages=pages,
        shown=len(wanted),
        of=of,
        number=number,
        more=most > LIMIT,
        numbers=-(-most // LIMIT),
        open=[each for each in told if each["status"] != "resolved"],
        over=[each for each in told if each["status"] == "resolved"],
        planned=[each for each in planned if each["status"] in ("scheduled", "in_progress")],
        past=[each for each in planned if each["status"] == "completed"][::-1],
        templates=[each for _, _, of in found for each in of],
    )


async def _of_page(v: Viewer, of: dict[str, Any], number: int) -> list[Any]:
    path = f"statuspage-query/v1/statuspage/{of['id']}"
    nouns = ("incidents", "maintenances", "templates")
    return await asyncio.gather(*(v.api.get(f"{path}/{noun}", page=number, limit=LIMIT) for noun in nouns))


@routes.get("/incidents/{of}/{kind}/{id}")
async def one(v: Somebody, of: str, kind: str, id: str) -> Response:  # noqa: A002
    """An incident or maintenance with what was told of it, and the form to go on."""
    return await _one(v, of, kind, id)


@routes.post("/incidents/{of}/incident/{id}/update")
async def update(v: Somebody, of: str, id: str, form: Form) -> Response:  # noqa: A002
    """Writes an update."""
    shown = Shown.posted(_UPDATE, form)
    body = shown.body() | ({"components": affected(form, "incident")} if form.has("affects") else {})
    try:
        await v.api.send("POST", f"statuspage-cmd/v1/statuspage/{of}/incident/{id}/update", body, shown.key)
    except (Refused, Away) as error:
        return await _one(v, of, "incident", id, shown.refused(error))
    return v.goto(f"/incidents/{of}/incident/{id}", done="published")


@routes.get("/incidents/{of}/incident/{id}/update/{update}")
async def written(v: Somebody, of: str, id: str, update: str) -> Response:  # noqa: A002
    """The form to correct an update."""
    it = await _written(v, of, id, update)
    return await _correct(v, of, it, Shown.of(_UPDATE, it | {"notify": False}))


@routes.post("/incidents/{of}/incident/{id}/update/{update}")
async def correct(v: Somebody, of: str, id: str, update: str, form: Form) -> Response:  # noqa: A002
    """Corrects an update."""
    it, shown = await _written(v, of, id, update), Shown.posted(_UPDATE, form)
    try:
        await v.api.send("PUT", f"statuspage-cmd/v1/statuspage/{of}/incident/{id}/update/{update}", shown.body())
    except (Refused, Away) as error:
        return await _correct(v, of, it, shown.refused(error))
    return v.goto(f"/incidents/{of}/incident/{id}", done="saved")


@routes.post("/incidents/{of}/incident/{id}/update/{update}/delete", dependencies=GUARDED)
async def take_back(v: Somebody, of: str, id: str, update: str) -> Response:  # noqa: A002
    """Deletes an update; without the newest the incident is as it was before."""
    await v.api.send("DELETE", f"statuspage-cmd/v1/statuspage/{of}/incident/{id}/update/{update}")
    return v.goto(f"/incidents/{of}/incident/{id}", done="delete")


@routes.post("/incidents/{of}/incident/{id}/postmortem")
async def learn(v: Somebody, of: str, id: str, form: Form) -> Response:  # noqa: A002
    """Publishes what was learnt of an incident, or takes it back."""
    shown = Shown.posted(_LEARNT, form)
    try:
        await v.api.send("PUT", f"statuspage-cmd/v1/statuspage/{of}/incident/{id}/postmortem", shown.body())
    except (Refused, Away) as error:
        return await _one(v, of, "incident", id, learnt=shown.refused(error))
    return v.goto(f"/incidents/{of}/incident/{id}", done="published" if shown.values["message"] else "saved")


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


async def _written(v: Viewer, of: str, id_: str, update: str) -> dict[str, Any]:
    incident = await v.api.get(f"statuspage-query/v1/statuspage/{of}/incidents/{id_}")
    for each in incident["updates"]:
        if each["id"] == update:
            return dict(each, title=incident["title"])
    raise HTTPException(404)


async def _correct(v: Viewer, of: str, it: dict[str, Any], form: Shown) -> Response:
    return page(v, "update.html", form.status, it=it, of=of, form=form)


async def _one(
    v: Viewer, of: str, kind: str, id_: str, form: Shown | None = None, learnt: Shown | None = None
) -> Response:
    noun = "maintenances" if kind == "maintenance" else "incidents"
    it, about, components, told = await asyncio.gather(
        v.api.get(f"statuspage-query/v1/statuspage/{of}/{noun}/{id_}"),
        v.api.get(f"statuspage-query/v1/statuspage/{of}"),
        v.api.get(f"statuspage-query/v1/statuspage/{of}/components"),
        v.api.get(f"statistic-query/v1/statuspage/{of}/notifications", limit=500),
    )
    form = form or Shown.of(_UPDATE, {"status": _next(it), "notify": True})
    learnt = learnt or Shown.of(_LEARNT, {"message": it.get("postmortem", "")})
    return page(
        v,
        "incident.html",
        max(form.status, learnt.status),
        learnt=learnt,
        it=it,
        kind=kind,
        about=about,
        components=components["data"],
        form=form,
        told=[each for each in told["data"] if each["about"] == id_],
        statuses=AFFECTED,
    )


def _next(it: dict[str, Any]) -> str:
    """What an incident's next update most likely says."""
    order = [name for name, _ in STATUSES]
    status = it.get("status")
    return order[min(order.index(status) + 1, len(order) - 1)] if status in order else "identified"
