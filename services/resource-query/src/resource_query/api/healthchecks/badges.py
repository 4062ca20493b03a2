"""Badges: contract B11 and B.7, healthchecks-v1-2022.txt line 880."""

import re
from dataclasses import asdict
from urllib.parse import quote, unquote
from uuid import UUID

from fastapi import APIRouter, Request, Response

from pinghome_common.clock import micros, now
from pinghome_common.dialects.healthchecks import DialectError, Router, answer, headers, site
from pinghome_common.dialects.healthchecks_documents import CheckRenderer, shows
from resource_query.api.healthchecks.badge_image import SHIELDS_COLORS, overall, svg
from resource_query.api.healthchecks.badge_keys import Signer
from resource_query.api.healthchecks.dependencies import Querying
from resource_query.api.healthchecks.listing import list_checks
from resource_query.project import NAME
from resource_query.service_heartbeats import ServiceHeartbeats, organisation_of

routes = Router()
images = APIRouter(include_in_schema=False)

ALL = "*"
"""The pseudo tag of all checks."""

ALL_LABEL = "Pinghome"
"""The label of the badge for all checks."""

FORMATS = ("svg", "json", "shields")

_NAME = re.compile(
    r"(?P<signature>[\w-]{8})[\w-]*?(?P<two>-2)?(?:/(?P<tag>[^/]+))?\.(?P<format>svg|json|shields)", re.ASCII
)

_BACKUP = "https://ping.terra-home.de/badge/67541b37-8b9c-4d17-b952-690eae/LOegDs5M"
_EXAMPLE = {
    f"{form}{states or ''}": f"{_BACKUP}{'' if states else '-2'}/backup.{form}"
    for form in FORMATS
    for states in ("", 3)
}


@routes.get("/badges/", responses=shows({"badges": {"backup": _EXAMPLE}}))
async def collection(request: Request, query: Querying) -> Response:
    """The URLs of the project's badges: one set for each tag and one for all checks (B11)."""
    signer: Signer = request.app.state.signer
    assert query.caller.service  # noqa: S101  # every key of this dialect belongs to a service
    key = signer.key(query.caller.service)
    found = {tag: _urls(f"{site(request)}/badge/{key}", signer.sign(key, tag), tag)
             for tag in dict.fromkeys([*await query.heartbeats.tags(), ALL])}  # fmt: skip
    return answer(request, {"badges": found})


def _urls(base: str, signature: str, tag: str) -> dict[str, str]:
    # Quoted twice, as Healthchecks does: a slash in a tag survives any proxy.
    path = "" if tag == ALL else "/" + quote(quote(tag, safe=""), safe="")
    return {
        f"{form}{states}": f"{base}/{signature}{two}{path}.{form}"
        for form in FORMATS
        for states, two in (("", "-2"), ("3", ""))
    }


@images.api_route("/badge/{key}/{name:path}", methods=["GET", "HEAD"])
async def image(request: Request, key: str, name: str) -> Response:
    """A badge; its URL is all that is needed to see it (B.7)."""
    signer: Signer = request.app.state.signer
    parts, service = _NAME.fullmatch(name), signer.service(key)
    tag = unquote(parts["tag"]) if parts and parts["tag"] else ALL
    if parts is None or service is None or not signer.verify(key, tag, parts["signature"]):
        raise DialectError(404)
    found = overall(await _statuses(request, service, tag), two_states=bool(parts["two"]))
    label = ALL_LABEL if tag == ALL else tag
    if parts["format"] == "svg":
        response = Response(svg(label, found.status), headers=headers(request), media_type="image/svg+xml")
    elif parts["format"] == "json":
        response = answer(request, asdict(found))
    else:
        shields = {"schemaVersion": 1, "label": label, "message": found.status, "color": SHIELDS_COLORS[found.status]}
        response = answer(request, shields)
    response.headers["Cache-Control"] = "no-cache, max-age=0"
    return response


async def _statuses(request: Request, service: UUID, tag: str) -> list[str]:
    await request.app.state.progress.reached(NAME, "TELEMETRY")
    async with request.app.state.db.connection() as connection:
        organisation = await organisation_of(connection, service)
        if organisation is None:
            raise DialectError(404)
        heartbeats = ServiceHeartbeats(connection, organisation, service)
        found = await list_checks(request, heartbeats, [] if tag == ALL else [tag])
    renderer = CheckRenderer("", 1, micros(now()), read_only=True)
    return [renderer.status(settings, stored, expected, start) for settings, stored, expected, _, start, _, _ in found]
