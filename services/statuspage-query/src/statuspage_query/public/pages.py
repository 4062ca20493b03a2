"""Serves public pages in front of the service's other routes, without FastAPI: they are bytes that are there."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from pinghome_common.clock import now
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.page_pass import COOKIE
from pinghome_web.answer import Answer, answer, reply
from pinghome_web.language import chosen
from statuspage_query.public import render
from statuspage_query.public.access import Access, access
from statuspage_query.public.addresses import PREFIX, Addresses, header
from statuspage_query.public.assets import asset
from statuspage_query.public.languages import LANGUAGES
from statuspage_query.public.live import Live
from statuspage_query.public.published import Published
from statuspage_query.public.publisher import Publisher
from statuspage_query.public.render import Place
from statuspage_query.public.site import policy

ASK = "/internal/ask"
"""Whether a certificate may be had for a page's host; no edge of the public lets anybody in here."""
NOWHERE = "-"
"""Stands in a path for a subdomain, and no page can have it: the files of what says that there is no page."""

_BLANK = StatusPage(
    id=UUID(int=0),
    organisation=UUID(int=0),
    name="",
    subdomain=NOWHERE,
    type="public",
    domain_token="",
    shields_key="",
    created_at=datetime.min.replace(tzinfo=UTC),
    updated_at=datetime.min.replace(tzinfo=UTC),
)


class PublicPages:
    """ASGI middleware: answers what is asked of a page, by path or by the page's own host; the rest goes on.

    Args:
        app: the rest.
        publisher: has the pages.
        addresses: which page is asked for.
        key: what passes to private pages are signed with.
    """

    def __init__(self, app: ASGIApp, publisher: Publisher, addresses: Addresses, key: bytes) -> None:
        self._app, self._publisher, self._addresses, self._key = app, publisher, addresses, key
        self._live = Live()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        names, path = self._addresses.names(header(scope, b"host")), scope["path"]
        if names and names[0]:
            page, root = await self._of(self._publisher.by_subdomain, names[0]), ""
        elif names and names[1] in self._publisher.by_domain:
            page, root = await self._of(self._publisher.by_domain, names[1]), ""
        elif path == ASK:
            await reply(self._asked(scope), scope, send)
            return
        elif path.startswith(PREFIX):
            name, slash, path = path.removeprefix(PREFIX).partition("/")
            page, path = await self._of(self._publisher.by_subdomain, name), slash + path
            root = f"{scope.get('root_path', '')}{PREFIX}{name}"
            if name == NOWHERE and (found := asset(path.removeprefix("/static/"), "")):
                await reply(found, scope, send)
                return
        else:
            await self._app(scope, receive, send)
            return
        path = path.rstrip("/")
        if page is not None and page.material.page.enabled:
            await self._answer(page, root, path, scope, receive, send)
        elif root or not (found := asset(path.removeprefix("/static/"), "")):
            await reply(self._nothing(scope, root, path), scope, send)
        else:
            await reply(found, scope, send)

    def _asked(self, scope: Scope) -> Answer:
        host = parse_qs(scope["query_string"].decode("latin-1")).get("domain", [""])[0].lower()
        label, domain = self._addresses.names(host) or ("", "")
        known = label in self._publisher.by_subdomain or domain in self._publisher.by_domain
        return answer("yes" if known else "no", "text/plain", status=200 if known else 404, cache="no-store")

    async def _of(self, pages: Mapping[str, Published], name: str) -> Published | None:
        """The page of a name, as whoever has just changed it left it."""
        await self._publisher.settled(pages.get(name))
        return pages.get(name)

    async def _answer(self, it: Published, root: str, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        page = it.material.page
        if scope["method"] not in ("GET", "HEAD"):
            refusal = answer(b'{"message":"Only GET and HEAD are allowed here"}', "application/json", status=405)
            await reply(refusal, scope, send, [(b"allow", b"GET, HEAD")])
            return
        if page.redirect_to_https and _came_by_http(scope):
            await _redirect(scope, send)
            return
        if path.startswith("/static/"):
            found = asset(path.removeprefix("/static/"), page.accent_color)
            await reply(found or self._nothing(scope, root, path), scope, send)
            return
        client = scope["client"][0] if scope["client"] else ""
        passed = _cookie(scope) if page.type == "private" else ""
        match access(page, client, passed, self._key, time.time()):
            case Access.locked:
                await reply(self._notice(page, scope, root, path, "locked", 401), scope, send)
                return
            case Access.refused:
                await reply(self._notice(page, scope, root, path, "forbidden", 403), scope, send)
                return
        if path == "/events":
            if scope["method"] == "HEAD":
                await reply(answer("", "text/event-stream", cache="no-store"), scope, send)
            elif self._live.full(client):
                busy = answer(
                    b'{"message":"Too many event streams are open; ask again later"}', "application/json", status=503
                )
                await reply(busy, scope, send)
            else:
                await self._live.stream(it, client, scope, receive, send)
            return
        await reply(
            it.answer(path, self._place(it, scope, root), now()) or self._nothing(scope, root, path), scope, send
        )

    def _place(self, it: Published, scope: Scope, root: str) -> Place:
        material = it.material
        host = header(scope, b"host")
        url = self._addresses.url(material.page, scope, host, verified=material.verified)
        language = chosen(material.page.language, header(scope, b"accept-language"), LANGUAGES)
        return Place(root, url, language, logo=it.logo, favicon=it.favicon, stale=self._publisher.stale())

    def _nothing(self, scope: Scope, root: str, path: str) -> Answer:
        return self._notice(
            _BLANK, scope, f"{scope.get('root_path', '')}{PREFIX}{NOWHERE}" if root else "", path, "not_found", 404
        )

    def _notice(self, page: StatusPage, scope: Scope, root: str, path: str, kind: str, status: int) -> Answer:
        """What somebody gets who does not get the page: for people a page, for programs a sentence."""
        language = chosen(page.language, header(scope, b"accept-language"), LANGUAGES)
        place = Place(root=root, url="", language=language)
        if path in ("", "/widget") or "." not in path.rpartition("/")[2]:
            said = next(
                (each for each in ("failed", "later") if f"unlock={each}".encode() in scope["query_string"]), ""
            )
            body = render.notice(page, place, kind, unlock=kind == "locked", said=said)
            return answer(body, "text/html", status=status, cache="no-store", headers=policy())
        return answer(
            msgspec.json.encode({"message": render.words(place, kind)}),
            "application/json",
            status=status,
            cache="no-store",
        )


def _came_by_http(scope: Scope) -> bool:
    """Whether a trusted proxy says that the client spoke http; our own word for it may be that proxy's."""
    proxied = scope.get("peer", scope["client"]) is not scope["client"]
    return proxied and scope["scheme"] == "http" and header(scope, b"x-forwarded-proto") == "http"


async def _redirect(scope: Scope, send: Send) -> None:
    target = (
        b"https://" + header(scope, b"host").encode("latin-1") + scope.get("root_path", "").encode() + scope["raw_path"]
    )
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    await send(
        {"type": "http.response.start", "status": 308, "headers": [(b"location", target), (b"content-length", b"0")]}
    )
    await send({"type": "http.response.body", "body": b""})


def _cookie(scope: Scope) -> str:
    """The pass in the request's cookies."""
    for part in header(scope, b"cookie", lower=False).split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""
