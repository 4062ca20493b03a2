"""The paths of PingPong's dialect (contract C.0), with CORS and the answers to preflights.

The document has lost its path lines (spec/pingpong.txt): of the paths below `/rest/v1` only `/status` and `/live` are
documented, the others are inferred from the order of its sections and the names of its parameters.
"""

import re

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BASE = "/rest/v1"
WIDGETS = "/widget/shields/"

_READ, _LIST, _ONE = ("GET",), ("GET", "POST"), ("GET", "PUT", "PATCH")
VIEWS = {
    re.compile(BASE + path.replace("{}", "[^/]+")): verbs
    for path, verbs in {
        "/status": _READ,
        "/live": _READ,
        "/components": _LIST,
        "/components/{}": _ONE,
        "/components/{}/status": ("PUT", "PATCH", "POST"),
        "/component-groups": _LIST,
        "/component-groups/{}": _ONE,
        "/incidents": _LIST,
        "/incidents/ongoing": _READ,
        "/incidents/{}": _ONE,
        "/incidents/{}/updates": _LIST,
        "/incidents/{}/updates/{}": (*_ONE, "DELETE"),
        "/maintenance": _LIST,
        "/maintenance/{}": _ONE,
        "/metrics": _LIST,
        "/metrics/{}": _ONE,
        "/custom-metrics": _LIST,
        "/custom-metrics/data": ("POST",),
        "/custom-metrics/{}": _ONE,
    }.items()
} | {re.compile(WIDGETS + "(status|uptime)/[^/]+"): _READ}
"""The methods that each path allows, in all services; the first match decides."""

_ALIASES = (
    (re.compile(r"/groups(?=/|\Z)"), "/component-groups"),
    (re.compile(r"/maintenances(?=/|\Z)"), "/maintenance"),
    (re.compile(r"/incidents/(live|active|unresolved)\Z"), "/incidents/ongoing"),
    (re.compile(r"/(custom-)?metrics/data(-points)?\Z"), "/custom-metrics/data"),
)


def is_ours(path: str) -> bool:
    """Whether a path is of this dialect."""
    return path == BASE or path.startswith((f"{BASE}/", WIDGETS))


def canonical(path: str) -> str:
    """The one form of a path: without a slash at its end, `-` for `_`, and without other names of the same view."""
    if not path.startswith(f"{BASE}/"):
        return path.removesuffix("/")
    rest = path.removeprefix(BASE).removesuffix("/").replace("_", "-")
    for alias, name in _ALIASES:
        if alias.match(rest):
            return BASE + alias.sub(name, rest, count=1)
    return BASE + rest


class PingPong:
    """ASGI middleware: one form of each path, CORS on every answer, and the answers to preflights."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http" or not is_ours(scope["path"]):
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": canonical(scope["path"])}
        cors = [(name.encode(), value.encode()) for name, value in _cors(verbs(scope["path"])).items()]

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *cors]
            await send(message)

        if scope["method"] == "OPTIONS" and verbs(scope["path"]):
            await Response(status_code=204)(scope, receive, answer)
        else:
            await self._app(scope, receive, answer)


def _cors(allowed: tuple[str, ...]) -> dict[str, str]:
    return {
        "access-control-allow-origin": "*",
        "access-control-allow-headers": "Authorization, Content-Type",
        "access-control-allow-methods": ", ".join((*allowed, "OPTIONS")),
        "access-control-max-age": "600",
    }


def verbs(path: str) -> tuple[str, ...]:
    """The methods that a path in its canonical form allows; none where there is nothing."""
    return next((allowed for view, allowed in VIEWS.items() if view.fullmatch(path)), ())
