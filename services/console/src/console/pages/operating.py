"""What operators look after: regions, keys, the audit log, health."""

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.responses import Response

from console.api import Away, Refused
from console.forms import Field
from console.forms import Form as Shown
from console.render import page
from console.viewer import GUARDED, Form, Somebody, Viewer

routes = APIRouter(include_in_schema=False)

KINDS = (
    ("bearer", "API token"),
    ("checks", "Key of checks"),
    ("ping", "Ping key"),
    ("status", "Token of a status page"),
)
SCOPES = (("write", "Read and write"), ("read", "Read only"))
EVENTS = 50
LOGS = ("resource-query", "statuspage-query")
"""Each of these has the log of its own stream."""
BY = ("key", "session", "command line", "worker")


@routes.get("/regions")
async def regions(v: Somebody) -> Response:
    """Where probes are made."""
    found = await v.api.get("resource-query/v1/regions")
    return page(v, "regions.html", regions=found["data"])


@routes.get("/keys")
async def keys(v: Somebody) -> Response:
    """The keys of the organisation, and the form for another one."""
    return await _keys(v)


@routes.post("/keys")
async def make(v: Somebody, form: Form) -> Response:
    """Makes a key, which is shown once."""
    shown = Shown.posted(await _key_fields(v), form)
    body = {name: value for name, value in shown.body().items() if value}
    try:
        made = await v.api.send("POST", "resource-cmd/v1/key", body, shown.key)
    except (Refused, Away) as error:
        return await _keys(v, shown.refused(error))
    return page(v, "key.html", made=made, name=shown.values["name"])


@routes.post("/keys/{id}/delete", dependencies=GUARDED)
async def revoke(v: Somebody, id: str) -> Response:  # noqa: A002
    """Revokes a key."""
    await v.api.send("DELETE", f"resource-cmd/v1/key/{id}")
    return v.goto("/keys", done="revoked")


async def _key_fields(v: Viewer) -> Sequence[Field]:
    all_services, all_pages = await asyncio.gather(
        v.api.all("resource-query/v1/services"), v.api.get("statuspage-query/v1/statuspages")
    )
    services, pages = ([(each["id"], each["name"]) for each in found] for found in (all_services, all_pages["data"]))
    return [
        Field("name", "Name", hint="Who or what uses it.", required=True, example="Terraform"),
        Field("kind", "Kind", "choice", options=KINDS, default="bearer"),
        Field("scope", "May", "choice", options=SCOPES, default="write"),
        Field("service_id", "Service", "optional", "Of keys of checks and pings.", services, None),
        Field("page", "Status page", "optional", "Of a token of a status page.", pages, None),
    ]


async def _keys(v: Viewer, wrong: Shown | None = None) -> Response:
    keys = await v.api.all("resource-query/v1/keys")
    form = wrong or Shown.of(await _key_fields(v))
    return page(
        v,
        "keys.html",
        wrong.status if wrong else 200,
        keys=keys,
        form=form,
        kinds=dict(KINDS),
        services=dict(form.fields[3].options),
        own=v.caller.get("key", {}).get("id"),
    )


@routes.get("/audit")
async def audit(v: Somebody, before: str = "", pages: str = "", by: str = "") -> Response:
    """Who changed what, newest first; `before` and `pages` are where each of the two logs goes on."""
    asked, cursors = {"by": by if by in BY else "", "limit": EVENTS}, (before, pages)
    both = await asyncio.gather(
        *(
            v.api.get(f"{service}/v1/events", **asked, before=cursor if cursor.isdigit() else "")
            for service, cursor in zip(LOGS, cursors, strict=True)
        )
    )
    events = [(place, each) for place, of in enumerate(both) for each in of["data"]]
    events.sort(key=lambda it: str(it[1]["at"]), reverse=True)
    shown = events[:EVENTS]
    last = dict(enumerate(cursors)) | {place: str(each["id"]) for place, each in shown}
    more = len(events) > EVENTS or any(len(of["data"]) == EVENTS for of in both)
    older = v.url("/audit", before=last[0], pages=last[1], by=by) if more else ""
    first = not before and not pages
    return page(v, "audit.html", events=[each for _, each in shown], older=older, first=first, by=by, who=BY)


@routes.get("/health")
async def health(v: Somebody) -> Response:
    """How the platform itself is: for the operator, all; for others, regions."""
    if not v.operator:
        found = await v.api.get("resource-query/v1/regions")
        return page(v, "health.html", it=None, regions=found["data"])
    it, found = await asyncio.gather(v.api.get("resource-query/v1/health"), v.api.get("resource-query/v1/regions"))
    return page(v, "health.html", it=it, regions=found["data"])
