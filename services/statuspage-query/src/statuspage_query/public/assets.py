"""The files of pages: those that all have, and the style sheet of a page's accent colour."""

from pathlib import Path

from pinghome_web.answer import FOREVER, Answer, answer
from pinghome_web.assets import Assets
from statuspage_query.public.colors import sheet

_FILES = Assets(Path(__file__).parent / "static")
NAMES = _FILES.names
"""The public name of each file."""


def asset(name: str, accent: str) -> Answer | None:
    """A file by its public name; None for what a page with this accent colour has not."""
    if accent and name == accent_name(accent):
        return answer(sheet(accent), "text/css", cache=FOREVER)
    return _FILES.find(name)


def accent_name(accent: str) -> str:
    """The public name of the style sheet of an accent colour."""
    return f"accent-{accent[1:].lower()}.css"
