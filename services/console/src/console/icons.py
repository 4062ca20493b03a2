"""Small drawings beside words."""

from markupsafe import Markup

_PATHS = {
    "overview": "M3 10.5 10 4l7 6.5M5 9v7h10V9",
    "monitors": "M2.5 10h3.5l2-5 4 10 2-5h3.5",
    "heartbeats": "M10 16S3.5 12 3.5 7.7A3.4 3.4 0 0 1 10 6.2a3.4 3.4 0 0 1 6.5 1.5C16.5 12 10 16 10 16z",
    "servers": "M3.5 4h13v5h-13zM3.5 11h13v5h-13zM6 6.5h.1M6 13.5h.1",
    "alerts": "M5 13.5V9a5 5 0 0 1 10 0v4.5l1.5 1.5h-13zM8.5 17.2a2 2 0 0 0 3 0",
    "incidents": "M10 3.5 17.5 16h-15zM10 8.5v3.5M10 14v.1",
    "statuspages": "M3.5 4h13v12h-13zM3.5 7.5h13M6 11h5M6 13.2h8",
    "services": "M3 6.5 10 3l7 3.5-7 3.5zM3 10l7 3.5 7-3.5M3 13.5 10 17l7-3.5",
    "regions": "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM3 10h14M10 3c-2.5 2-2.5 12 0 14M10 3c2.5 2 2.5 12 0 14",
    "keys": "M12.5 3.5a4 4 0 1 1-3.6 5.8L3.5 14.7V17h3v-2h2v-2h1.8l1-1.2a4 4 0 0 1 1.2-8.3zM13.2 7.3v.1",
    "audit": "M6 5h11M6 10h11M6 15h11M3 5h.1M3 10h.1M3 15h.1",
    "health": "M10 3 4 5.5v4.6c0 3.6 2.5 5.9 6 6.9 3.5-1 6-3.3 6-6.9V5.5zM7.5 10l1.8 1.8 3.4-3.6",
    "menu": "M3 5.5h14M3 10h14M3 14.5h14",
    "search": "M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM13 13l4 4",
    "plus": "M10 4v12M4 10h12",
    "copy": "M7 7h9v9H7zM4 13V4h9",
}
ICONS = {
    name: Markup(f'<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d="{path}"/></svg>')  # noqa: S704
    for name, path in _PATHS.items()
}
