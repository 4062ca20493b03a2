"""What a badge shows, and its picture (contract B.7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from unicodedata import east_asian_width

from pinghome_common.text import clean


@dataclass(frozen=True, slots=True)
class Overall:
    """The combined status of some checks: up, late or down; `total` includes new and paused checks."""

    status: str
    total: int
    grace: int
    down: int


def overall(statuses: Iterable[str], *, two_states: bool) -> Overall:
    """Combines the statuses of checks; with two states a late check counts as up."""
    found = list(statuses)
    grace, down = found.count("grace"), found.count("down")
    status = "down" if down else "late" if grace and not two_states else "up"
    return Overall(status, len(found), grace, down)


SHIELDS_COLORS = {"up": "success", "late": "important", "down": "critical"}
_COLORS = {"up": "#4c1", "late": "#fe7d37", "down": "#e05d44"}

# Widths of Verdana 11px in pixels.
_WIDTHS = {
    **dict.fromkeys("ijl'", 3.0), **dict.fromkeys(" .,", 4.0), **dict.fromkeys(":;!I[]()/\\ft-r|", 4.8),
    **dict.fromkeys('sczkvxy*J"', 6.0), **dict.fromkeys("wOQGDHNU&~+=<>#^", 8.8), **dict.fromkeys("Mm@%W", 10.6),
}  # fmt: skip
_DEFAULT_WIDTH, _FULL_WIDTH = 7.0, 11.0


def _width(text: str) -> int:
    return (
        round(sum(_FULL_WIDTH if east_asian_width(it) in "WF" else _WIDTHS.get(it, _DEFAULT_WIDTH) for it in text)) + 10
    )


def svg(label: str, status: str) -> str:
    """The badge as an SVG document."""
    label = clean(label, len(label))  # XML allows no control characters, not even escaped
    left, right = _width(label), _width(status)
    width, name = left + right, escape(label)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{name}: {status}">'
        f"<title>{name}: {status}</title>"
        '<linearGradient id="s" x2="0" y2="100%"><stop offset="0" stop-color="#bbb" stop-opacity=".1"/>'
        '<stop offset="1" stop-opacity=".1"/></linearGradient>'
        f'<clipPath id="r"><rect width="{width}" height="20" rx="3" fill="#fff"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#555"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLORS[status]}"/>'
        f'<rect width="{width}" height="20" fill="url(#s)"/></g>'
        '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">'
        + "".join(
            f'<text x="{x}" y="15" fill="#010101" fill-opacity=".3" textLength="{length}">{text}</text>'
            f'<text x="{x}" y="14" textLength="{length}">{text}</text>'
            for x, length, text in ((left / 2, left - 10, name), (left + right / 2, right - 10, status))
        )
        + "</g></svg>"
    )
