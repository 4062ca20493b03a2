"""Signing in by a link or a token, signing out, and how the console looks to somebody."""

import re

from fastapi import APIRouter
from fastapi.responses import Response

from console.api import Api, Away, Refused, SignedOut
from console.language import LANGUAGES
from console.render import page
from console.session import with_choice
from console.viewer import GUARDED, Anybody, Form, Viewer

routes = APIRouter(include_in_schema=False)

THEMES = ("auto", "light", "dark")
_OWN = re.compile(r"/(?![/\\])[\w\-./~?=&%+:,]*", re.ASCII)


def inside(path: str) -> str:
    """A path of the console to go back to; the first page where it is anything else."""
    return path if _OWN.fullmatch(path) else "/"


@routes.get("/sign-in")
async def sign_in(v: Anybody, code: str = "", next: str = "/") -> Response:  # noqa: A002  # a parameter of the address
    """The form for a token, or, for whoever follows a link, its button."""
    return _form(v, next, code)


@routes.post("/sign-in")
async def signed_in(v: Anybody, form: Form) -> Response:
    """Exchanges a link's code or a token for a session key, which the new session holds."""
    code, token, back = form.one("code"), form.one("token").strip(), form.one("next")
    given = Api(v.request.app.state.http, v.request.app.state.address, token, _address(v))
    try:
        made = await given.send("POST", "resource-cmd/v1/session", {"code": code} if code else {})
    except Away:
        return _form(v, back, code, "The platform is away. Try again in a moment.", status=503)
    except (SignedOut, Refused) as error:
        late = v.request.app.state.tries.count(v.request)
        if late or (isinstance(error, Refused) and error.status == 429):
            return _form(v, back, code, "Too many wrong tokens came from your address. Wait a minute.", status=429)
        about = "This link has been used, or is older than ten minutes." if code else "This token is not known."
        return _form(v, back, "", about, status=401)
    return v.with_cookie(v.goto(inside(back)), v.session.signed_in(made["token"]))


@routes.post("/sign-out", dependencies=GUARDED)
async def signed_out(v: Anybody) -> Response:
    """Revokes the session key and forgets it, also where the platform is away."""
    said = "signed-out"
    if v.session.token:
        try:
            await v.api.send("DELETE", "resource-cmd/v1/session")
        except Away:
            said = "forgotten"
        except (SignedOut, Refused):
            pass
    return v.with_cookie(v.goto("/sign-in", done=said), v.session.signed_out())


@routes.post("/look")
async def look(v: Anybody, form: Form) -> Response:
    """Keeps the language and the theme that somebody wants, in the session."""
    language, theme = form.one("language"), form.one("theme")
    chosen = with_choice(v.session, language if language in LANGUAGES else "auto", theme if theme in THEMES else "auto")
    return v.with_cookie(v.goto(inside(form.one("next"))), chosen)


def _form(v: Viewer, back: str, code: str, problem: str = "", status: int = 200) -> Response:
    v.renew = True  # the form's token is of this session
    return page(v, "sign_in.html", status, code=code, next=inside(back), problem=problem)


def _address(v: Viewer) -> str:
    client = v.request.scope.get("client")
    return client[0] if client else ""
