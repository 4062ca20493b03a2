"""The pages behind a subscriber's links: GET shows buttons, because programs follow links, too; POST acts."""

import base64
import hashlib
from html import escape
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pinghome_common.errors import DomainError, Invalid, NotFound
from pinghome_common.events.subscription import ChannelType
from statuspage_cmd.api.pinghome.command import Subscribing, origins
from statuspage_cmd.language import accepted
from statuspage_cmd.subscriptions.asking import Wish
from statuspage_cmd.subscriptions.token import read_token
from statuspage_cmd.subscriptions.which import Said

routes = APIRouter(include_in_schema=False)

STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0;padding:12vh 24px;font:17px/1.5 system-ui,sans-serif;background:#f5f6f8;color:#1c2024}"
    "main{max-width:26rem;margin:auto;padding:32px;background:#fff;border-radius:12px}"
    "h1{font-size:22px;margin:0 0 12px}"
    "button{font:inherit;padding:10px 18px;border:0;border-radius:8px;background:#1c2024;color:#fff;cursor:pointer}"
    "form+form{margin-top:12px}form+form button{background:none;color:inherit;padding:0;text-decoration:underline}"
    "@media(prefers-color-scheme:dark){body{background:#111418;color:#e6e8eb}main{background:#1a1e24}"
    "button{background:#e6e8eb;color:#111418}}"
)
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
BUTTON = '<form method="post" action="{}"><button>{}</button></form>'
PREFIXES = "", "/status/{subdomain}"


class _Pages:
    """Pages in the visitor's language, about one token."""

    def __init__(self, request: Request, token: str = "") -> None:
        self.words, self._token = accepted(request.headers.get("accept-language", "")), escape(token)

    def end(self, above: str = "") -> str:
        """The button that ends a subscription."""
        return BUTTON.format(f"{above}{self._token}/unsubscribe", self.words("unsubscribe"))

    def confirm(self) -> str:
        """The buttons that confirm it, or end it."""
        return BUTTON.format(self._token, self.words("confirm")) + self.end()

    def show(self, title: str, text: str, status: int = 200) -> HTMLResponse:
        """A page; `title` is one of the words, `text` is HTML."""
        head = f'<!doctype html><html lang="{self.words.code}"><meta charset="utf-8">'
        head += f"<title>{self.words(title)}</title><style>{STYLE}</style>"
        view = '<meta name="viewport" content="width=device-width">'
        html = f"{head}{view}<main><h1>{self.words(title)}</h1>{text}</main></html>"
        return HTMLResponse(html, status, HEADERS | {"Vary": "Accept-Language"})

    def say(self, key: str, status: int = 200) -> HTMLResponse:
        """A page that only says something."""
        return self.show(key, f"<p>{self.words(f'{key}_text')}</p>", status)


async def subscribe(subscribing: Subscribing, request: Request) -> HTMLResponse:
    """Takes the form of a page, which has one field, `email`."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    urls = [f"//platform{request.url.path}", *origins(request)]
    value, pages = form.get("email", [""])[0].strip(), _Pages(request)
    try:
        await subscribing.request(Wish(channel_type=ChannelType.email, value=value, said=Said(urls=urls)))
    except DomainError as error:
        return pages.say("page.refused", error.status)
    return pages.say("page.asked")


async def manage(token: str, subscribing: Subscribing, request: Request) -> HTMLResponse:
    """Offers to confirm a subscription, or to end it."""
    pages = _Pages(request, token)
    try:
        it = (await subscribing.subscriptions.edit(_read(token, request))).state
    except NotFound:
        return _known(token, request)
    if it.verified_at is None or it.chosen != it.wanted:
        return pages.show("ask.title", pages.confirm())
    who = f"<strong>{escape(it.channel_value)}</strong>"
    return pages.show("page.yours", f"<p>{pages.words('page.yours_text', address=who)}</p>{pages.end()}")


async def confirm(token: str, subscribing: Subscribing, request: Request) -> HTMLResponse:
    """Verifies a subscription."""
    pages = _Pages(request, token)
    try:
        await subscribing.verify(_read(token, request))
    except NotFound:
        return _known(token, request)
    except Invalid as error:
        late = error.errors[0].field == "token"
        return pages.say("page.late" if late else "page.refused", error.status)
    return pages.show("page.begun", f"<p>{pages.words('page.close')}</p>{pages.end()}")


async def leave(token: str, request: Request) -> HTMLResponse:
    """Asks whether the subscription shall end."""
    answer, pages = _known(token, request), _Pages(request, token)
    return answer if answer.status_code == 404 else pages.show("page.leave", pages.end("../"))


async def left(token: str, subscribing: Subscribing, request: Request) -> HTMLResponse:
    """Ends a subscription: by the button, or by a mail program (RFC 8058); again does no harm."""
    try:
        await subscribing.subscriptions.cancel(_read(token, request))
    except NotFound:
        return _known(token, request)
    return _Pages(request).say("page.ended")


def _known(token: str, request: Request) -> HTMLResponse:
    """Of a subscription that has ended; 404 when there never was one."""
    try:
        _read(token, request)
    except NotFound:
        return _Pages(request).say("page.unknown", 404)
    return _Pages(request).say("page.ended")


def _read(token: str, request: Request) -> UUID:
    return read_token(request.app.state.keys.tokens, token)


for prefix in PREFIXES:
    routes.add_api_route(prefix + "/subscribe", subscribe, methods=["POST"])
    routes.add_api_route(prefix + "/subscription/{token}", manage, methods=["GET"])
    routes.add_api_route(prefix + "/subscription/{token}", confirm, methods=["POST"])
    routes.add_api_route(prefix + "/subscription/{token}/unsubscribe", leave, methods=["GET"])
    routes.add_api_route(prefix + "/subscription/{token}/unsubscribe", left, methods=["POST"])
