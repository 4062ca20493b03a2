"""The languages of what subscribers read."""

import json
import re

import pytest

from pinghome_common.events.incident import IncidentStatus
from pinghome_common.events.statuspage import ComponentStatus
from statuspage_cmd import language
from statuspage_cmd.language import LANGUAGES, accepted


def files() -> dict[str, dict[str, str]]:
    folder = language.Path(language.__file__).parent / "languages"
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}


def test_each_language_has_the_same_words_with_the_same_places():
    found = files()
    assert set(found) == set(LANGUAGES) == {"en", "de"}
    places = {code: {key: sorted(re.findall(r"{\w*}", text)) for key, text in words.items()}
              for code, words in found.items()}  # fmt: skip
    assert places["de"] == places["en"]
    for status in IncidentStatus:
        assert f"incident.{status}" in found["en"]
    for status in ComponentStatus:
        assert f"component.{status}" in found["en"]


def test_braces_in_what_is_told_stay():
    assert LANGUAGES["en"]("incident.resolved", title="{title} {0}") == "Resolved: {title} {0}"


@pytest.mark.parametrize(
    ("header", "code"),
    [("", "en"), ("de", "de"), ("de-CH,fr;q=0.5", "de"), ("fr, de;q=0.5", "de"), ("fr", "en"), (";;,,=", "en")],
)
def test_browsers_language_is_known_by_its_first_part(header: str, code: str):
    assert accepted(header).code == code
