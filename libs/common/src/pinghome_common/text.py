"""Cleans text from outside, once at the entry, so that PostgreSQL, JSON, msgpack and XML can all store it."""

import re

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_REPLACED = re.compile("[\ud800-\udfff\u202a-\u202e]")  # surrogates and direction overrides
_BREAK = re.compile("[\t-\r\x85\u2028\u2029]+")
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")  # all of C0 and C1 except tab and line feed
# Zero-width (non-)joiner, direction marks, and the tag characters of regional flags.
_JOINERS = frozenset("\u200c\u200d\u200e\u200f\u061c" + "".join(map(chr, range(0xE0020, 0xE0080))))


def clean(text: str, limit: int, *, lines: bool = False) -> str:
    """The first `limit` characters of a text without control characters.

    Lone surrogates and direction overrides are replaced by U+FFFD. Tab and line feed stay with `lines`; without it
    each run of line breaks and tabs becomes one space. Joiners of letters and emoji (U+200C, U+200D) stay.
    """
    text = text[:limit]
    if text.isprintable():  # the usual case; control characters and surrogates are not printable
        return text
    if not lines:
        text = _BREAK.sub(" ", text)
    return _REPLACED.sub(_REPLACEMENT, _CONTROL.sub("", text))


def one_line(text: str) -> str:
    """The text without line breaks and other unprintable characters, for subjects and headers.

    Joiners and direction marks stay, because some names need them.
    """
    return " ".join("".join(each if each.isprintable() or each in _JOINERS else " " for each in text).split())
