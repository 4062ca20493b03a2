"""PingHome's dialect (contract A.0): bearer tokens, JSON bodies and errors; fields are in `pinghome_fields`."""

import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Annotated, Any, ClassVar

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from pinghome_common.dialects import problems
from pinghome_common.dialects.paths import also_head, with_or_without_slash
from pinghome_common.directory import Caller, Directory
from pinghome_common.errors import DomainError, FieldError, Invalid, PermissionDenied, Unauthorized, Unavailable
from pinghome_common.events.key import Kind, Scope

MASK = "********"
"""Shown in place of a secret; in a command it means "unchanged" (contract F)."""


INVALID_IS_400 = ("statuspage-query",)
"""Services that say 400 where the others say 422 (contract A.0)."""


async def authenticated(request: Request, *, any_scope: bool = False) -> Caller:
    """The caller of a request; a read-only one may only read, unless it is for any scope. Raises as `Authorized`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    directory: Directory = request.app.state.directory
    found = directory.authenticated(Kind.bearer, token) if token else None
    if found is None and token:
        with suppress(Unavailable):  # without the broker what is known here counts
            await directory.caught_up()  # it may have been made a moment ago
            found = directory.authenticated(Kind.bearer, token)
    if found is None:
        if token:
            request.app.state.wrong_tokens.count(request.scope["client"])
        raise Unauthorized("Unauthorized")
    if found.scope is Scope.read and not any_scope and request.method not in ("GET", "HEAD"):
        raise read_only()
    return found


def read_only() -> PermissionDenied:
    """What a read-only token is told that may not do something."""
    return PermissionDenied("This token is read-only; use one with the scope write.")


class _Token(HTTPBearer):
    """The caller that `Route` has authenticated; documents the authentication in OpenAPI."""

    async def __call__(self, request: Request) -> Caller:  # type: ignore[override]
        """The caller."""
        return request.scope["caller"]  # type: ignore[no-any-return]


_token = _Token(scheme_name="HTTPBearer", description="`Authorization: Bearer <token>`, a token of your organisation")
Authorized = Annotated[Caller, Depends(_token)]
"""The caller.

Raises:
    Unauthorized: no bearer token, or an unknown one (401 `{"message": "Unauthorized"}`).
    PermissionDenied: a read-only token on a write.
    Unavailable: the service has just started and does not know the keys yet.
    WrongTokensError: too many wrong tokens came from this address recently.
"""


class _Json(Request):
    """A request with a JSON body of any content type: without NaN and lone surrogates, of bounded depth."""

    async def json(self) -> Any:
        body = await self.body()
        try:
            return from_json(body, allow_inf_nan=False)
        except ValueError as error:
            raise json.JSONDecodeError(str(error), "", 0) from None


class Route(APIRoute):
    """A route of PingHome's dialect: the token is checked before the body is read, unless the route is public.

    A read-only token may only read, except where a route is for any scope.
    """

    public: ClassVar[bool] = False
    any_scope: ClassVar[bool] = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wraps the handler to authenticate and to pass a `_Json` request."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if not self.public:
                request.scope["caller"] = await authenticated(request, any_scope=self.any_scope)
            headers = request.scope["headers"]
            request.scope["headers"] = [header for header in headers if header[0] != b"content-type"]
            return await handle(_Json(request.scope, request.receive))

        return handler


class PublicRoute(Route):
    """A route that needs no token."""

    public = True


class AnyScopeRoute(Route):
    """A route on which a read-only token may do what is not a read, too."""

    any_scope = True


class Router(APIRouter):
    """Routes with and without a trailing slash; GET routes also answer HEAD (contract, common rules 1 and 2).

    `bare` routes answer without `/v1`, too, as the document of status pages lists them.
    """

    def __init__(self, *, public: bool = False, bare: bool = False, any_scope: bool = False, **options: Any) -> None:
        self._public, self._bare = public, bare
        kind = PublicRoute if public else AnyScopeRoute if any_scope else Route
        super().__init__(route_class=kind, redirect_slashes=False, strict_content_type=False, **options)

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Registers the path with and without a slash; documents the errors in OpenAPI."""
        methods = options.pop("methods") or ["GET"]
        responses = options.pop("responses", None) or {}
        if options.get("include_in_schema", True):
            responses = problems.of_pinghome(methods, public=self._public) | responses
        super().add_api_route(path, endpoint, methods=methods, responses=responses, **options)
        with_or_without_slash(self.routes[-1])
        if "GET" in methods:
            also_head(self)
        if self._bare and path.startswith("/v1/"):
            hidden = options | {"include_in_schema": False}
            self.add_api_route(path.removeprefix("/v1"), endpoint, methods=methods, **hidden)


def render(request: Request, error: Exception) -> Response:
    """Renders an error as PingHome does: `{"message", "errors"?}` (contract A.0)."""
    invalid = 400 if request.app.state.name in INVALID_IS_400 else 422
    if isinstance(error, RequestValidationError):
        return _invalid(error, invalid)
    if isinstance(error, Invalid):
        return _problem(invalid, error.message, list(error.errors))
    if isinstance(error, DomainError):
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
        if error.retry_after:
            headers["Retry-After"] = str(error.retry_after)
        return _problem(error.status, error.message, headers=headers)
    if isinstance(error, HTTPException):
        messages = {
            404: "Not found",
            405: f"Method {request.method} is not allowed here",
            400: "The body could not be read",
        }
        headers = dict(error.headers or {})
        if error.status_code == 405 and (allowed := _allowed(request)):
            headers["Allow"] = allowed
        return _problem(error.status_code, messages.get(error.status_code, str(error.detail)), headers=headers)
    return _problem(500, "Something went wrong on our side; it has been logged.")


def _allowed(request: Request) -> str:
    """The methods that a path allows; Starlette lists only those of the first route."""
    routes = [route for router in request.app.state.routers for route in router.routes]
    path = request.scope["path"]
    return ", ".join(sorted({verb for route in routes if route.path_regex.match(path) for verb in route.methods}))


def _problem(status: int, message: str, errors: list[FieldError] | None = None, headers: Any = None) -> Response:
    body: dict[str, Any] = {"message": message}
    if errors:
        body["errors"] = [{"field": error.field, "message": error.message} for error in errors]
    return JSONResponse(body, status, headers=headers)


def _invalid(error: RequestValidationError, status: int) -> Response:
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return _problem(400, "The body is not valid JSON: " + str(found[0].get("ctx", {}).get("error", ""))[:200])
    fields = [FieldError(_path(each["loc"]), _sentence(each)) for each in found[:20]]
    return _problem(
        status, "The request is invalid: " + "; ".join(f"{f.field}: {f.message}" for f in fields[:5]), fields
    )


def _path(loc: tuple[int | str, ...]) -> str:
    """The field's dotted path; keys from clients are cut and reduced to ASCII."""
    parts = [str(part) for part in (loc[1:] if loc and loc[0] in ("body", "query", "path", "header") else loc)]
    return ".".join(parts)[:200].encode("ascii", "replace").decode() or "body"


def _sentence(each: dict[str, Any]) -> str:
    message = str(each["msg"])[:300]
    return {"missing": "is required"}.get(each["type"], message[:1].lower() + message[1:])


def version_wanted(request: Request) -> int | None:
    """The version in `If-Match`; None if any is accepted, -1 if it is not one of our versions."""
    value = request.headers.get("if-match", "").strip()
    if value in ("", "*"):
        return None
    digits = value.removeprefix("W/").strip('"').removeprefix("v")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1


def answer(body: dict[str, Any], status: int = 200, version: int | None = None) -> Response:
    """A JSON answer, with the aggregate's version as its `ETag`."""
    headers = {"ETag": f'"v{version}"'} if version is not None else None
    return Response(encode(body), status, headers, "application/json")


encode = msgspec.json.Encoder().encode


def gateway_url(request: Request) -> str:
    """The data-gateway's URL, below `PINGHOME_URL`, else below the host of the request (contract F).

    For a request to a service's host name (`resource-cmd.api.pinghome.io`) it has the gateway's host name.
    """
    if public := request.app.state.settings.public_url:
        return f"{public}/data-gateway"
    label, _, rest = request.url.netloc.partition(".")
    if rest and label.lower() == request.app.state.name:
        return f"{request.url.scheme}://data-gateway.{rest}"
    return f"{request.url.scheme}://{request.url.netloc}/data-gateway"
