"""Lists of monitors, heartbeats and servers, and what is done to many of them."""

import asyncio
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query
from fastapi.responses import Response

from console.api import Refused
from console.nouns import Noun
from console.pages.picking import names_of
from console.render import page
from console.viewer import Form, Posted, Somebody, Viewer

LIMIT = 50
TYPES = ("http", "tcp", "udp", "icmp", "tls", "smtp", "pop", "imap", "dns")
Many = Annotated[list[str], Query(default_factory=list)]


async def collection(v: Viewer, noun: Noun, asked: dict[str, Any], number: int, picture: str = "") -> Response:
    """A page of a list; what was asked for that is not known is left out."""
    try:
        found, services = await asyncio.gather(
            v.api.get(noun.listed, page=number, limit=LIMIT, **asked),
            v.api.all("resource-query/v1/services"),
        )
    except Refused as refusal:
        if refusal.status != 422:
            raise
        return v.goto(f"/{noun.word}")
    return page(
        v,
        "list.html",
        noun=noun,
        found=found,
        asked=asked,
        filtered=any(value for name, value in asked.items() if name != "sort"),
        number=number,
        pages=max(1, -(-found["total"] // LIMIT)),
        services={each["id"]: each["name"] for each in services},
        types=TYPES if noun.api == "resource" else (),
        picture=picture,
    )


def routes_of(noun: Noun, picture: str = "") -> APIRouter:
    """The list of a noun, and the commands on many of it."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(f"/{noun.word}")
    async def listed(
        v: Somebody,
        state: Many,
        tag: Many,
        type: Many,  # noqa: A002
        service: Many,
        q: str = "",
        sort: str = "",
        page: int = 1,
    ) -> Response:
        asked = {"q": q[:100], "state": state, "tag": tag, "service": service, "sort": sort}
        if noun.api == "resource":
            asked["type"] = type
        return await collection(v, noun, {key: _some(value) for key, value in asked.items()}, max(page, 1), picture)

    @routes.post(f"/{noun.word}/many")
    async def many(v: Somebody, form: Form) -> Response:
        ids, do = form.all("id"), form.one("do")
        if not ids:
            return _back(v, noun, form, "nothing")
        if do in ("delete", "tags", "channels") and not form.has("sure"):
            return await ask(v, noun, do, ids, form)
        if do == "delete" and form.one("typed").strip() != str(len(ids)):
            return await ask(v, noun, do, ids, form, "Type the number to confirm.")
        try:
            await _carry_out(v, noun, do, ids, form)
        except Refused as refusal:
            return await ask(v, noun, do, ids, form, "; ".join(refusal.errors.values()) or refusal.message)
        return _back(v, noun, form, do)

    async def ask(v: Viewer, noun: Noun, do: str, ids: list[str], form: Posted, problem: str = "") -> Response:
        names = await names_of(v, [noun], ids)
        channels = await v.api.all("resource-query/v1/channels") if do == "channels" else []
        return page(
            v,
            "many.html",
            422 if problem else 200,
            noun=noun,
            do=do,
            ids=ids,
            names=[names[id_] for id_ in ids if id_ in names],
            back=form.one("back"),
            problem=problem,
            channels=channels,
        )

    return routes


async def _carry_out(v: Viewer, noun: Noun, do: str, ids: list[str], form: Posted) -> None:
    command = noun.command
    if do in ("pause", "resume"):
        await v.api.send("PUT", command("status"), {"ids": ids, "enabled": do == "resume"})
    elif do == "tags":
        add, remove = form.one("add").split(), form.one("remove").split()
        await v.api.send("PUT", command("tags"), {"ids": ids, "add": add, "remove": remove})
    elif do == "channels":
        channels = form.all("channels") if form.one("channels.whose") == "own" else None
        await v.api.send("PUT", command("channels"), {"ids": ids, "channels": channels})
    elif do == "delete":
        await v.api.send("POST", command("delete"), {"ids": ids})


def _back(v: Viewer, noun: Noun, form: Posted, done: str) -> Response:
    """To the list as it was asked for."""
    asked: dict[str, list[str]] = {}
    for name, value in parse_qsl(form.one("back")):
        if name in ("q", "state", "tag", "type", "service", "sort", "page"):
            asked.setdefault(name, []).append(value)
    return v.goto(f"/{noun.word}", **asked, done=done)


def _some(value: Any) -> Any:
    return [each for each in value if each] if isinstance(value, list) else value
