"""The two forms of a message: HTML to show, and its plain words."""

import re
from html import escape
from html.parser import HTMLParser

from pinghome_common.html import clean

_BREAKS = {"p", "br", "li", "div", "ul", "ol", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "tr"}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def as_html(message: str) -> str:
    """A message as clean HTML; one without tags is text, with a paragraph for each line."""
    if "<" in message:
        return clean(message)
    return "".join(f"<p>{escape(line)}</p>" for line in message.splitlines() if line.strip())


def text(html: str) -> str:
    """The words of some HTML, a line for each paragraph."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).splitlines())
    return "\n".join(line for line in lines if line)


def for_xml(value: str) -> str:
    """A text without the characters that XML does not know."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value)
