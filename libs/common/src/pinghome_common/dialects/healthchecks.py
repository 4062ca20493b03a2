"""Healthchecks' dialect (contract B): API keys, CORS, errors and path formats."""

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
from pinghome_common.dialects.paths import also_head, in_versions, with_or_without_slash
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
"""The methods that each path allows, in all services (contract B.0)."""


class DialectError(DomainError):
    """An error in Healthchecks' dialect; without a message the body is empty."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status = status


def check_not_found(*, elsewhere: bool) -> DialectError:
    """The error for a check that the caller does not have: 403 if it exists `elsewhere`, else 404 (contract B.0)."""
    return DialectError(403) if elsewhere else DialectError(404, "Check not found")


def invalid(message: str) -> DialectError:
    """An invalid field (contract B.3)."""
    return DialectError(400, f"json validation error: {message}")


class Router(APIRouter):
    """Routes for each API version, with and without a trailing slash; GET routes also answer HEAD."""

    def __init__(self) -> None:
        super().__init__(tags=["Healthchecks"], redirect_slashes=False)

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Registers `/checks/…` as `/api/v1|v2|v3/checks/…`; the OpenAPI page shows version 1 only."""
        methods = options.pop("methods") or ["GET"]
        responses = problems.of_healthchecks(methods) | (options.pop("responses", None) or {})
        super().add_api_route(f"/api/v1{path}", endpoint, methods=methods, responses=responses, **options)
        in_versions(self.routes[-1], "123")
        with_or_without_slash(self.routes[-1])
        if "GET" in methods:
            also_head(self)


async def sent(request: Request) -> dict[str, Any]:
    """The JSON object in a body of any content type; an empty body is an empty object.

    Lone surrogates are refused here; NUL, which PostgreSQL cannot store, is refused per field.

    Raises:
        DialectError: the body is not a JSON object.
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
    """The caller, by the header `X-Api-Key`, or without it by `api_key` in the body.

    Args:
        request: the request.
        document: its body.
        read: whether a read-only key is enough.

    Raises:
        DialectError: 401, with the message of contract B.0.
        Unavailable: the service has just started and does not know the keys yet.
        WrongTokensError: too many wrong keys came from this address recently.
    """
    header = request.headers.get("x-api-key")
    key = str((document or {}).get("api_key", "")) if header is None else header
    if len(key) != 32:
        raise DialectError(401, "missing api key")
    found: Caller | None = request.app.state.directory.authenticated(Kind.checks, key)
    if found is None:
        request.app.state.wrong_tokens.count(request.scope["client"])
    if found is None or (found.scope is Scope.read and not read):
        raise DialectError(401, "wrong api key")
    return found


def identified(text: str) -> UUID:
    """Parses a check's id in a path: lower case, with dashes.

    Raises:
        DialectError: 404, it is not an id.
    """
    if not re.fullmatch(_ID, text):
        raise DialectError(404)
    return UUID(text)


def named(text: str) -> UUID | str:
    """Parses a check's id or unique key in a path.

    Raises:
        DialectError: 404, it is neither.
    """
    return text if re.fullmatch(_KEY, text) else identified(text)


def answer(request: Request, body: Any, status: int = 200) -> Response:
    """A JSON answer with the common headers; a `body` of text or bytes is JSON already."""
    content = body if isinstance(body, (str, bytes)) else encode(body)
    return Response(content, status, headers(request), "application/json")


def plain(request: Request, body: str | bytes, status: int = 200) -> Response:
    """A plain text answer, with a header against content sniffing."""
    own = {"Content-Type": "text/plain", "X-Content-Type-Options": "nosniff"}
    return Response(body, status, headers(request) | own)


def render(request: Request, error: Exception) -> Response:
    """Renders an error as Healthchecks does; also answers CORS preflight requests and methods not allowed."""
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
    """The CORS headers of every answer (contract B.0)."""
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
    """The public URL: `PINGHOME_URL`, else the scheme and host of the request."""
    public: str = request.app.state.settings.public_url
    return public or f"{request.url.scheme}://{request.url.netloc}"


def version_of(request: Request) -> int:
    """The API version in the path: 1, 2 or 3."""
    return int(request.scope["path"][len("/api/v")])


def moment(value: int | datetime | None, *, precise: bool = False) -> str | None:
    """ISO 8601 in UTC with `+00:00`, from UNIX microseconds or a time; to the second unless `precise`."""
    if value is None:
        return None
    at = from_micros(value) if isinstance(value, int) else value
    return (at if precise else at.replace(microsecond=0)).isoformat()
