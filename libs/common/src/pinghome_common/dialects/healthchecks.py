"""Healthchecks' dialect (contract B): API keys, CORS, errors and path formats; the routes are elsewhere."""

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
from pinghome_common.dialects import problems
from pinghome_common.directory import Caller
from pinghome_common.errors import DomainError
from pinghome_common.events.key import Kind, Scope

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = r"[A-z0-9]{40}"
VIEWS = {
    re.compile(rf"/api/v[123]/checks{path}/?", re.ASCII): verbs
    for path, verbs in {
        "": ("GET", "POST"),
        f"/{_ID}": ("GET", "POST", "DELETE"),
        f"/{_KEY}": ("GET",),
        f"/{_ID}/(?:pause|resume)": ("POST",),
        rf"/{_ID}/pings(?:/\d+/body)?": ("GET",),
        f"/(?:{_ID}|{_KEY})/flips": ("GET",),
    }.items()
} | {re.compile(r"/api/v[123]/(?:channels|badges|status)/?|/badge/.+"): ("GET",)}
"""Which methods each path allows, whichever service answers them (contract B.0)."""


class DialectError(DomainError):
    """An error in Healthchecks' dialect; without a message the body is empty."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status = status


def invalid(message: str) -> DialectError:
    """An invalid field (contract B.3)."""
    return DialectError(400, f"json validation error: {message}")


class Router(APIRouter):
    """Routes that answer below each version, with and without a trailing slash, GET also as HEAD."""

    def __init__(self) -> None:
        super().__init__(tags=["Healthchecks"], redirect_slashes=False)

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Registers `/checks/…` as `/api/v1|v2|v3/checks/…`; the OpenAPI page shows version 1."""
        methods = {*(options.pop("methods") or ("GET",))}
        methods |= {"HEAD"} if "GET" in methods else set()
        bare = path.rstrip("/")
        options["responses"] = problems.of_healthchecks(methods) | (options.get("responses") or {})
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
    """The JSON object in a body, regardless of its content type; an empty body is an empty object.

    A lone surrogate is not valid JSON here; the character NUL, which PostgreSQL cannot store, is refused per field.

    Raises:
        DialectError: it is not a JSON object.
    """
    body = await request.body()
    try:
        document = from_json(body) if body.strip() else {}
    except ValueError:
        raise DialectError(400, "could not parse request body") from None
    if not isinstance(document, dict):
        raise invalid("value is not an object")
    return document


def authorize(request: Request, document: dict[str, Any] | None = None, *, read: bool = False) -> Caller:
    """Who is calling, by the header `X-Api-Key`, or without it by `api_key` in the body.

    `read`: a read-only key is enough.

    Raises:
        DialectError: 401, with the message of contract B.0.
        WrongTokensError: too many wrong keys came from this address recently.
    """
    header = request.headers.get("x-api-key")
    key = str((document or {}).get("api_key", "")) if header is None else header
    if len(key) != 32:
        raise DialectError(401, "missing api key")
    found: Caller | None = request.app.state.directory.caller(Kind.checks, key)
    if found is None:
        request.app.state.wrong_tokens.count(request.scope["client"])
    if found is None or (found.scope is Scope.read and not read):
        raise DialectError(401, "wrong api key")
    return found


def identified(text: str) -> UUID:
    """A check's id as paths have it: lower case, with dashes.

    Raises:
        DialectError: 404.
    """
    if not re.fullmatch(_ID, text):
        raise DialectError(404)
    return UUID(text)


def named(text: str) -> UUID | str:
    """The same, or a unique key.

    Raises:
        DialectError: 404.
    """
    return text if re.fullmatch(_KEY, text) else identified(text)


def answer(request: Request, body: Any, status: int = 200) -> Response:
    """A JSON answer with the common headers; `body` may already be JSON."""
    content = body if isinstance(body, (str, bytes)) else encode(body)
    return Response(content, status, headers(request), "application/json")


def plain(request: Request, body: str | bytes, status: int = 200) -> Response:
    """Plain text, or unchanged bytes, which no browser interprets as anything but text."""
    own = {"Content-Type": "text/plain", "X-Content-Type-Options": "nosniff"}
    return Response(body, status, headers(request) | own)


def render(request: Request, error: Exception) -> Response:
    """Renders an error in Healthchecks' form, methods that a path does not allow, and CORS preflight requests."""
    status, message = 500, "something went wrong on our side"
    if isinstance(error, HTTPException):
        status, message = error.status_code, ""
    elif isinstance(error, DomainError):
        status, message = 400 if error.status == 422 else error.status, error.message
    cors, verbs = headers(request), _verbs(request)
    if status in (404, 405) and verbs and request.method not in (*verbs, "HEAD"):
        return Response(status_code=204 if request.method == "OPTIONS" else 405, headers=cors)
    if not message or status == 403:
        return Response(status_code=status, headers=cors)
    wait = error.retry_after if isinstance(error, DomainError) else 0
    retry = {"Retry-After": str(wait)} if wait else {}
    return Response(encode({"error": message}), status, cors | retry, "application/json")


def headers(request: Request) -> dict[str, str]:
    """The headers of every answer: CORS for the methods of its path (contract B.0)."""
    return {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "X-Api-Key",
        "Access-Control-Allow-Methods": ", ".join((*_verbs(request), "OPTIONS")),
        "Access-Control-Max-Age": "600",
    }


def _verbs(request: Request) -> tuple[str, ...]:
    path = request.scope["path"]
    return next((verbs for view, verbs in VIEWS.items() if view.fullmatch(path)), ())


encode = msgspec.json.Encoder().encode


def site(request: Request) -> str:
    """The address under which clients see all of this: `PINGHOME_URL`, else scheme and host of the request."""
    public: str = request.app.state.settings.public_url
    return public or f"{request.url.scheme}://{request.url.netloc}"


def version_of(request: Request) -> int:
    """1, 2 or 3, from the path."""
    return int(request.scope["path"][len("/api/v")])


def moment(value: int | datetime | None, *, precise: bool = False) -> str | None:
    """ISO 8601 in UTC with `+00:00`, from UNIX microseconds or a time; to the second unless `precise`."""
    if value is None:
        return None
    at = from_micros(value) if isinstance(value, int) else value
    return (at if precise else at.replace(microsecond=0)).isoformat()
