"""The pages behind a subscriber's links: GET shows buttons, because programs follow links, too; POST acts."""

import base64
import hashlib
from html import escape
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pinghome_common.errors import DomainError, Invalid, NotFound
from pinghome_common.events.subscription import ChannelType
from statuspage_cmd.api.pinghome.command import Subscribing, origins
from statuspage_cmd.subscriptions.asking import Wish
from statuspage_cmd.subscriptions.audience import verify
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
END = '<form method="post" action="{0}/unsubscribe"><button>Unsubscribe</button></form>'
CONFIRM = '<form method="post" action="{0}"><button>Confirm the subscription</button></form>' + END
ENDED = "You are unsubscribed", "<p>You will be told nothing more. You may close this page.</p>"
UNKNOWN = "This link is not valid", "<p>Perhaps it was not copied completely.</p>"
PREFIXES = "", "/status/{subdomain}"
ASKED = "Check your inbox", "<p>We have sent you a link. Follow it within 24 hours to be told from then on.</p>"


def _page(title: str, text: str, status: int = 200) -> HTMLResponse:
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    view = '<meta name="viewport" content="width=device-width">'
    return HTMLResponse(f"{head}{view}<main><h1>{title}</h1>{text}</main></html>", status, HEADERS)


async def subscribe(subscribing: Subscribing, request: Request) -> HTMLResponse:
    """Takes the form of a page, which has one field, `email`."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    urls = [f"//platform{request.url.path}", *origins(request)]
    value = form.get("email", [""])[0].strip()
    try:
        await subscribing.request(Wish(channel_type=ChannelType.email, value=value, said=Said(urls=urls)))
    except DomainError as error:
        reasons = [each.message for each in error.errors] if isinstance(error, Invalid) else [error.message]
        return _page("That did not work", f"<p>{escape('; '.join(reasons))}</p>", error.status)
    return _page(*ASKED)


async def manage(token: str, subscribing: Subscribing, request: Request) -> HTMLResponse:
    """Offers to confirm a subscription, or to end it."""
    try:
        it = (await subscribing.subscriptions.edit(read_token(request.app.state.keys.tokens, token))).state
    except NotFound:
        return _known(token, request)
    asks = it.verified_at is None or it.chosen != it.wanted
    text = (CONFIRM if asks else END).format(escape(token))
    who = f"<p><strong>{escape(it.channel_value)}</strong> is told of incidents and maintenance.</p>"
    return _page("Confirm your subscription" if asks else "Your subscription", ("" if asks else who) + text)


async def confirm(token: str, subscribing: Subscribing, request: Request) -> HTMLResponse:
    """Verifies a subscription."""
    try:
        await verify(subscribing.subscriptions, read_token(request.app.state.keys.tokens, token))
    except NotFound:
        return _known(token, request)
    except Invalid as error:
        return _page("It is too late", f"<p>{escape(error.errors[0].message)}</p>", 422)
    return _page("You are subscribed", f"<p>You may close this page.</p>{END.format(escape(token))}")


async def leave(token: str, request: Request) -> HTMLResponse:
    """Asks whether the subscription shall end."""
    answer = _known(token, request)
    return answer if answer.status_code == 404 else _page("Unsubscribe?", END.format("../" + escape(token)))


async def left(token: str, subscribing: Subscribing, request: Request) -> HTMLResponse:
    """Ends a subscription: by the button, or by a mail program (RFC 8058); again does no harm."""
    try:
        await subscribing.subscriptions.cancel(read_token(request.app.state.keys.tokens, token))
    except NotFound:
        return _known(token, request)
    return _page(*ENDED)


def _known(token: str, request: Request) -> HTMLResponse:
    """Of a subscription that has ended; 404 when there never was one."""
    try:
        read_token(request.app.state.keys.tokens, token)
    except NotFound:
        return _page(*UNKNOWN, 404)
    return _page(*ENDED)


for prefix in PREFIXES:
    routes.add_api_route(prefix + "/subscribe", subscribe, methods=["POST"])
    routes.add_api_route(prefix + "/subscription/{token}", manage, methods=["GET"])
    routes.add_api_route(prefix + "/subscription/{token}", confirm, methods=["POST"])
    routes.add_api_route(prefix + "/subscription/{token}/unsubscribe", leave, methods=["GET"])
    routes.add_api_route(prefix + "/subscription/{token}/unsubscribe", left, methods=["POST"])
