"""The page behind the link that a new mail address is sent: GET shows a button, POST confirms."""

from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from pinghome_common.clock import now
from pinghome_common.secret import derive
from pinghome_delivery.confirm import confirm, read_token
from resource_cmd.delivery.audience import refresh

routes = APIRouter(include_in_schema=False)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
ASK = (
    "<p>Shall <strong>{}</strong> be told when monitors go down and come back?</p>"
    '<form method="post"><button>Yes, send alerts to this address</button></form>'
)
DONE = "<p><strong>{}</strong> is confirmed. You may close this page.</p>"
OVER = "<p>This link is not valid, or no longer. Saving the channel again has a new one sent.</p>"


def _page(text: str, status: int = 200) -> HTMLResponse:
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Pinghome</title>'
    return HTMLResponse(f'{head}<meta name="viewport" content="width=device-width">{text}</html>', status, HEADERS)


@routes.get("/confirm/{token}")
async def ask(token: str, request: Request) -> HTMLResponse:
    """Asks whether the address shall be told; nothing changes, for programs follow links, too."""
    try:
        _, address = read_token(_key(request), token, now())
    except ValueError:
        return _page(OVER, 404)
    return _page(ASK.format(escape(address)))


@routes.post("/confirm/{token}")
async def confirmed(token: str, request: Request) -> HTMLResponse:
    """Confirms the address; what waited for that is delivered."""
    try:
        organisation, address = read_token(_key(request), token, now())
    except ValueError:
        return _page(OVER, 404)
    state = request.app.state
    async with state.db.transaction() as tx:
        await confirm(tx, organisation, address)
        await refresh(tx, derive(state.settings.secret_key, "channel"), state.transports, organisation)
    state.relay.wake()
    return _page(DONE.format(escape(address)))


def _key(request: Request) -> bytes:
    return derive(request.app.state.settings.secret_key, "confirm")
