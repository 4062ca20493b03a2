"""What is chosen by its name among thousands: an input that suggests what its text fits, and takes an id, too."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from console.api import Refused
from console.nouns import HEARTBEAT, MONITOR, SERVER, Noun
from console.render import page
from console.viewer import Somebody, Viewer

routes = APIRouter(include_in_schema=False)

PARENTS, FOLLOWED = (MONITOR, SERVER), (MONITOR, HEARTBEAT, SERVER)
"""What others may depend on, and what components may follow."""
_ID = re.compile(r"(?:.*\()?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)?", re.IGNORECASE)
_SUGGESTED, _LONGEST, _AT_ONCE = 20, 100, 100


@routes.get("/pick/{of}")
async def suggest(v: Somebody, of: str, request: Request) -> Response:
    """Options for an input that says its text, whatever it is called."""
    nouns = {"parents": PARENTS, "followed": FOLLOWED}.get(of)
    if not nouns:
        raise HTTPException(404)
    text = next(iter(request.query_params.values()), "").strip()[:_LONGEST]
    lists = await asyncio.gather(*(v.api.get(each.listed, q=text, limit=_SUGGESTED, sort="name") for each in nouns))
    found = [(noun, it) for noun, each in zip(nouns, lists, strict=True) for it in each["data"]]
    names = [it["name"] for _, it in found]
    return page(v, "pick.html", found=[(noun, it, names.count(it["name"]) > 1) for noun, it in found])


async def find(v: Viewer, nouns: Sequence[Noun], text: str, field: str) -> tuple[Noun, str]:
    """What has this name, or this id, which may stand in brackets behind a name; and its id.

    Raises:
        Refused: nothing has, or several have.
    """
    if match := _ID.fullmatch(text):
        ones = await asyncio.gather(*(v.api.maybe(each.read(match[1])) for each in nouns))
        found = [(noun, it) for noun, it in zip(nouns, ones, strict=True) if it]
    else:
        lists = await asyncio.gather(*(v.api.all(each.listed, q=text[:_LONGEST]) for each in nouns))
        named = [(noun, it) for noun, each in zip(nouns, lists, strict=True) for it in each]
        same = [each for each in named if _plain(each[1]["name"]) == _plain(text)]
        found = same or [each for each in named if _plain(each[1]["name"]).casefold() == _plain(text).casefold()]
    if not found:
        raise Refused(422, "", {field: v.t("Nothing is called {text}.", text=text)})
    if len(found) > 1:
        ids = ", ".join(it["id"] for _, it in found[:10])
        raise Refused(422, "", {field: v.t("Several are called {text}: name one of {ids}.", text=text, ids=ids)})
    noun, it = found[0]
    return noun, it["id"]


async def names_of(v: Viewer, nouns: Sequence[Noun], ids: Iterable[str]) -> dict[str, str]:
    """The names of some that there are, by id."""
    wanted = [*dict.fromkeys(ids)]
    parts = [wanted[begin : begin + _AT_ONCE] for begin in range(0, len(wanted), _AT_ONCE)]
    lists: list[Any] = await asyncio.gather(
        *(v.api.get(noun.listed, id=part, limit=_AT_ONCE) for noun in nouns for part in parts)
    )
    return {it["id"]: it["name"] for each in lists for it in each["data"]}


def _plain(text: str) -> str:
    return " ".join(text.split())
