"""A program's own files, each under a name that changes with its content."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from pinghome_web.answer import FOREVER, Answer, answer

SHARED = Path(__file__).parent / "static"
"""Colours, type and components of all pages, from which each program's own style sheet goes on, and a worker."""

_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Assets:
    """The files of a folder and those of all programs; `style.css` begins with the design.

    Attributes:
        names: the public name of each file.
    """

    def __init__(self, folder: Path) -> None:
        self.names: dict[str, str] = {}
        self._answers: dict[str, Answer] = {}
        for path in [SHARED / "follow.js", *sorted(folder.iterdir())]:
            if path.suffix not in _KINDS:
                continue
            body = ((SHARED / "design.css").read_bytes() if path.name == "style.css" else b"") + path.read_bytes()
            public = self.names[path.name] = f"{path.stem}-{sha256(body).hexdigest()[:12]}{path.suffix}"
            self._answers[public] = answer(body, _KINDS[path.suffix], cache=FOREVER)

    def urls(self, prefix: str) -> Mapping[str, str]:
        """The address of each file below a prefix."""
        return {name: prefix + public for name, public in self.names.items()}

    def find(self, public: str) -> Answer | None:
        """A file by its public name."""
        return self._answers.get(public)
