"""Pages that say why there is nothing else to see."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from console.api import Away, Refused
from console.render import page
from console.viewer import anybody


async def signed_out(request: Request, _: Exception) -> Response:
    """To the form to sign in, and from there back; a fragment or a stream says 401."""
    viewer = await anybody(request)
    accepted = request.headers.get("accept", "")
    if request.method == "GET" and "hx-request" not in request.headers and "event-stream" not in accepted:
        query = f"?{request.url.query}" if request.url.query else ""
        return viewer.with_cookie(viewer.goto("/sign-in", next=request.scope["path"] + query))
    return await _error(request, 401, "You are signed out", "Sign in again; nothing was changed.")


async def away(request: Request, error: Exception) -> Response:
    """The platform, or a part of it, does not answer; what a form says can be sent again."""
    assert isinstance(error, Away)  # noqa: S101  # registered for it
    if request.method == "GET":
        about = "{service} does not answer. This page tries again by itself; check-ins and probes go on meanwhile."
        return await _error(request, 503, "The platform is away", about, away=True, again=True, service=error.service)
    about = "{service} is away. Nothing was lost: send it again in a moment."
    kept, secrets = request.state.posted.again() if hasattr(request.state, "posted") else ([], [])
    return await _error(
        request, 503, "The platform is away", about, away=True, kept=kept, secrets=secrets, service=error.service
    )


async def refused(request: Request, error: Exception) -> Response:
    """A service said no."""
    assert isinstance(error, Refused)  # noqa: S101  # registered for it
    if error.status == 403:
        about = "Your token may only read. Sign in with one that may write."
        return await _error(request, 403, "You may not do this", about)
    if error.status == 404:
        return await _missing(request)
    if error.status == 422 and request.method == "GET":
        return await _missing(request)
    return await _error(request, error.status, "This was refused", "{message}", message=error.message)


async def cross_site(request: Request, _: Exception) -> Response:
    """A form from elsewhere, or of another session."""
    about = (
        "It was not filled in here, or you have signed in anew since. Nothing was changed: go back and send it again."
    )
    return await _error(request, 403, "This form is not known", about)


async def http(request: Request, error: Exception) -> Response:
    """No such page."""
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for it
    if error.status_code == 404:
        return await _missing(request)
    return await _error(request, error.status_code, "This is not possible", str(error.detail))


async def unexpected(request: Request) -> Response:
    """Our own mistake."""
    return await _error(request, 500, "Something went wrong", "The console has made a mistake, which is in its log.")


async def _missing(request: Request) -> Response:
    return await _error(request, 404, "There is no such page", "It may have been deleted, or belong to somebody else.")


async def _error(request: Request, status: int, title: str, about: str, **more: Any) -> Response:
    viewer = await anybody(request)
    shown = {
        name: more.pop(name, default)
        for name, default in (("away", False), ("again", False), ("kept", ()), ("secrets", ()))
    }
    return page(viewer, "error.html", status, title=viewer.t(title), about=viewer.t(about, **more), **shown)
