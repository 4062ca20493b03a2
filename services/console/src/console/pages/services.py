"""Services: the folders of monitors, heartbeats and servers, and who is told of what is in them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from console.api import Away, Refused
from console.forms import Field
from console.forms import Form as Shown
from console.render import page
from console.viewer import GUARDED, Form, Somebody, Viewer

routes = APIRouter(include_in_schema=False)

LIMIT = 50
"""Each has its form."""


@routes.get("/services")
async def services(v: Somebody, number: Annotated[int, Query(alias="page")] = 1) -> Response:
    """All of them, each with its form."""
    return await _show(v, number=max(number, 1))


@routes.post("/services")
async def save(v: Somebody, form: Form) -> Response:
    """Makes a service, or changes the one that the form names."""
    id_, number = form.one("id"), int(form.one("page")) if form.one("page").isdecimal() else 1
    channels = await v.api.all("resource-query/v1/channels")
    shown = Shown.posted(_fields([(each["id"], each["name"]) for each in channels]), form)
    path = "resource-cmd/v1/service" + (f"/{id_}" if id_ else "")
    try:
        await v.api.send("PUT" if id_ else "POST", path, shown.body(), "" if id_ else shown.key)
    except (Refused, Away) as error:
        return await _show(v, shown.refused(error), id_, max(number, 1))
    return v.goto("/services", page=number if number > 1 else "", done="saved" if id_ else "made")


@routes.post("/services/{id}/delete", dependencies=GUARDED)
async def delete(v: Somebody, id: str) -> Response:  # noqa: A002
    """Deletes one that is empty."""
    await v.api.send("DELETE", f"resource-cmd/v1/service/{id}")
    return v.goto("/services", done="delete")


def _fields(channels: list[tuple[str, str]]) -> list[Field]:
    return [
        Field("name", "Name", required=True, example="Web shop"),
        Field("channels", "Who is told", "many", "Of all in it that names nobody itself.", channels, []),
    ]


async def _show(v: Viewer, wrong: Shown | None = None, of: str = "", number: int = 1) -> Response:
    found, channels = await asyncio.gather(
        v.api.get("resource-query/v1/services", limit=LIMIT, page=number, sort="name"),
        v.api.all("resource-query/v1/channels"),
    )
    names = {each["id"]: each["name"] for each in channels}
    fields = _fields([*names.items()])
    forms = [(each, wrong if wrong and each["id"] == of else Shown.of(fields, each)) for each in found["data"]]
    new = wrong if wrong and not of else Shown.of(fields)
    return page(
        v,
        "services.html",
        wrong.status if wrong else 200,
        found=found,
        number=number,
        pages=max(1, -(-found["total"] // LIMIT)),
        forms=forms,
        new=new,
        names=names,
        of=of,
    )
