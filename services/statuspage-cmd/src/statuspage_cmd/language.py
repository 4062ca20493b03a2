"""What subscribers read, in the language of their page: each language is one file in `languages`."""

import json
from pathlib import Path

DEFAULT = "en"


class Language:
    """One language: `language("incident.resolved", title=…)`."""

    def __init__(self, code: str, words: dict[str, str]) -> None:
        self.code, self._words = code, words

    def __call__(self, key: str, **values: str) -> str:
        """A text with values in their places; KeyError when there is none."""
        return self._words[key].format(**values)


LANGUAGES = {
    path.stem: Language(path.stem, json.loads(path.read_text(encoding="utf-8")))
    for path in sorted((Path(__file__).parent / "languages").glob("*.json"))
}


def language(code: str) -> Language:
    """A language by its code; of others, and of `auto`, the default."""
    return LANGUAGES.get(code, LANGUAGES[DEFAULT])


def accepted(header: str) -> Language:
    """The first of Accept-Language that there is; browsers send them in the order of their users' wishes."""
    tags = [part.partition(";")[0].strip().partition("-")[0].lower() for part in header.split(",")]
    return language(next((tag for tag in tags if tag in LANGUAGES), DEFAULT))
