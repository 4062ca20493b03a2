"""Text from outside is made clean so that every store and every format can hold it."""

import json
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinghome_common.text import clean

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)
"""With NUL, controls and lone surrogates."""


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain", "plain"),
        ("", ""),
        ("a\0b", "ab"),
        ("a\ud83db", "a\N{REPLACEMENT CHARACTER}b"),
        ("\x1b[31mred\x7f\x9b", "[31mred"),
        ("one\r\n\ttwo\x85three\u2028four", "one two three four"),
        ("grüße βόλος 世界 💥", "grüße βόλος 世界 💥"),
        ("👨\u200d👩\u200d👧 می\u200cروم", "👨\u200d👩\u200d👧 می\u200cروم"),
        ("evil\u202egpj.exe", "evil\N{REPLACEMENT CHARACTER}gpj.exe"),
        ("a\ufffeb\uffffc", "abc"),
    ],
)
def test_clean_text_has_no_control_character_and_no_lone_surrogate(text, cleaned):
    assert clean(text, 100) == cleaned


def test_lines_and_tabs_stay_where_they_are_meant():
    assert clean("a\r\n\tb\0\x85c", 100, lines=True) == "a\n\tbc"


def test_length_is_bounded():
    assert clean("x" * 1000, 10) == "x" * 10
    assert clean("\0" * 1000 + "x", 10) == ""


@given(ANY_TEXT, st.integers(0, 400), st.booleans())
@example("\ud800\0\x1b\u200d", 10, True)
def test_whatever_the_text_it_can_be_stored_and_sent(text, limit, lines):
    cleaned = clean(text, limit, lines=lines)

    assert len(cleaned) <= limit
    assert clean(cleaned, limit, lines=lines) == cleaned
    assert "\0" not in cleaned
    assert json.loads(json.dumps(cleaned, ensure_ascii=False).encode()) == cleaned
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(cleaned)) == cleaned
    ET.fromstring(f"<a>{cleaned.replace('&', '&amp;').replace('<', '&lt;')}</a>")  # noqa: S314  # our own text


@given(st.text(max_size=100).filter(str.isprintable))
def test_what_can_be_read_stays_as_it_is(text):
    assert clean(text, 1000) == text
