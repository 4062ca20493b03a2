"""Draws pages."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi.responses import HTMLResponse

from console import charts, conditions, icons, states
from console.guard import FORM_TOKEN
from console.language import LANGUAGES
from console.viewer import SECRETS, Viewer
from pinghome_web.answer import SMALL
from pinghome_web.assets import Assets
from pinghome_web.glyphs import GLYPHS
from pinghome_web.templates import templates

ASSETS = Assets(Path(__file__).parent / "static")

_KNOWN = {
    "glyphs": GLYPHS,
    "icons": icons.ICONS,
    "shape": states.shape,
    "bucket": states.of_bucket,
    "conditions": conditions,
    "zone": ZoneInfo,
    "chart": charts,
    "languages": LANGUAGES,
    "FORM_TOKEN": FORM_TOKEN,
    "SECRETS": SECRETS,
    "moment_of": datetime.fromisoformat,
    "key": lambda: str(uuid4()),
    "names_of": lambda ids, names: ", ".join(names.get(each, "?") for each in ids),
}
_templates = templates(Path(__file__).parent / "templates", _KNOWN)


def page(viewer: Viewer, template: str, status: int = 200, **more: Any) -> HTMLResponse:
    """A page for somebody, compressed where the browser can read that, with the cookie renewed where it is due."""
    body = _templates.get_template(template).render(
        **more,
        v=viewer,
        t=viewer.t,
        url=viewer.url,
        now=datetime.now(UTC),
        here=viewer.request.scope["path"],
        done=viewer.request.query_params.get("done", ""),
        asset=ASSETS.urls(f"{viewer.root}/static/"),
    )
    raw, headers = body.encode("utf-8", "replace"), {"Vary": "Accept-Encoding"}
    if len(raw) > SMALL and "gzip" in viewer.request.headers.get("accept-encoding", ""):
        raw, headers["Content-Encoding"] = gzip.compress(raw, 4, mtime=0), "gzip"
    answer = HTMLResponse(raw, status, headers)
    viewer.with_cookie(answer)
    return answer
