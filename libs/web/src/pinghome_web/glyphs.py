"""The sign of each state: none is told by its colour alone."""

from markupsafe import Markup

_SIGNS = {
    "ok": "M4.6 8.3 7 10.7l4.5-5.2",
    "degraded": "M4 8.6c1.3-1.8 2.7-1.8 4 0s2.7 1.8 4 0",
    "partial": "M8 4.2v4.4M8 11.4v.2",
    "major": "m5.3 5.3 5.4 5.4m0-5.4-5.4 5.4",
    "maintenance": "M8 4.4V8l2.4 1.6",
    "unknown": "M5 8h6",
    "paused": "M6.3 5.2v5.6M9.7 5.2v5.6",
}
GLYPHS = {
    shape: Markup(  # noqa: S704  # our own
        f'<svg class="glyph {shape}" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="8"/>'
        f'<path d="{sign}"/></svg>'
    )
    for shape, sign in _SIGNS.items()
}
