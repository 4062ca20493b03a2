"""Healthchecks' words (contract B): API keys, CORS, errors, and what a check looks like; the routes are elsewhere."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, overload
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from pinghome_common.clock import from_micros
from pinghome_common.errors import DomainError
from pinghome_common.events.channel import Channel
from pinghome_common.events.heartbeat import MICRO, Heartbeat, due, unique_key
from pinghome_common.events.key import Kind, Scope
from pinghome_common.known import Caller

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


def named(text: str) -> UUID | str:
    """The same where a unique key will do, too.

    Raises:
        Refused: 404.
    """
    return text if re.fullmatch(_KEY, text) else identified(text)


def answer(request: Request, body: Any, status: int = 200) -> Response:
    """A JSON answer with the headers that all have; `body` may be JSON already."""
    content = body if isinstance(body, (str, bytes)) else encode(body)
    return Response(content, status, headers(request), "application/json")


def plain(request: Request, content: str | bytes, status: int = 200) -> Response:
    """A text, or bytes as they came, which no browser takes for anything but text."""
    return Response(content, status, headers(request) | {"X-Content-Type-Options": "nosniff"}, "text/plain")


def render(request: Request, error: Exception) -> Response:
    """An error as Healthchecks says it; verbs that a path does not take, and the preflight of those that it does."""
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
    retry = {"Retry-After": "1"} if status == 503 else {}
    return Response(encode({"error": message}), status, cors | retry, "application/json")


def headers(request: Request) -> dict[str, str]:
    """What every answer has: CORS for the verbs of its path (contract B.0)."""
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


@dataclass(slots=True)
class Settled:
    """What of a check only commands change, as it is sent: `text` is members of a JSON object.

    Times are in microseconds; `period` is None with a schedule. Lists make it once for each change.
    """

    text: str
    unique_key: str
    channels: str | None
    grace: int
    limit: int
    period: int | None


def settled(it: Heartbeat) -> Settled:
    """The part of a check's document that its settings make (contract B.2)."""
    members: dict[str, Any] = {
        "name": it.name,
        "slug": it.slug,
        "tags": it.tags,
        "desc": it.desc,
        "grace": it.grace,
        "manual_resume": it.manual_resume,
        "methods": "POST" if it.methods == ["POST"] else "",
        "subject": it.subject,
        "subject_fail": it.subject_fail,
        **({"schedule": it.schedule, "tz": it.tz} if it.schedule else {"timeout": it.period}),
    }
    text = encode(members)[1:-1].decode()
    period = None if it.schedule else it.period * MICRO
    return Settled(text, unique_key(it.id), joined(it.channels), it.grace * MICRO, it.run_limit * MICRO, period)


@overload
def joined(channels: Sequence[UUID]) -> str: ...
@overload
def joined(channels: Sequence[UUID] | None) -> str | None: ...
def joined(channels: Sequence[UUID] | None) -> str | None:
    """The ids of channels as a check has them: sorted and joined; None where it names none of its own."""
    return None if channels is None else ",".join(sorted(map(str, channels)))


@dataclass(slots=True)
class View:
    """How a caller sees checks: `now` is UNIX microseconds, `version` 1, 2 or 3; a read-only key sees less.

    `told` are the service's own channels, for a check that names none.
    """

    site: str
    version: int
    now: int
    read_only: bool
    told: str = ""

    def status(
        self, own: Settled, stored: str, expected: int | None, last_start: int | None, *, started: bool = False
    ) -> str:
        """new, up, grace, down or paused; and `started` for who knows that word (contract B.4).

        Args:
            own: the check's settings.
            stored: its stored status.
            expected: when the next success is, in UNIX microseconds, if it is up.
            last_start: of the run under way, if there is one.
            started: whether to tell that there is.
        """
        if last_start is not None:
            if self.now >= last_start + own.limit:
                return "down"
            if started:
                return "started"
        if stored != "up" or expected is None or self.now < expected:
            return stored
        return "grace" if self.now < expected + own.grace else "down"

    def check(
        self,
        id_: UUID,
        own: Settled,
        stored: str,
        expected: int | None,
        last_ping: int | None,
        last_start: int | None,
        last_duration: float | None,
        n_pings: int,
    ) -> str:
        """A check as JSON (contract B.2); the arguments are those of `status`, and the rest of its vitals."""
        status = self.status(own, stored, expected, last_start, started=self.version == 1)
        following = expected
        if last_start is not None and stored != "down":  # a run under way is expected at its start (contract B.4)
            following = last_start if expected is None else min(expected, last_start)
        took = "" if last_duration is None else f',"last_duration":{int(last_duration)}'
        if self.read_only:
            urls = f'"unique_key":"{own.unique_key}"'
        else:
            update = f"{self.site}/api/v{self.version}/checks/{id_}"
            urls = (
                f'"uuid":"{id_}","ping_url":"{self.site}/ping/{id_}","update_url":"{update}",'
                f'"pause_url":"{update}/pause","resume_url":"{update}/resume","channels":"{self.told if own.channels is None else own.channels}"'
            )
        return (
            f'{{{own.text},"n_pings":{n_pings},"status":"{status}","started":{_BOOLS[last_start is not None]},'
            f'"last_ping":{_quoted(last_ping)},"next_ping":{_quoted(following)}{took},{urls}}}'
        )

    def whole(self, it: Heartbeat) -> str:
        """The same of a heartbeat that is all there."""
        vitals = it.vitals
        return self.check(
            it.id, settled(it), vitals.status.value, due(it, vitals),
            vitals.last_ping, vitals.last_start, vitals.last_duration, vitals.n_pings,
        )  # fmt: skip


_BOOLS = ("false", "true")


def _quoted(value: int | None) -> str:
    return "null" if value is None else f'"{datetime.fromtimestamp(value // MICRO, UTC).isoformat()}"'


def view(request: Request, caller: Caller, now: int, told: Sequence[UUID] = ()) -> View:
    """How the caller of a request sees checks; `told` are the channels of the service."""
    return View(_json_safe(site(request)), version_of(request), now, caller.scope is Scope.read, joined(told))


def _json_safe(text: str) -> str:
    """The text within a JSON string: the host of a request is whatever the client says it is."""
    return encode(text)[1:-1].decode()


def shows(example: dict[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    """What an OpenAPI page says that a route answers."""
    return {status: {"content": {"application/json": {"example": example}}}}


_HERE = "https://ping.terra-home.de"
_ID_OF_IT = "f618072a-7bde-4eee-af63-71a77c5723bc"
CHECK: dict[str, Any] = {
    "name": "Backups", "slug": "backups", "tags": "prod www", "desc": "", "grace": 60, "manual_resume": False,
    "methods": "", "subject": "", "subject_fail": "", "timeout": 3600, "n_pings": 0, "status": "new",
    "started": False, "last_ping": None, "next_ping": None, "uuid": _ID_OF_IT,
    "ping_url": f"{_HERE}/ping/{_ID_OF_IT}",
    "update_url": f"{_HERE}/api/v1/checks/{_ID_OF_IT}",
    "pause_url": f"{_HERE}/api/v1/checks/{_ID_OF_IT}/pause",
    "resume_url": f"{_HERE}/api/v1/checks/{_ID_OF_IT}/resume",
    "channels": "",
}  # fmt: skip
"""The documents' own example, for the OpenAPI pages."""


def channel(it: Channel) -> dict[str, Any]:
    """A channel, which is an integration there."""
    return {"id": it.id, "name": it.name, "kind": it.kind}
