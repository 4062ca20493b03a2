"""The page's own files, each under a name that changes with its content."""

from hashlib import sha256
from pathlib import Path

from statuspage_query.public.answer import FOREVER, Answer, answer
from statuspage_query.public.colors import sheet

_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def _load() -> tuple[dict[str, str], dict[str, Answer]]:
    names, answers = {}, {}
    for path in sorted((Path(__file__).parent / "static").iterdir()):
        if path.suffix not in _KINDS:
            continue
        body = path.read_bytes()
        names[path.name] = f"{path.stem}-{sha256(body).hexdigest()[:12]}{path.suffix}"
        answers[names[path.name]] = answer(body, _KINDS[path.suffix], cache=FOREVER)
    return names, answers


NAMES, _FILES = _load()
"""The public name of each file."""


def asset(name: str, accent: str) -> Answer | None:
    """A file by its public name; None for what a page with this accent colour has not."""
    if accent and name == accent_name(accent):
        return answer(sheet(accent), "text/css", cache=FOREVER)
    return _FILES.get(name)


def accent_name(accent: str) -> str:
    """The public name of the style sheet of an accent colour."""
    return f"accent-{accent[1:].lower()}.css"
