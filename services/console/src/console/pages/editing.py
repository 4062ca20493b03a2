"""Making, changing, pausing and deleting one monitor, heartbeat or server."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from console.api import Away, Refused
from console.forms import Field
from console.forms import Form as Shown
from console.nouns import Noun
from console.pages.deleting import delete_named
from console.pages.picking import PARENTS, find, names_of
from console.render import page
from console.viewer import MASK, Form, Somebody, Viewer

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Choices:
    """What a form lets choose from."""

    services: Sequence[tuple[str, str]]
    channels: Sequence[tuple[str, str]]
    regions: Sequence[tuple[str, str]]
    parents: Sequence[tuple[str, str]]

    @classmethod
    async def of(cls, v: Viewer, document: Document | None = None) -> "Choices":
        """Of an organisation, and what something depends on already."""
        parent = (document or {}).get("parent_id")
        services, channels, regions, parents = await asyncio.gather(
            v.api.all("resource-query/v1/services"),
            v.api.all("resource-query/v1/channels"),
            v.api.get("resource-query/v1/regions"),
            names_of(v, PARENTS, [parent] if parent else []),
        )
        return cls(
            [(each["id"], each["name"]) for each in services],
            [(each["id"], each["name"]) for each in channels],
            [(each["region"], each["region"]) for each in regions["data"]],
            [*parents.items()],
        )

    def common(self) -> list[Field]:
        """The fields that monitors, heartbeats and servers have in common."""
        return [
            Field("tags", "Tags", "words", "Words to find it by.", default=[], example="production web"),
            Field("channels", "Who is told", "channels", options=self.channels, default=None),
            Field("service_id", "Service", "choice", "What it belongs to.", self.services, _first(self.services)),
        ]

    def parent(self) -> Field:
        """The field of what monitors and servers depend on."""
        about = "A monitor or a server; while that is down, nobody is told of this one."
        return Field("parent_id", "Depends on", "pick", about, self.parents, None, more=True)


@dataclass(frozen=True)
class Editor:
    """What a noun adds to making and changing one.

    Attributes:
        fields: of its form; `of` is its type, where it has one, else empty.
        after: where to go with what was made, and which fields are shown once.
        trial: what a dry run of a form says.
    """

    noun: Noun
    fields: Callable[[Choices, Document | None, str], Sequence[Field]]
    types: Sequence[tuple[str, str]] = ()
    trial: Callable[[Viewer, dict[str, Any]], Awaitable[Any]] | None = None
    shown_once: str = ""


def routes_of(editor: Editor) -> APIRouter:
    """The pages of a noun that change one."""
    routes = APIRouter(include_in_schema=False)
    _make(routes, editor)
    _change(routes, editor)
    return routes


def _show(
    v: Viewer,
    editor: Editor,
    form: Shown,
    of: str,
    document: Document | None,
    trial: Any = None,
    *,
    tried: bool = False,
) -> Response:
    return page(
        v,
        "edit.html",
        form.status,
        noun=editor.noun,
        form=form,
        of=of,
        document=document,
        types=editor.types,
        trial=trial,
        tried=tried,
        tries=editor.trial is not None,
    )


def _make(routes: APIRouter, editor: Editor) -> None:
    noun, known = editor.noun, [name for name, _ in editor.types] or [""]

    @routes.get(f"/{noun.word}/new")
    async def new(v: Somebody, type: str = "", copy: str = "") -> Response:  # noqa: A002
        original = await v.api.get(noun.read(copy)) if copy else None
        of = original.get("type", "") if original else type
        of = of if of in known else known[0]
        fields = editor.fields(await Choices.of(v, original), None, of)
        given = _copied(original, v.t("Copy of {name}", name=original["name"])) if original else None
        return _show(v, editor, Shown.of(fields, given), of, None)

    @routes.post(f"/{noun.word}/new")
    async def make(v: Somebody, form: Form) -> Response:
        of = form.one("type") if form.one("type") in known else known[0]
        shown = Shown.posted(editor.fields(await Choices.of(v), None, of), form)
        try:
            body = await _body(v, shown, None) | ({"type": of} if of else {})
            if editor.trial and form.one("do") == "try":
                return _show(v, editor, shown, of, None, await editor.trial(v, body))
            made = await v.api.send("POST", noun.command(), body, shown.key)
        except (Refused, Away) as error:
            return _show(v, editor, shown.refused(error), of, None, tried=form.one("do") == "try")
        if editor.shown_once and editor.shown_once in made:
            return page(v, "once.html", noun=noun, id=made["id"], name=shown.values["name"], made=made)
        return v.goto(f"/{noun.word}/{made['id']}", done="made")


def _change(routes: APIRouter, editor: Editor) -> None:
    noun = editor.noun

    @routes.get(f"/{noun.word}/{{id}}/edit")
    async def edit(v: Somebody, id: str) -> Response:  # noqa: A002
        document = await v.api.get(noun.read(id))
        choices, of = await Choices.of(v, document), document.get("type", "")
        return _show(v, editor, Shown.of(editor.fields(choices, document, of), document), of, document)

    @routes.post(f"/{noun.word}/{{id}}/edit")
    async def change(v: Somebody, id: str, form: Form) -> Response:  # noqa: A002
        document = await v.api.get(noun.read(id))
        choices, of = await Choices.of(v, document), document.get("type", "")
        shown = Shown.posted(editor.fields(choices, document, of), form)
        try:
            body = await _body(v, shown, document)
            if editor.trial and form.one("do") == "try":
                trial = await editor.trial(v, body | {"type": of, "id": id})
                return _show(v, editor, shown, of, document, trial)
            await v.api.send("PUT", noun.command(id), body)
        except (Refused, Away) as error:
            return _show(v, editor, shown.refused(error), of, document, tried=form.one("do") == "try")
        return v.goto(f"/{noun.word}/{id}", done="saved")

    @routes.post(f"/{noun.word}/{{id}}/status")
    async def status(v: Somebody, id: str, form: Form) -> Response:  # noqa: A002
        enabled = form.one("enabled") == "yes"
        await v.api.send("PUT", noun.command("status"), {"ids": [id], "enabled": enabled})
        return v.goto(f"/{noun.word}/{id}", done="resume" if enabled else "pause")

    @routes.post(f"/{noun.word}/{{id}}/delete")
    async def delete(v: Somebody, id: str, form: Form) -> Response:  # noqa: A002
        command = "POST", noun.command("delete"), {"ids": [id]}
        return await delete_named(v, form, f"/{noun.word}/{id}", noun.read(id), *command)


async def _body(v: Viewer, shown: Shown, document: Document | None) -> dict[str, Any]:
    """What the API is sent: what one depends on by its id, whatever was typed."""
    body = shown.body()
    parent = body.get("parent_id")
    if parent and parent != (document or {}).get("parent_id"):
        _, body["parent_id"] = await find(v, PARENTS, parent, "parent_id")
    return body


def _first(options: Sequence[tuple[str, str]]) -> str:
    return options[0][0] if options else ""


def _copied(document: Document, name: str) -> dict[str, Any]:
    """What a copy has of another one: all but its secrets."""
    headers = {key: "" if value == MASK else value for key, value in document.get("headers", {}).items()}
    body = "" if document.get("body") == MASK else document.get("body", "")
    return {**document, "name": name[:255], "headers": headers, "body": body}
