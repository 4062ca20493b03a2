"""Badges: contract B11 and B.7, healthchecks-v1-2022.txt line 880."""

import re
from dataclasses import asdict
from urllib.parse import quote, unquote
from uuid import UUID

from fastapi import APIRouter, Request, Response

from pinghome_common.clock import micros, now
from pinghome_common.dialects.healthchecks import DialectError, Router, answer, headers, site
from pinghome_common.dialects.healthchecks_documents import View, shows
from resource_query.api.healthchecks.listing import lines
from resource_query.badge import ALL, FORMATS, SHIELDS, Signer, overall, svg
from resource_query.checks import Checks, owner
from resource_query.query import NAME, Checking

routes = Router()
images = APIRouter(include_in_schema=False)

SITE = "Pinghome"
"""What the badge of all checks says that they are."""

_NAME = re.compile(r"(?P<sign>[\w-]{8})[\w-]*?(?P<two>-2)?(?:/(?P<tag>[^/]+))?\.(?P<format>svg|json|shields)", re.ASCII)

_BACKUP = "https://ping.terra-home.de/badge/67541b37-8b9c-4d17-b952-690eae/LOegDs5M"
_EXAMPLE = {
    f"{form}{states or ''}": f"{_BACKUP}{'' if states else '-2'}/backup.{form}"
    for form in FORMATS
    for states in ("", 3)
}


@routes.get("/badges/", responses=shows({"badges": {"backup": _EXAMPLE}}))
async def collection(request: Request, checking: Checking) -> Response:
    """The addresses of the project's badges, of each tag and of all checks (B11)."""
    signer: Signer = request.app.state.signer
    assert checking.caller.service  # noqa: S101  # as every such key has
    key = signer.key(checking.caller.service)
    found = {tag: _urls(f"{site(request)}/badge/{key}", signer.sign(key, tag), tag)
             for tag in dict.fromkeys([*await checking.checks.tags(), ALL])}  # fmt: skip
    return answer(request, {"badges": found})


def _urls(start: str, sign: str, tag: str) -> dict[str, str]:
    # Quoted twice, as they do: a slash in a tag survives whatever lies in between.
    path = "" if tag == ALL else "/" + quote(quote(tag, safe=""), safe="")
    return {
        f"{form}{states}": f"{start}/{sign}{two}{path}.{form}"
        for form in FORMATS
        for states, two in (("", "-2"), ("3", ""))
    }


@images.api_route("/badge/{key}/{name:path}", methods=["GET", "HEAD"])
async def image(request: Request, key: str, name: str) -> Response:
    """A badge; whoever has its address may see it (B.7)."""
    signer: Signer = request.app.state.signer
    parts, service = _NAME.fullmatch(name), signer.service(key)
    tag = unquote(parts["tag"]) if parts and parts["tag"] else ALL
    if parts is None or service is None or not signer.signed(key, tag, parts["sign"]):
        raise DialectError(404)
    found = overall(await _statuses(request, service, tag), two_states=bool(parts["two"]))
    label = SITE if tag == ALL else tag
    if parts["format"] == "svg":
        made = Response(svg(label, found.status), headers=headers(request), media_type="image/svg+xml")
    elif parts["format"] == "json":
        made = answer(request, asdict(found))
    else:
        shields = {"schemaVersion": 1, "label": label, "message": found.status, "color": SHIELDS[found.status]}
        made = answer(request, shields)
    made.headers["Cache-Control"] = "no-cache, max-age=0"
    return made


async def _statuses(request: Request, service: UUID, tag: str) -> list[str]:
    await request.app.state.progress.reached(NAME, "TELEMETRY")
    async with request.app.state.db.connection() as connection:
        organisation = await owner(connection, service)
        if organisation is None:
            raise DialectError(404)
        checks = Checks(connection, organisation, service)
        found = await lines(request, checks, [] if tag == ALL else [tag])
    seen = View("", 1, micros(now()), read_only=True)
    return [seen.status(own, stored, expected, begun) for own, stored, expected, _, begun, _, _ in found]
