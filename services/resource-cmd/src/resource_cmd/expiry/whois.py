"""What a WHOIS server's answer says of a domain, in time that its length bounds; no I/O."""

from typing import Any

from asyncwhois.errors import NotFoundError
from asyncwhois.parse import BaseParser, TLDBaseKeys
from asyncwhois.parse_tld import DomainParser

LINES, WIDTH, LARGEST = 400, 200, 16 << 10
"""Lines, characters of a line, and characters in all that are looked at; comments do not count."""

_WANTED = (TLDBaseKeys.DOMAIN_NAME, TLDBaseKeys.REGISTRAR, TLDBaseKeys.CREATED, TLDBaseKeys.EXPIRES)
_SLOW = r"[Registrant Contact Information\w\W]+"
"""Begins two of the library's expressions, matches anything, and makes them quadratic."""


class Parser(DomainParser):
    """The library's, with the expressions that are wanted only: those of contacts and name servers are quadratic."""

    def parse(self, blob: str, tld: str) -> dict[Any, Any]:
        """What it says.

        Raises:
            NotFoundError: the registry does not know the domain.
        """
        text = bounded(blob)
        if any(words in text.lower() for words in self._no_match_checks):
            raise NotFoundError("Domain not found!")
        parser = self._init_parser(tld)
        known = {key: parser.reg_expressions.get(key) or "" for key in _WANTED}
        parser.reg_expressions = {key: expression.removeprefix(_SLOW) for key, expression in known.items()}
        return BaseParser.parse(parser, text)


def bounded(text: str) -> str:
    """The beginning of an answer without comments, cut in both directions."""
    lines = (line[:WIDTH] for line in text.split("\n") if not line.startswith(("%", "#")))
    return "\n".join(line for line, _ in zip(lines, range(LINES), strict=False))[:LARGEST]
