"""Cleans HTML of people, once where it enters and again where it is shown (reliability.md S9)."""

import re
from html import escape

import nh3

TAGS = frozenset(("b", "i", "em", "strong", "u", "s", "strike", "br", "p", "div", "ul", "ol", "li", "code", "pre", "a"))

_STRIKETHROUGH = re.compile(r"<(/?)strikethrough\s*>", re.IGNORECASE)


def clean(text: str) -> str:
    """The HTML without all but a few harmless tags, and links by https only; plain text stays as it is."""
    if "<" not in text:
        return text
    return nh3.clean(
        _STRIKETHROUGH.sub(r"<\1s>", text), tags=set(TAGS), attributes={"a": {"href"}}, url_schemes={"https"}
    )


def quoted(text: str) -> str:
    """A text as a message that says just this; without `<` a message is plain text, whatever else is in it."""
    return f"<p>{escape(text, quote=False)}</p>" if "<" in text else text
