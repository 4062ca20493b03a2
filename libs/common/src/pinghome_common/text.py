"""Cleans text from outside once, where it enters, so that PostgreSQL, JSON, msgpack and XML can all hold it."""

import re

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_REPLACED = re.compile("[\ud800-\udfff\u202a-\u202e]")  # surrogates and direction overrides
_BREAK = re.compile("[\t-\r\x85\u2028\u2029]+")
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")  # all of C0 and C1 but tab and line feed


def clean(text: str, limit: int, *, lines: bool = False) -> str:
    """The first `limit` characters of a text without control characters.

    Lone surrogates and direction overrides are replaced by U+FFFD. Tab and line feed stay with `lines`; without it
    each run of line breaks and tabs becomes one space. Joiners of letters and emoji (U+200C, U+200D) stay.
    """
    text = text[:limit]
    if text.isprintable():  # the usual case: neither controls nor surrogates are printable
        return text
    if not lines:
        text = _BREAK.sub(" ", text)
    return _REPLACED.sub(_REPLACEMENT, _CONTROL.sub("", text))
