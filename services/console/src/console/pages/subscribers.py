"""Who is told of a status page, and addresses that were confirmed elsewhere."""

import asyncio
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from console.api import Away, Refused
from console.forms import Field
from console.forms import Form as Shown
from console.render import page
from console.viewer import Form, Somebody, Viewer

routes = APIRouter(include_in_schema=False)

LIMIT = 50


@routes.get("/statuspages/{id}/subscribers")
async def subscribers(v: Somebody, id: str, page: int = 1) -> Response:  # noqa: A002
    """The subscribers of a page."""
    return await _show(v, id, max(page, 1))


@routes.post("/statuspages/{id}/subscribers")
async def bring(v: Somebody, id: str, form: Form) -> Response:  # noqa: A002
    """Subscribes addresses."""
    components = (await v.api.get(f"statuspage-query/v1/statuspage/{id}/components"))["data"]
    shown = Shown.posted(_fields(components), form)
    try:
        path = f"statuspage-cmd/v1/statuspage/{id}/subscriptions"
        made = await v.api.send("POST", path, shown.body(), shown.key)
    except (Refused, Away) as error:
        return await _show(v, id, 1, shown.refused(error))
    return v.goto(f"/statuspages/{id}/subscribers", done="brought", count=made["created"])


def _fields(components: list[dict[str, Any]]) -> list[Field]:
    options = [(each["id"], each["name"]) for each in components]
    about = "One in each line. They are subscribed at once, and nobody is mailed: bring only who has agreed."
    return [
        Field("addresses", "Mail addresses", "lines", about, default=[], required=True, example="ada@example.com"),
        Field("components", "Only of", "many", "Nothing chosen: of all.", options, [], more=True),
    ]


async def _show(v: Viewer, id_: str, number: int, wrong: Shown | None = None) -> Response:
    path = f"statuspage-query/v1/statuspage/{id_}"
    it, components, found = await asyncio.gather(
        v.api.get(path), v.api.get(f"{path}/components"), v.api.get(f"{path}/subscriptions", page=number, limit=LIMIT)
    )
    return page(
        v,
        "subscribers.html",
        wrong.status if wrong else 200,
        it=it,
        found=found,
        number=number,
        pages=max(1, -(-found["total"] // LIMIT)),
        form=wrong or Shown.of(_fields(components["data"])),
    )
