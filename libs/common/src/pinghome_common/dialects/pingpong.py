"""PingPong's dialect (contract C.1): tokens, errors and ids; see also `pingpong_paths` and `pingpong_fields`."""

import string
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from pinghome_common.dialects import problems
from pinghome_common.dialects.paths import also_head
from pinghome_common.dialects.pingpong_paths import BASE, verbs
from pinghome_common.directory import Caller
from pinghome_common.errors import DomainError, Invalid, NotFound, PermissionDenied, TooMany, Unauthorized
from pinghome_common.events import key


class Router(APIRouter):
    """Routes below `/rest/v1`; GET routes also answer HEAD. Aliases are the middleware's."""

    def __init__(self, base: str = BASE, tags: list[str | Any] | None = None) -> None:
        super().__init__(tags=tags or ["PingPong"], redirect_slashes=False)
        self._base = base

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Registers a path, and documents its errors and its token in OpenAPI."""
        methods = options.pop("methods") or ["GET"]
        keyed = self._base == BASE
        responses = problems.of_pingpong(methods, keyed=keyed) | (options.pop("responses", None) or {})
        if keyed:
            options["openapi_extra"] = SECURITY | (options.get("openapi_extra") or {})
        for method in methods:  # one route each, so that OpenAPI has a name for each
            super().add_api_route(self._base + path, endpoint, methods=[method], responses=responses, **options)
            if method == "GET":
                also_head(self)


SECURITY = {
    "parameters": [
        {
            "name": "Authorization",
            "in": "header",
            "required": True,
            "description": "a status page's token",
            "schema": {"type": "string", "pattern": "^Token [A-Za-z0-9]+$"},
            "example": "Token 5c10213ag542d5738bbeaabbe12f35ef9c89f537",
        }
    ]
}
"""How OpenAPI shows the token; its own way of doing so knows no scheme `Token`."""


class Bad(DomainError):
    """Input that is not valid; `errors` are as Django REST Framework nests them, by field."""

    def __init__(self, errors: dict[str, Any]) -> None:
        super().__init__("invalid")
        self.errors = errors


class ParseError(DomainError):
    """A body that is not JSON."""


async def sent(request: Request) -> dict[str, Any]:
    """The JSON object in a body of any content type; an empty body is an empty object.

    Raises:
        ParseError: the body is not JSON.
        Bad: it is no object.
    """
    return document_of(await request.body())


def document_of(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; raises as `sent`."""
    try:
        document = from_json(body, allow_inf_nan=False) if body.strip() else {}
    except ValueError as error:
        raise ParseError(f"JSON parse error - {error}") from None
    if not isinstance(document, dict):
        kind = "NoneType" if document is None else type(document).__name__
        raise Bad({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
    return document


def authorize(request: Request) -> Caller:
    """The caller, by the header `Authorization: Token …`; its `page` is the page that it is for.

    Raises:
        Unauthorized: 401, with the message of contract C.1.
        PermissionDenied: a read-only token on a write.
        Unavailable: the service has just started and does not know the keys yet.
        WrongTokensError: too many wrong tokens came from this address recently.
    """
    words = request.headers.get("authorization", "").split()
    if not words or words[0].lower() != "token":
        raise Unauthorized("Authentication credentials were not provided.")
    if len(words) == 1:
        raise Unauthorized("Invalid token header. No credentials provided.")
    if len(words) > 2:
        raise Unauthorized("Invalid token header. Token string should not contain spaces.")
    found: Caller | None = request.app.state.directory.authenticated(key.Kind.status, words[1])
    if found is None or found.page is None:
        request.app.state.wrong_tokens.count(request.scope["client"])
        raise Unauthorized("Invalid token.")
    if found.scope is key.Scope.read and request.method not in ("GET", "HEAD"):
        raise PermissionDenied("You do not have permission to perform this action.")
    return found


def page_of(caller: Caller) -> UUID:
    """The page that a caller's token is for."""
    assert caller.page  # noqa: S101  # `authorize` lets nobody else in
    return caller.page


def render(request: Request, error: Exception) -> Response:
    """Renders an error as Django REST Framework does (contract C.1)."""
    if _is_wrong_method(request, error):
        try:
            return _not_allowed(request)
        except DomainError as earlier:  # as everywhere, the token counts first
            error = earlier
    if isinstance(error, HTTPException):
        detail = "Not found." if error.status_code == 404 else str(error.detail)
        return answer({"detail": detail}, error.status_code)
    if isinstance(error, Bad):
        return answer(error.errors, 400)
    if isinstance(error, Invalid):
        body: dict[str, list[str]] = {}
        for each in error.errors:
            body.setdefault(_field(each.field), []).append(f"{each.message[:1].upper()}{each.message[1:]}.")
        return answer(body, 400)
    if isinstance(error, DomainError):
        headers = {"WWW-Authenticate": "Token"} if error.status == 401 else {}
        if error.retry_after:
            headers["Retry-After"] = str(error.retry_after)
        return answer({"detail": _detail(error)}, error.status, headers)
    return answer({"detail": "A server error occurred."}, 500)


def _is_wrong_method(request: Request, error: Exception) -> bool:
    """Whether a path is known, perhaps in the other service, but not by this method."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        return True
    allowed = verbs(request.scope["path"])
    return isinstance(error, (HTTPException, NotFound)) and bool(allowed) and request.method not in (*allowed, "HEAD")


def _not_allowed(request: Request) -> Response:
    path = request.scope["path"]
    if path.startswith(BASE):
        authorize(request)
    allowed = ", ".join((*verbs(path), "OPTIONS"))
    return answer({"detail": f'Method "{request.method}" not allowed.'}, 405, {"Allow": allowed})


def _detail(error: DomainError) -> str:
    if isinstance(error, NotFound):
        return "Not found."
    if isinstance(error, TooMany):
        return f"Request was throttled. Expected available in {error.retry_after} seconds."
    return error.message


def _field(ours: str) -> str:
    """The dialect's name of a field of ours."""
    name, _, rest = ours.partition(".")
    if name == "components" and rest:
        return "affected_components"
    return "non_field_errors" if name in ("components", "body") else name


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(encode(body), status, headers, "application/json")


encode = msgspec.json.Encoder().encode

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_LENGTH = 22


def short(id_: UUID) -> str:
    """An id as this dialect shows it: base62 of its 128 bits, 22 characters."""
    left, found = id_.int, ""
    while left:
        left, digit = divmod(left, 62)
        found = _DIGITS[digit] + found
    return found.rjust(_LENGTH, "0")


def long(text: object) -> UUID | None:
    """The id that is shown as a text; None when it is none."""
    if not isinstance(text, str) or len(text) != _LENGTH or any(each not in _VALUES for each in text):
        return None
    value = 0
    for each in text:
        value = value * 62 + _VALUES[each]
    return UUID(int=value) if value < 1 << 128 else None


def identified(text: str) -> UUID:
    """Parses an id in a path; raises NotFound when it is none."""
    found = long(text)
    if found is None:
        raise NotFound("Not found")
    return found


def moment(at: datetime | None) -> str | None:
    """`2020-02-03T12:15:58Z`."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
