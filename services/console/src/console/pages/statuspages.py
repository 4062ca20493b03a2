"""Status pages: their components, look, address and subscribers."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

from console.api import Away, Refused
from console.forms import Field, picked
from console.forms import Form as Shown
from console.pages.deleting import delete_named
from console.pages.picking import FOLLOWED, find, names_of
from console.render import page
from console.viewer import Form, Posted, Somebody, Viewer

routes = APIRouter(include_in_schema=False)

SHOWN = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
"""What a page that is looked at here may do: nothing."""
TYPES = (("public", "Everybody"), ("private", "Who has the password or an allowed address"))
LANGUAGES = (("auto", "The visitor's"), ("en", "English"), ("de", "Deutsch"))
THEMES = (("auto", "The visitor's"), ("light", "Light"), ("dark", "Dark"))
ROBOTS = tuple((each, each) for each in ("noindex", "nofollow", "noarchive", "nosnippet", "noimageindex", "none"))
BY_HAND = ("operational", "degraded", "partial-outage", "offline", "maintenance")
"""What a component may be said to be; one that follows something does so while it is said to be operational."""
_FOLLOWED = re.compile(r"(resource|heartbeat|server-resource)/([0-9a-f-]{36})")
PICTURES = {"logo": "Logo", "favicon": "Icon"}


def fields() -> Sequence[Field]:
    """The form of a page, without its components."""
    return [
        Field("name", "Name", required=True, example="Acme"),
        Field("description", "Description", "area", "What the page says of itself while all is well."),
        Field("subdomain", "Address", hint="Below the platform's status address.", required=True, example="acme"),
        Field("type", "Who may see it", "choice", options=TYPES, default="public"),
        Field("password", "Password", "secret", "Of a private page. Leave it empty to keep the one that there is."),
        Field(
            "ip_addresses", "Allowed addresses", "lines", "One in each line; of a private page.", default=[], more=True
        ),
        Field(
            "domain",
            "Your own domain",
            hint="What the DNS must say is shown once it is saved.",
            example="status.example.com",
        ),
        Field("accent_color", "Colour", "color", example="#3056d3"),
        Field("theme", "Theme", "choice", options=THEMES, default="auto"),
        Field("language", "Language", "choice", options=LANGUAGES, default="auto"),
        Field("timezone", "Time zone", "zone", default="UTC", example="Europe/Berlin"),
        Field("subscription_enabled", "People may subscribe", "flag", default=True),
        Field("auto_incidents", "Outages open incidents by themselves", "flag", default=False),
        Field(
            "auto_incident_delay",
            "After",
            "number",
            "How long an outage lasts before it opens an incident.",
            default=180,
            unit="seconds",
            least=0,
            more=True,
        ),
        Field("notify_edits", "Subscribers hear of corrections", "flag", default=False, more=True),
        Field("failing_first", "What fails is shown first", "flag", default=False, more=True),
        Field("page_name", "Title", hint="In the browser's tab. Empty: the name.", more=True),
        Field("website_url", "Website", "web", more=True),
        Field("support_url", "Support", "web", more=True),
        Field("privacy_url", "Privacy", "web", more=True),
        Field("redirect_to_https", "Always by https", "flag", default=False, more=True),
        Field("robots_meta_contents", "Search engines", "many", options=ROBOTS, default=[], more=True),
        Field("ga_tracking", "Google Analytics", example="G-XXXXXXXXXX", more=True),
        Field("remove_branding", "Without the line about Pinghome", "flag", default=False, more=True),
    ]


@routes.get("/statuspages")
async def statuspages(v: Somebody) -> Response:
    """All pages of the organisation."""
    pages = (await v.api.get("statuspage-query/v1/statuspages"))["data"]
    return page(v, "statuspages.html", pages=pages)


@routes.get("/statuspages/new")
async def new(v: Somebody) -> Response:
    """The form of a new page."""
    return await _show(v, Shown.of(fields()), None, [])


@routes.post("/statuspages/new")
async def make(v: Somebody, form: Form) -> Response:
    """Makes a page."""
    shown, components = Shown.posted(fields(), form), _components(form)
    try:
        await _found(v, components)
        body = shown.body() | _grouped(components, {"components": [], "groups": []})
        made = await v.api.send("POST", "statuspage-cmd/v1/statuspage", body, shown.key)
    except (Refused, Away) as error:
        return await _show(v, shown.refused(error), None, components)
    return v.goto(f"/statuspages/{made['id']}", done="made")


@routes.get("/statuspages/{id}")
async def statuspage(v: Somebody, id: str) -> Response:  # noqa: A002
    """A page with all of its settings."""
    it = await v.api.get(f"statuspage-query/v1/statuspage/{id}/unified")
    return await _show(v, _form(it), it, _arranged(it))


@routes.post("/statuspages/{id}")
async def change(v: Somebody, id: str, form: Form) -> Response:  # noqa: A002
    """Changes a page, its components and their order."""
    it = await v.api.get(f"statuspage-query/v1/statuspage/{id}/unified")
    shown, rows = Shown.posted(fields(), form), _components(form)
    try:
        await _found(v, rows)
        body = shown.body() | _grouped(rows, it)
        body |= {"update_password": True} if "password" in body else {}
        await v.api.send("PUT", f"statuspage-cmd/v1/statuspage/{id}", body)
    except (Refused, Away) as error:
        return await _show(v, shown.refused(error), it, rows)
    return v.goto(f"/statuspages/{id}", done="saved")


@routes.post("/statuspages/{id}/status")
async def status(v: Somebody, id: str, form: Form) -> Response:  # noqa: A002
    """Shows a page to the public, or does not."""
    await v.api.send("PUT", f"statuspage-cmd/v1/statuspage/{id}/status", {"enabled": form.one("enabled") == "yes"})
    return v.goto(f"/statuspages/{id}", done="saved")


@routes.post("/statuspages/{id}/delete")
async def delete(v: Somebody, id: str, form: Form) -> Response:  # noqa: A002
    """Deletes a page with all that is on it."""
    path = f"v1/statuspage/{id}"
    of = f"/statuspages/{id}"
    return await delete_named(v, form, of, f"statuspage-query/{path}", "DELETE", f"statuspage-cmd/{path}")


@routes.get("/statuspages/{id}/preview")
async def preview(v: Somebody, id: str) -> Response:  # noqa: A002
    """The saved page, also while it is not shown; nothing in it may run here."""
    raw, kind = await v.api.raw(f"statuspage-query/v1/statuspage/{id}/preview")
    return Response(raw, media_type=kind, headers={"Content-Security-Policy": SHOWN})


@routes.post("/statuspages/{id}/{kind}")
async def picture(v: Somebody, id: str, kind: str, form: Form) -> Response:  # noqa: A002
    """Uploads the logo or the icon, or takes it away; the platform draws it anew before anybody sees it."""
    if kind not in PICTURES:
        raise HTTPException(404)
    path = f"statuspage-cmd/v1/statuspage/{id}"
    try:
        if form.one("do") == "remove":
            await v.api.send("PUT", path, {kind: ""})
        else:
            await v.api.upload(f"{path}/{kind}", form.file("picture"))
    except Refused as refusal:
        it = await v.api.get(f"statuspage-query/v1/statuspage/{id}/unified")
        shown = _form(it)
        shown.message = "; ".join(refusal.errors.values()) or refusal.message
        return await _show(v, shown, it, _arranged(it))
    return v.goto(f"/statuspages/{id}", done="saved")


def _follows(component: Mapping[str, Any]) -> str:
    return f"{component['type']}/{component['resource_id']}" if component["resource_id"] else ""


def _form(it: Mapping[str, Any]) -> Shown:
    return Shown.of(fields(), {**it, "theme": it["theme"]["theme"]})


def _arranged(it: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The components in one list; `group` is the name of that of each, empty for none."""
    grouped = [each | {"group": group["name"]} for group in it["groups"] for each in group["components"]]
    return [each | {"group": ""} for each in it["components"]] + grouped


def _components(form: Posted) -> list[dict[str, Any]]:
    """The components of a form in the order of their places; those without a name are left out."""
    rows = []
    for place, row in enumerate(form.all("row")):
        name, follows = form.one(f"name.{row}").strip(), picked(f"follows.{row}", form)
        if not name or form.has(f"remove.{row}"):
            continue
        order, status = form.one(f"place.{row}"), form.one(f"status.{row}")
        rows.append(
            (
                int(order) if order.isdigit() else place,
                {
                    "id": form.one(f"id.{row}") or None,
                    "name": name,
                    "description": form.one(f"description.{row}").strip(),
                    **({"status": status} if status in BY_HAND else {}),
                    "follows": follows or "",
                    "showcased": form.has(f"showcased.{row}"),
                    "group": form.one(f"group.{row}").strip(),
                },
            )
        )
    return [row for _, row in sorted(rows, key=lambda each: each[0])]


async def _found(v: Viewer, rows: Sequence[dict[str, Any]]) -> None:
    """Puts what each component follows in place of what was typed."""
    for row in rows:
        type_, id_ = "manual", None
        if known := _FOLLOWED.fullmatch(row["follows"]):
            type_, id_ = known.groups()
        elif row["follows"]:
            noun, id_ = await find(v, FOLLOWED, row["follows"], "components")
            type_ = noun.api
        row |= {"type": type_, "resource_id": id_}


def _grouped(rows: Sequence[dict[str, Any]], it: Mapping[str, Any]) -> dict[str, Any]:
    """Components and groups as the API takes them; a group that there is stays what it is."""
    known = {each["name"]: {"id": each["id"], "description": each["description"]} for each in it["groups"]}
    by_hand = {each["id"]: {"status": each["manual_status"]} for each in _arranged(it) if each["manual_status"]}
    names = list(dict.fromkeys(each["group"] for each in rows if each["group"]))
    bare = [
        (by_hand.get(each["id"], {}) | {key: each[key] for key in each.keys() - {"group", "follows"}}, each["group"])
        for each in rows
    ]
    return {
        "components": [each for each, group in bare if not group],
        "groups": [
            {"name": name, "components": [each for each, group in bare if group == name]} | known.get(name, {})
            for name in names
        ],
    }


async def _show(v: Viewer, form: Shown, it: Any, components: Sequence[Any]) -> Response:
    async def cname() -> Any:
        return await v.api.maybe(f"statuspage-query/v1/domain/{it['domain']}/cname") if it and it["domain"] else None

    follows = [each["follows"] if "follows" in each else _follows(each) for each in components]
    known = [_FOLLOWED.fullmatch(each) for each in follows]
    names, dns = await asyncio.gather(names_of(v, FOLLOWED, [each[2] for each in known if each]), cname())
    rows = [
        {**row, "follows": text, "followed": names.get(each[2], each[2]) if each else ""}
        for row, text, each in zip(components, follows, known, strict=True)
    ]
    return page(
        v,
        "statuspage.html",
        form.status,
        it=it,
        form=form,
        components=rows,
        dns=dns,
        pictures=PICTURES,
        statuses=BY_HAND,
    )
