"""Parses host names (IDNA 2008 with UTS 46) and URLs."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna

# No zone index; no leading hyphen, which could become a command-line option (S2).
_HOST = re.compile(r"[0-9a-z_.:][0-9a-z_.:-]*")
_CONTROL = re.compile(r"[\0-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Url:
    """A parsed absolute URL; `host` is in lower-case ASCII, an IPv6 address without its brackets."""

    scheme: str
    host: str
    port: int | None
    username: str | None
    password: str | None
    path: str
    query: str


def to_ascii(host: str) -> str:
    """A host name in lower-case ASCII, such as `xn--strae-oqa.test` for `straße.test`.

    Raises:
        ValueError: it is not a valid host name.
    """
    if not host.isascii():
        try:
            labels = idna.uts46_remap(host, std3_rules=False, transitional=False).split(".")
            host = ".".join(label if label.isascii() else _label(label) for label in labels)
        except (idna.IDNAError, UnicodeError) as error:
            raise ValueError("its host name is not valid") from error
    host = host.lower()
    labels = host.removesuffix(".").split(".")
    if len(host) > 254 or (":" not in host and not all(0 < len(label) < 64 for label in labels)):
        raise ValueError("its host name is not valid")
    return host


def _label(label: str) -> str:
    try:
        return idna.alabel(label).decode()
    except idna.InvalidCodepoint:  # an emoji: excluded by IDNA 2008, accepted by UTS 46 and all browsers
        return f"xn--{label.encode('punycode').decode()}"


def parse_url(text: str) -> Url:
    """Parses an absolute URL; the caller checks scheme, port and user.

    Raises:
        ValueError: it is not valid; the text is a sentence.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:  # an unterminated IPv6 address, a port that is not a number
        raise ValueError("it is not a valid URL") from error
    if _CONTROL.search(text) or "\\" in parts.netloc or not parts.scheme or port == 0:
        raise ValueError("it is not a valid URL")
    host = to_ascii(parts.hostname or "")
    if not _HOST.fullmatch(host):
        raise ValueError("its host name is not valid")
    return Url(parts.scheme, host, port, parts.username, parts.password, parts.path, parts.query)


def web_url(text: str) -> Url | None:
    """An absolute http or https URL without user and password, parsed; None when it is none."""
    try:
        parts = parse_url(text)
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") and parts.username is None else None
