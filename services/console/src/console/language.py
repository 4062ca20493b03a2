"""The console's languages: each is one file of `languages`; English texts are the keys of all others."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pinghome_web import language


class Language(language.Language):
    """A language; a text that it lacks is shown in English."""

    def __init__(self, words: dict[str, Any]) -> None:
        super().__init__(words)
        self._texts: dict[str, str] = words.get("texts", {})
        self.name: str = words["name"]

    def __call__(self, key: str, **values: object) -> str:
        """A text with values in their places."""
        found = self._texts.get(key) or self.words.get(key, key)
        return found.format(**values) if values else found

    def many(self, count: int, one: str, several: str, **values: object) -> str:
        """A text with a number; `one` and `several` are its English forms."""
        return self(one if count == 1 else several, count=self.whole(count), **values)

    def whole(self, value: int) -> str:
        """A whole number with thin spaces between thousands."""
        return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")

    def ago(self, at: datetime, now: datetime) -> str:
        """How long ago something was, in the two largest units."""
        return self.duration((now - at).total_seconds())

    def written(self, at: datetime) -> str:
        """A time in UTC."""
        return self.moment(at, UTC)


LANGUAGES = {
    path.stem: Language(json.loads(path.read_text(encoding="utf-8")))
    for path in sorted((Path(__file__).parent / "languages").glob("*.json"))
}
