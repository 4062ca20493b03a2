"""The fast path: pings of known heartbeats are answered without FastAPI, which would cost four times as much."""

from urllib.parse import unquote_plus

from starlette.types import ASGIApp, Receive, Scope, Send

from data_gateway.api.healthchecks import ping
from data_gateway.ping_intake import PingIntake
from pinghome_common.errors import DomainError
from pinghome_common.events.ping import Kind

PREFIX = "/v1/heartbeat/"
BODY = b'{"message":"OK"}'
HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(BODY)).encode()),
    (b"cache-control", b"no-store"),
]
START = {"type": "http.response.start", "status": 200, "headers": HEADERS}
GET_BODY = {"type": "http.response.body", "body": BODY}
HEAD_BODY = {"type": "http.response.body", "body": b""}
OK_BODY = {"type": "http.response.body", "body": b"OK"}

RESULTS = {kind.name: kind for kind in (Kind.tick, Kind.run, Kind.complete, Kind.fail)}


class PingFastPath:
    """ASGI middleware that answers valid pings; all other requests go to the routes, which explain what is wrong."""

    def __init__(self, app: ASGIApp, intake: PingIntake, body_limit: int) -> None:
        self._app, self._intake, self._limit = app, intake, body_limit
        self._headers = [(name.lower().encode(), value.encode()) for name, value in ping.headers(body_limit).items()]
        head = [(b"content-type", b"text/plain"), (b"content-length", b"2"), *self._headers]
        self._ok = {"type": "http.response.start", "status": 200, "headers": head}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] == "http":
            path = scope["path"]
            if path.startswith(PREFIX):
                if scope["method"] in ("GET", "HEAD") and await self._check_in(scope, send):
                    return
            elif path.startswith("/ping/") and await self._ping(scope, receive, send):
                return
        await self._app(scope, receive, send)

    async def _check_in(self, scope: Scope, send: Send) -> bool:
        """Answers a check-in in PingHome's dialect; false if the routes have to."""
        if (query := _query(scope["query_string"])) is None:
            return False
        try:
            await self._intake.accept(scope["path"][len(PREFIX) :].rstrip("/"), scope, *query)
        except DomainError:
            return False
        await send(START)
        await send(GET_BODY if scope["method"] == "GET" else HEAD_BODY)
        return True

    async def _ping(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Answers a ping in Healthchecks' dialect; false if the routes have to, and nothing of its body was read."""
        try:
            target = ping.parse(scope["path"])
            if target is None:
                return False
            entry = self._intake.entries.get(target.id) if target.id else self._intake.by_slug(target.key, target.slug)
            if entry is None:
                return False
            run = ping.run_id(scope["query_string"])
        except DomainError:
            return False
        try:
            await ping.accept(self._intake, entry, target, run, scope, receive, self._limit)
        except DomainError as error:
            body = error.message.encode()
            head = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body)), *self._headers]
            head += [(b"retry-after", b"%d" % error.retry_after)] if error.retry_after else []
            await send({"type": "http.response.start", "status": error.status, "headers": head})
            await send({"type": "http.response.body", "body": body})
            return True
        await send(self._ok)
        await send(HEAD_BODY if scope["method"] == "HEAD" else OK_BODY)
        return True


def _query(raw: bytes) -> tuple[Kind, str] | None:
    """The result and the message in a query string; None if the result is unknown."""
    if not raw:
        return Kind.tick, ""
    kind, message = Kind.tick, ""
    for pair in raw.decode("latin-1").split("&"):
        name, _, value = pair.partition("=")
        if name == "result":
            found = RESULTS.get(value)
            if found is None:
                return None
            kind = found
        elif name == "message":
            message = unquote_plus(value, errors="replace")
    return kind, message
