"""Who looks at a page: session, API, language, and where the console is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from console import guard
from console.api import Api, Away, Refused, SignedOut
from console.language import LANGUAGES, Language
from console.session import COOKIE, LONGEST, Session
from pinghome_web.language import chosen

MOUNT = "/console"
"""Where the platform's host has the console; the edge says so in `root_path` or in `X-Forwarded-Prefix`."""
FIELDS_LIMIT = 2000
SECRETS = "secrets"
"""The field that names those of a form whose texts no page repeats."""
MASK = "********"
"""What the API shows in place of a secret."""
LARGEST = (2 << 20) + (64 << 10)
"""Bytes of a form; a picture has at most 2 MiB, everything else is far smaller."""


class Posted:
    """What a form sent: texts by field, each any number of times, and files."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = (), files: Mapping[str, bytes] | None = None) -> None:
        self._files = files or {}
        self.pairs = [(name, value.replace("\r\n", "\n")) for name, value in pairs]

    def one(self, name: str, default: str = "") -> str:
        """The last value of a field."""
        return next((value for key, value in reversed(self.pairs) if key == name), default)

    def all(self, name: str) -> list[str]:
        """All values of a field."""
        return [value for key, value in self.pairs if key == name]

    def again(self) -> tuple[list[tuple[str, str]], list[tuple[str, str, bool]]]:
        """What may be sent again as it is, and secrets, which are to be typed anew; nothing of files.

        Of a secret: its name, those of its lines that are masks of what is stored, and whether it has several.
        """
        if self._files:
            return [], []
        kept, typed = list[tuple[str, str]](), list[tuple[str, str, bool]]()
        for name, value in self.pairs:
            lines = value.splitlines()
            masked = [line for line in lines if MASK in line]
            if name in self.one(SECRETS).split() and masked != lines:
                typed.append((name, "\n".join(masked), len(lines) > 1))
            elif name != guard.FORM_TOKEN:
                kept.append((name, value))
        return kept, typed

    def file(self, name: str) -> bytes:
        """What is in a file; empty where none was sent."""
        return self._files.get(name, b"")

    def has(self, name: str) -> bool:
        """Whether a field was sent at all."""
        return any(key == name for key, _ in self.pairs)


@dataclass
class Viewer:
    """Somebody who looks at a page.

    Attributes:
        caller: what `GET resource-query /v1/caller` says of the session key; empty for nobody.
        renew: whether the cookie is to be sealed anew.
    """

    request: Request
    session: Session
    renew: bool
    api: Api
    t: Language
    root: str
    caller: Mapping[str, Any]

    @property
    def writes(self) -> bool:
        """Whether the token may change anything."""
        return self.caller.get("scope") == "write"

    @property
    def operator(self) -> bool:
        """Whether it is one of whoever operates the platform."""
        return bool(self.caller.get("operator"))

    def url(self, path: str, **query: Any) -> str:
        """The address of a page."""
        known = {name: value for name, value in query.items() if value not in (None, "", [])}
        return self.root + path + (f"?{urlencode(known, doseq=True)}" if known else "")

    def goto(self, path: str, **query: Any) -> Response:
        """Sends the browser to a page."""
        return RedirectResponse(self.url(path, **query), 303)

    def with_cookie(self, answer: Response, session: Session | None = None) -> Response:
        """An answer that also gives a session, or renews this one."""
        if session or self.renew:
            answer.set_cookie(
                COOKIE,
                self.request.app.state.seal.seal(session or self.session),
                max_age=LONGEST,
                path=self.root or "/",
                secure=self.request.url.scheme == "https",
                httponly=True,
                samesite="lax",
            )
        return answer


def root_of(request: Request) -> str:
    """What all paths of the console begin with where it is seen."""
    if request.headers.get("x-forwarded-prefix") == MOUNT:
        return MOUNT
    return str(request.scope.get("root_path", ""))


async def anybody(request: Request) -> Viewer:
    """Whoever asks, signed in or not."""
    state = request.app.state
    session, renew = state.seal.open(request.cookies.get(COOKIE, ""))
    code = chosen(session.language, request.headers.get("accept-language", ""), LANGUAGES)
    client = request.scope.get("client")
    api = Api(state.http, state.address, session.token, client[0] if client else "")
    return Viewer(request, session, renew, api, LANGUAGES[code], root_of(request), {})


async def somebody(viewer: Annotated[Viewer, Depends(anybody)]) -> Viewer:
    """Who has signed in.

    Raises:
        SignedOut: nobody has, or the key was revoked.
    """
    if not viewer.session.token:
        raise SignedOut
    viewer.caller = await viewer.request.app.state.callers.of(viewer.session.token, viewer.api)
    return viewer


async def form(request: Request, viewer: Annotated[Viewer, Depends(anybody)]) -> Posted:
    """A form that was filled in here.

    Raises:
        CrossSite: it was not.
        Refused: it is too large.
    """
    body, kind = bytearray(), request.headers.get("content-type", "")
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise Refused(413, "A picture may have at most 2 MiB.")
    try:
        if kind.startswith("multipart/form-data"):
            posted = _uploaded(body, kind)
        else:
            text = body.decode("utf-8", "replace")
            posted = Posted(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_LIMIT))
    except ValueError:
        raise guard.CrossSite from None
    guard.check(request, viewer.session, posted.one(guard.FORM_TOKEN))
    request.state.posted = posted
    return posted


def _uploaded(body: bytearray, kind: str) -> Posted:
    """A form with files: a MIME document, as mail has them."""
    pairs, files = list[tuple[str, str]](), dict[str, bytes]()
    for part in message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode("latin-1") + body).walk():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        if part.get_filename() is None:
            pairs.append((name, content.decode("utf-8", "replace")))
        else:
            files[name] = content
    return Posted(pairs, files)


Anybody = Annotated[Viewer, Depends(anybody)]
Somebody = Annotated[Viewer, Depends(somebody)]
Form = Annotated[Posted, Depends(form)]
GUARDED = [Depends(form)]
"""Of routes that take a form without fields."""


class Callers:
    """Who is behind a session key, kept for a minute: each page says it, and the services check each request anyway."""

    KEPT = 60.0
    MOST = 1000

    def __init__(self, clock: Any) -> None:
        self._clock, self._known = clock, dict[str, tuple[float, Mapping[str, Any]]]()

    async def of(self, token: str, api: Api) -> Mapping[str, Any]:
        """What the platform says of a token; what it said last while the service is away."""
        known = self._known.get(token)
        if known and self._clock() - known[0] < self.KEPT:
            return known[1]
        try:
            caller = await api.get("resource-query/v1/caller")
        except (Away, Refused):
            return known[1] if known else {}
        except SignedOut:
            self._known.pop(token, None)
            raise
        if len(self._known) >= self.MOST:
            self._known.clear()
        self._known[token] = self._clock(), caller
        return caller  # type: ignore[no-any-return]  # JSON
