"""Pings: contract B.5; `ping_fast_path.py` uses this code for pings of known checks."""

import re
from typing import Annotated, NamedTuple
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.types import Receive, Scope

from data_gateway.api.body import read_body
from data_gateway.ping_intake import HeartbeatEntry, PingIntake, origin
from pinghome_common.dialects import problems
from pinghome_common.dialects.healthchecks import DialectError
from pinghome_common.errors import DomainError, NotFound
from pinghome_common.events.ping import Kind
from pinghome_common.settings import LARGEST_PING_BODY

routes = APIRouter(tags=["Healthchecks"], redirect_slashes=False)

_FORM = re.compile(
    r"/ping/(?:(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|(?P<key>[^/]{22})/(?P<slug>[A-Za-z0-9_-]{1,100}))"
    r"(?:/(?P<action>start|fail|log|[0-9]+))?/?",
    re.ASCII,
)
_RID = re.compile(rb"rid=([0-9a-fA-F]{8})-([0-9a-fA-F]{4})-([0-9a-fA-F]{4})-([0-9a-fA-F]{4})-([0-9a-fA-F]{12})")
_KINDS = {None: Kind.success, "start": Kind.run, "fail": Kind.fail, "log": Kind.log}


ANSWERS = problems.of_pings() | {
    200: {"content": {"text/plain": {"example": "OK"}}},
    201: {"description": "`create=1` has created the check", "content": {"text/plain": {"example": "Created"}}},
}


class Target(NamedTuple):
    """A parsed ping URL, with `id` or else `key` and `slug`."""

    id: str | None
    key: str
    slug: str
    kind: Kind
    exit_status: int | None


def parse(path: str) -> Target | None:
    """Parses the path of a ping; None if it is not one.

    Raises:
        DialectError: an exit status above 255, or a slug in upper case.
    """
    found = _FORM.fullmatch(path)
    if found is None:
        return None
    id_, key, slug, action = found.groups()
    if slug and slug.lower() != slug:
        raise DialectError(400, "invalid url format")
    kind = _KINDS.get(action)
    if kind is not None:
        return Target(id_, key, slug, kind, None)
    if len(action) > 10 or int(action) > 255:
        raise DialectError(400, "invalid url format")
    return Target(id_, key, slug, Kind.fail if int(action) else Kind.success, int(action))


def run_id(query: bytes) -> bytes:
    """The parameter `rid` as UUID bytes; empty if there is none.

    Raises:
        DialectError: it is not a UUID.
    """
    if not query:
        return b""
    if plain := _RID.fullmatch(query):
        return bytes.fromhex(b"".join(plain.groups()).decode())
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name == "rid":
            try:
                return UUID(value).bytes
            except ValueError:
                raise DialectError(400, "invalid uuid format") from None
    return b""


def _has_body(scope: Scope) -> bool:
    names = dict(scope["headers"])
    return b"content-length" in names or b"transfer-encoding" in names


async def accept(
    intake: PingIntake, entry: HeartbeatEntry, target: Target, run: bytes, scope: Scope, receive: Receive, limit: int
) -> None:
    """Accepts a ping; returns when it is durable.

    Raises:
        Unavailable: it could not be stored.
    """
    method = scope["method"]
    body = await read_body(receive, limit or LARGEST_PING_BODY) if _has_body(scope) else b""
    kind = Kind.ign if entry.post_only and method != "POST" else target.kind
    await intake.store(entry, method, kind, *origin(scope), body=body, run_id=run, exit_status=target.exit_status)


def headers(limit: int) -> dict[str, str]:
    """The headers of every answer."""
    common = {"Access-Control-Allow-Origin": "*", "Cache-Control": "max-age=0, no-cache, no-store, must-revalidate"}
    return {"Ping-Body-Limit": str(limit), **common} if limit else common


@routes.get("/ping/{rest:path}", response_class=PlainTextResponse, responses=ANSWERS)
@routes.post("/ping/{rest:path}", response_class=PlainTextResponse, responses=ANSWERS)
@routes.api_route("/ping/{rest:path}", methods=["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"], include_in_schema=False)
async def ping(
    request: Request,
    rest: Annotated[str, Path(examples=["f618072a-7bde-4eee-af63-71a77c5723bc/start"])],  # noqa: ARG001  # for the page
    rid: Annotated[str | None, Query(description="the run's id, a UUID")] = None,  # noqa: ARG001  # for the page
    create: Annotated[str | None, Query(description="1 creates the check if the slug does not exist")] = None,
) -> Response:
    """Records a ping: `/ping/<uuid>` or `/ping/<ping key>/<slug>`, then `/start`, `/fail`, `/log` or an exit status.

    The first `Ping-Body-Limit` bytes of the body are kept. 200 `OK` means that the ping is on disk. Any method works.
    """
    intake: PingIntake = request.app.state.intake
    limit = request.app.state.settings.ping_body_limit
    try:
        target = parse(request.scope["path"])
        if target is None:
            raise NotFound("not found")
        entry = await _find(intake, target)
        run, created = run_id(request.scope["query_string"]), entry is None and create == "1"
        if created:
            entry = await intake.create(target.key, target.slug)
        if entry is None:
            raise NotFound("not found")
        await accept(intake, entry, target, run, request.scope, request.receive, limit)
    except DomainError as error:
        text = "not found" if error.status == 404 else error.message
        wait = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        return Response(text, error.status, headers(limit) | wait, "text/plain")
    text, status = ("Created", 201) if created else ("OK", 200)
    return Response(text, status, headers(limit), "text/plain")


async def _find(intake: PingIntake, target: Target) -> HeartbeatEntry | None:
    return await (intake.find(target.id) if target.id else intake.find_by_slug(target.key, target.slug))
