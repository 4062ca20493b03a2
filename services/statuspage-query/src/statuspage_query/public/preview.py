"""A page as it would be, in one file: its address may not answer, and whoever shows this may have another one."""

import re
from base64 import b64encode
from datetime import datetime

from statuspage_query.public.assets import NAMES, accent_name, asset
from statuspage_query.public.material import Material
from statuspage_query.public.published import Published
from statuspage_query.public.render import Place

POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Nothing of it runs, or is loaded from anywhere."""

_LOADED = re.compile(r'<script\b[^>]*></script>|<link rel="icon"[^>]*href="http[^>]*>')
"""What would be loaded from the page's address."""


def preview(it: Material, url: str, language: str, now: datetime) -> str:
    """The HTML of a page's first view, with its style sheets and pictures inside of it and without scripts.

    Args:
        it: what is known of the page.
        url: its address, to which its links lead.
        language: it is shown in.
        now: the time.
    """
    page = Published(it)
    at = Place(url, url, language, logo=page.logo, favicon=page.favicon)
    answer = page.answer("", at, now)
    assert answer  # noqa: S101  # every page has a first view
    html, accent = answer.body.decode(), it.page.accent_color
    for name in (NAMES["style.css"], accent_name(accent) if accent else ""):
        if sheet := asset(name, accent):
            link = f'<link rel="stylesheet" href="{url}/static/{name}">'
            html = html.replace(link, f"<style>{sheet.body.decode()}</style>")
    for name, picture in it.pictures.items():
        html = html.replace(f'"{url}/images/{name}"', f'"data:image/png;base64,{b64encode(picture).decode()}"')
    return _LOADED.sub("", html)
