"""Pings: contract B.5; `ping_fast_path.py` serves those of known checks before FastAPI, with the same code."""

import re
from typing import Annotated, NamedTuple
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from data_gateway.ping_intake import HeartbeatEntry, PingIntake, origin
from pinghome_common.dialects import problems
from pinghome_common.dialects.healthchecks import DialectError
from pinghome_common.errors import DomainError, NotFound
from pinghome_common.events.ping import Kind
from pinghome_common.settings import LARGEST_PING_BODY

routes = APIRouter(tags=["Healthchecks"], redirect_slashes=False)

_FORM = re.compile(
    r"/ping/(?:(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|(?P<key>[^/]{22})/(?P<slug>[A-Za-z0-9_-]{1,100}))"
    r"(?:/(?P<what>start|fail|log|[0-9]+))?/?",
    re.ASCII,
)
_RID = re.compile(rb"rid=([0-9a-fA-F]{8})-([0-9a-fA-F]{4})-([0-9a-fA-F]{4})-([0-9a-fA-F]{4})-([0-9a-fA-F]{12})")
_KINDS = {None: Kind.success, "start": Kind.run, "fail": Kind.fail, "log": Kind.log}


ANSWERS = problems.of_pings() | {
    200: {"content": {"text/plain": {"example": "OK"}}},
    201: {"description": "`create=1` has created the check", "content": {"text/plain": {"example": "Created"}}},
}


class Asked(NamedTuple):
    """A parsed ping URL; `id` or else `key` and `slug`."""

    id: str | None
    key: str
    slug: str
    kind: Kind
    exit_status: int | None


def read(path: str) -> Asked | None:
    """Parses a ping's path; None when it is not one.

    Raises:
        DialectError: an exit status above 255, or a slug in upper case.
    """
    found = _FORM.fullmatch(path)
    if found is None:
        return None
    id_, key, slug, what = found.groups()
    if slug and slug.lower() != slug:
        raise DialectError(400, "invalid url format")
    kind = _KINDS.get(what)
    if kind is not None:
        return Asked(id_, key, slug, kind, None)
    if len(what) > 10 or int(what) > 255:
        raise DialectError(400, "invalid url format")
    return Asked(id_, key, slug, Kind.fail if int(what) else Kind.success, int(what))


def run_id(query: bytes) -> bytes:
    """`rid` as UUID bytes, empty when there is none.

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


async def sent(receive: Receive, limit: int) -> bytes:
    """The first `limit` bytes of a body, unchanged.

    Raises:
        ClientDisconnect: the body ended early.
    """
    body, more = bytearray(), True
    while more:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        more = message.get("more_body", False)
        if len(body) < limit:
            body += message.get("body", b"")
    return bytes(body[:limit])


async def take(
    intake: PingIntake, entry: HeartbeatEntry, asked: Asked, run: bytes, scope: Scope, receive: Receive, limit: int
) -> None:
    """Returns when the ping is durable.

    Raises:
        Unavailable: it could not be stored.
    """
    method = scope["method"]
    body = await sent(receive, limit or LARGEST_PING_BODY) if _has_body(scope) else b""
    kind = Kind.ign if entry.post_only and method != "POST" else asked.kind
    await intake.keep(entry, method, kind, *origin(scope), body=body, run_id=run, exit_status=asked.exit_status)


def headers(limit: int) -> dict[str, str]:
    """The headers of every answer."""
    always = {"Access-Control-Allow-Origin": "*", "Cache-Control": "max-age=0, no-cache, no-store, must-revalidate"}
    return {"Ping-Body-Limit": str(limit), **always} if limit else always


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

    The body is kept up to `Ping-Body-Limit` bytes. 200 `OK` means that the ping is on disk; any method will do.
    """
    intake: PingIntake = request.app.state.intake
    limit = request.app.state.settings.ping_body_limit
    try:
        asked = read(request.scope["path"])
        if asked is None:
            raise NotFound("not found")
        entry = await _find(intake, asked)
        run, made = run_id(request.scope["query_string"]), entry is None and create == "1"
        if made:
            entry = await intake.create(asked.key, asked.slug)
        if entry is None:
            raise NotFound("not found")
        await take(intake, entry, asked, run, request.scope, request.receive, limit)
    except DomainError as error:
        words = "not found" if error.status == 404 else error.message
        wait = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
        return Response(words, error.status, headers(limit) | wait, "text/plain")
    words, status = ("Created", 201) if made else ("OK", 200)
    return Response(words, status, headers(limit), "text/plain")


async def _find(intake: PingIntake, asked: Asked) -> HeartbeatEntry | None:
    return await (intake.find(asked.id) if asked.id else intake.find_by_slug(asked.key, asked.slug))
