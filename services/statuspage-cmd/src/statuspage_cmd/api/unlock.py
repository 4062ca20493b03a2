"""The form of a private page: the password is exchanged for a pass, which statuspage-query lets in with."""

import time
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from pinghome_common.errors import NotFound
from pinghome_common.page_pass import COOKIE, LIFETIME, new_pass
from statuspage_cmd.api.pinghome.command import origins
from statuspage_cmd.pages.password import Busy, matches
from statuspage_cmd.pages.store import password_of
from statuspage_cmd.subscriptions.which import Said, Which

routes = APIRouter(include_in_schema=False)


@routes.post("/unlock")
@routes.post("/status/{subdomain}/unlock")
async def unlock(request: Request) -> RedirectResponse:
    """Goes back to the page, with a pass when the password is right."""
    state = request.app.state
    root = request.scope.get("root_path", "") + request.url.path.removesuffix("/unlock")
    async with state.db.transaction() as tx:
        said = Said(urls=[f"//platform{request.url.path}", origins(request)[-1]])
        page = await Which(tx, state.settings.status_domain).meant(said)
        hash_ = await password_of(tx, page.id) if page and page.type == "private" else None
    if page is None or hash_ is None:
        raise NotFound("Not found")
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    password = form.get("password", [""])[0]
    try:
        right = not state.unlock_tries.full(page.id, request.scope["client"]) and await matches(password, hash_)
    except Busy:
        return _back(root, "?unlock=later")
    if not right:
        late = state.unlock_tries.count(page.id, request.scope["client"])
        return _back(root, "?unlock=later" if late else "?unlock=failed")
    answer = _back(root, "")
    answer.set_cookie(
        COOKIE,
        new_pass(state.page_key, page.id, page.password_version, time.time()),
        max_age=LIFETIME,
        path=root or "/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


def _back(root: str, query: str) -> RedirectResponse:
    return RedirectResponse((root or "/") + query, 303, {"Cache-Control": "no-store"})
