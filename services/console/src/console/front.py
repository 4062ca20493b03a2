"""What every answer of the console passes: its own files, and the headers that keep pages where they belong."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.render import ASSETS
from pinghome_web.answer import reply

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
}
STATIC = "/static/"


class Front:
    """ASGI middleware: answers with files, and adds to every other answer the headers that it does not have."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith(STATIC) and (file := ASSETS.find(scope["path"].removeprefix(STATIC))):
            await reply(file, scope, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                message["headers"] = [*given, *(each for each in HEADERS.items() if each[0] not in names)]
            await send(message)

        await self._app(scope, receive, sealed)
