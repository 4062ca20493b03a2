"""Status pages before the public sees them: contract K, our extension."""

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from pinghome_common.clock import now
from pinghome_common.dialects.pinghome import Router
from pinghome_common.dialects.pinghome_fields import Id
from pinghome_common.errors import NotFound
from pinghome_web.language import chosen
from statuspage_query.api.pinghome.reading import Reading
from statuspage_query.public.addresses import Addresses, header
from statuspage_query.public.languages import LANGUAGES
from statuspage_query.public.preview import POLICY, preview
from statuspage_query.public.read import material

routes = Router(tags=["Status pages"])

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@routes.get(
    "/v1/statuspage/{id}/preview",
    response_class=HTMLResponse,
    responses={200: {"content": {"text/html": {"example": "<!doctype html>…"}}}},
)
async def one(id: Id, read: Reading, request: Request) -> Response:  # noqa: A002  # the document's word
    """The HTML of a page as it is saved, also while it is disabled or private (our extension).

    All that it shows is in it. It comes with a policy that lets nothing run: open it in a tab of its own.
    """
    await read.page(id)  # whose it is
    it = await material(request.app.state.db, id, now())
    if it is None:
        raise NotFound("Status page not found")
    addresses: Addresses = request.app.state.addresses
    url = addresses.url(it.page, request.scope, header(request.scope, b"host"), verified=it.verified)
    language = chosen(it.page.language, header(request.scope, b"accept-language"), LANGUAGES)
    return HTMLResponse(preview(it, url, language, now()), headers=HEADERS)
