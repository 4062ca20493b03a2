"""Healthchecks' words (contract B): API keys, CORS, errors, and what a check looks like; the routes are elsewhere."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from pinghome_common.clock import from_micros
from pinghome_common.errors import DomainError
from pinghome_common.events.heartbeat import Heartbeat, Status, due, status_at
from pinghome_common.events.key import Kind, Scope
from pinghome_common.known import Caller

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = r"[A-z0-9]{40}"
VIEWS = {
    re.compile(rf"/api/v[123]/checks/{path}/?"): verbs
    for path, verbs in {
        "": ("GET", "POST"),
        _ID: ("GET", "POST", "DELETE"),
        _KEY: ("GET",),
        f"{_ID}/(?:pause|resume)": ("POST",),
        rf"{_ID}/pings(?:/\d+/body)?": ("GET",),
        f"(?:{_ID}|{_KEY})/flips": ("GET",),
    }.items()
} | {re.compile(r"/api/v[123]/(?:channels|badges|status)/?|/badge/.+"): ("GET",)}
"""Which verbs each path takes, in whichever service they are answered (contract B.0)."""


class Refused(DomainError):
    """A refusal in Healthchecks' words; without any the body is empty."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status = status


def invalid(message: str) -> Refused:
    """A field that is not what it must be (contract B.3)."""
    return Refused(400, f"json validation error: {message}")


class Router(APIRouter):
    """Routes that answer below each version, with and without a trailing slash, GET also as HEAD."""

    def __init__(self) -> None:
        super().__init__(tags=["Healthchecks"], redirect_slashes=False)

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Registers `/checks/…` as `/api/v1|v2|v3/checks/…`; the OpenAPI page shows version 1."""
        methods = {*(options.pop("methods") or ("GET",))}
        methods |= {"HEAD"} if "GET" in methods else set()
        bare = path.rstrip("/")
        for version in (1, 2, 3):
            for full in (f"/api/v{version}{bare}/", f"/api/v{version}{bare}"):
                seen = version == 1 and full.removeprefix("/api/v1") == path
                super().add_api_route(
                    full, endpoint, **{**options, "methods": methods - {"HEAD"}, "include_in_schema": seen}
                )
                if "HEAD" in methods:
                    super().add_api_route(
                        full, endpoint, **{**options, "methods": {"HEAD"}, "include_in_schema": False}
                    )


async def sent(request: Request) -> dict[str, Any]:
    """The JSON object of a body, whatever its content type says; an empty body is an empty object.

    Raises:
        Refused: it is none.
    """
    body = await request.body()
    try:
        document = from_json(body) if body.strip() else {}
    except ValueError:
        raise Refused(400, "could not parse request body") from None
    if not isinstance(document, dict):
        raise invalid("value is not an object")
    return document


def authorize(request: Request, document: dict[str, Any] | None = None, *, read: bool = False) -> Caller:
    """Who is calling, by the header `X-Api-Key`, or without it by `api_key` in the body.

    `read`: a read-only key will do.

    Raises:
        Refused: 401, in the words of contract B.0.
    """
    header = request.headers.get("x-api-key")
    key = str((document or {}).get("api_key", "")) if header is None else header
    if len(key) != 32:
        raise Refused(401, "missing api key")
    found: Caller | None = request.app.state.known.caller(Kind.checks, key)
    if found is None or (found.scope is Scope.read and not read):
        raise Refused(401, "wrong api key")
    return found


def identified(text: str) -> UUID:
    """A check's id as paths have it: lower case, with dashes.

    Raises:
        Refused: 404.
    """
    if not re.fullmatch(_ID, text):
        raise Refused(404)
    return UUID(text)


def answer(request: Request, body: Any, status: int = 200) -> Response:
    """A JSON answer with the headers that all have."""
    return Response(encode(body), status, _headers(request), "application/json")


def plain(request: Request, body: bytes) -> Response:
    """Bytes as they came, which no browser takes for anything but text."""
    headers = {"Content-Type": "text/plain", "X-Content-Type-Options": "nosniff"}
    return Response(body, 200, _headers(request) | headers)


def render(request: Request, error: Exception) -> Response:
    """An error as Healthchecks says it; verbs that a path does not take, and the preflight of those that it does."""
    path, headers = request.scope["path"], _headers(request)
    if isinstance(error, HTTPException):
        known = any(view.fullmatch(path) for view in VIEWS)
        status = error.status_code if not known else 204 if request.method == "OPTIONS" else 405
        return Response(status_code=status, headers=headers)
    if isinstance(error, DomainError):
        retry = {"Retry-After": "1"} if error.status == 503 else {}
        if not error.message or error.status == 403:
            return Response(status_code=error.status, headers=headers)
        return Response(encode({"error": error.message}), error.status, headers | retry, "application/json")
    return Response(encode({"error": "something went wrong on our side"}), 500, headers, "application/json")


def _headers(request: Request) -> dict[str, str]:
    path = request.scope["path"]
    verbs = next((verbs for view, verbs in VIEWS.items() if view.fullmatch(path)), ())
    return {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "X-Api-Key",
        "Access-Control-Allow-Methods": ", ".join((*verbs, "OPTIONS")),
        "Access-Control-Max-Age": "600",
    }


encode = msgspec.json.Encoder().encode


def site(request: Request) -> str:
    """The address under which clients see all of this: `PINGHOME_URL`, else scheme and host of the request."""
    public: str = request.app.state.settings.public_url
    return public or f"{request.url.scheme}://{request.url.netloc}"


def version_of(request: Request) -> int:
    """1, 2 or 3, from the path."""
    return int(request.scope["path"][len("/api/v")])


def unique_key(id_: UUID) -> str:
    """What a read-only key may know of an id: SHA-1 of its first 16 hex digits (contract B.2)."""
    return hashlib.sha1(id_.hex[:16].encode(), usedforsecurity=False).hexdigest()


def moment(value: int | datetime | None, *, precise: bool = False) -> str | None:
    """ISO 8601 in UTC with `+00:00`, from UNIX microseconds or a time; to the second unless `precise`."""
    if value is None:
        return None
    at = from_micros(value) if isinstance(value, int) else value
    return (at if precise else at.replace(microsecond=0)).isoformat()


def status(it: Heartbeat, now: int, version: int) -> str:
    """new, up, grace, down, paused; version 1 also says started (contract B.4)."""
    found = status_at(it, it.vitals, now)
    running = it.vitals.last_start is not None and now < it.vitals.last_start + it.run_limit * 1_000_000
    return "started" if version == 1 and running else found


def next_ping(it: Heartbeat) -> int | None:
    """When the next ping is expected, in UNIX microseconds: of a run under way its start."""
    expected = due(it, it.vitals)
    if it.vitals.last_start is None or it.vitals.status is Status.down:
        return expected
    return it.vitals.last_start if expected is None else min(expected, it.vitals.last_start)


def check(it: Heartbeat, site: str, now: int, version: int, *, read_only: bool) -> dict[str, Any]:
    """A check as a document (contract B.2); `now` is UNIX microseconds."""
    vitals = it.vitals
    document: dict[str, Any] = {
        "name": it.name,
        "slug": it.slug,
        "tags": it.tags,
        "desc": it.desc,
        "grace": it.grace,
        "n_pings": vitals.n_pings,
        "status": status(it, now, version),
        "started": vitals.last_start is not None,
        "last_ping": moment(vitals.last_ping),
        "next_ping": moment(next_ping(it)),
        "manual_resume": it.manual_resume,
        "methods": "POST" if it.methods == ["POST"] else "",
        "subject": it.subject,
        "subject_fail": it.subject_fail,
    }
    if vitals.last_duration is not None:
        document["last_duration"] = int(vitals.last_duration)
    if read_only:
        document["unique_key"] = unique_key(it.id)
    else:
        update = f"{site}/api/v{version}/checks/{it.id}"
        document |= {
            "uuid": it.id,
            "ping_url": f"{site}/ping/{it.id}",
            "update_url": update,
            "pause_url": f"{update}/pause",
            "resume_url": f"{update}/resume",
            "channels": ",".join(sorted(map(str, it.channels or []))),
        }
    return document | ({"schedule": it.schedule, "tz": it.tz} if it.schedule else {"timeout": it.period})
