"""Plain text of clean HTML."""

from html.parser import HTMLParser

_BLOCKS = ("p", "div", "ul", "ol", "pre", "br", "li")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._links.append(dict(attrs).get("href") or "")
        elif tag in _BLOCKS:
            self.parts.append("\n- " if tag == "li" else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._links:
            link = self._links.pop()
            self.parts.append(f" ({link})" if link and link not in self.parts[-1:] else "")
        elif tag in _BLOCKS and tag not in ("br", "li"):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def plain(html: str, most: int) -> str:
    """The text of HTML, at most so many characters; links follow their text in parentheses."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = [line.strip() for line in "".join(reader.parts).splitlines()]
    text = "\n".join(line for place, line in enumerate(lines) if line or (place and lines[place - 1])).strip()
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
