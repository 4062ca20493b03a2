"""Cookies within one chain of redirects, as login and consent pages need them (a subset of RFC 6265)."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookiejar import http2time  # type: ignore[attr-defined]  # typeshed leaves it out

from prober.probes.site import is_address, registered

MOST, LONGEST = 50, 4096
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\0-\x08\x0a-\x1f\x7f;]*")


@dataclass(slots=True)
class Cookie:
    """One cookie; `shared` when it is for the names below `domain`, too."""

    name: str
    value: str
    domain: str
    shared: bool
    path: str
    secure: bool

    def fits(self, host: str, path: str, *, tls: bool) -> bool:
        """True when it is to be sent there."""
        named = host == self.domain or (self.shared and host.endswith("." + self.domain))
        below = path == self.path or path.startswith(self.path if self.path.endswith("/") else self.path + "/")
        return named and below and (tls or not self.secure)


class Jar:
    """At most `MOST` cookies, which live as long as the probe."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], Cookie] = {}

    def take(self, headers: Iterable[tuple[bytes, bytes]], host: str, path: str) -> None:
        """Keeps what an answer of `host` to a request for `path` sets; what it may not set is passed over."""
        for name, value in headers:
            if name.lower() == b"set-cookie" and len(value) <= LONGEST:
                self._set(value.decode("utf-8", "surrogateescape"), host, path.partition("?")[0])

    def header(self, host: str, path: str, *, tls: bool) -> str:
        """The value of the Cookie header for a request; empty when there is none to send."""
        path = path.partition("?")[0]
        fitting = [each for each in self._kept.values() if each.fits(host, path, tls=tls)]
        return "; ".join(f"{it.name}={it.value}" for it in sorted(fitting, key=lambda it: -len(it.path)))

    def _set(self, text: str, host: str, path: str) -> None:
        pair, *rest = text.split(";")
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return
        attributes = {key.strip().lower(): what.strip() for key, _, what in (part.partition("=") for part in rest)}
        domain = attributes.get("domain", "").lstrip(".").lower()
        if domain and domain != host and not _may_share(domain, host):
            return
        given = attributes.get("path", "")
        cookie = Cookie(
            name=name,
            value=value,
            domain=domain or host,
            shared=bool(domain) and not is_address(host),
            path=given if given.startswith("/") else path.rpartition("/")[0] or "/",
            secure="secure" in attributes,
        )
        key = cookie.domain, cookie.path, name
        if _is_gone(attributes):
            self._kept.pop(key, None)
        elif key in self._kept or len(self._kept) < MOST:
            self._kept[key] = cookie


def _may_share(domain: str, host: str) -> bool:
    """True for a domain above the host that is no public suffix."""
    return host.endswith("." + domain) and not is_address(host) and registered(domain) != ""


def _is_gone(attributes: dict[str, str]) -> bool:
    """True when a cookie is set in order to delete it."""
    age = attributes.get("max-age", "")
    if re.fullmatch(r"-?\d{1,15}", age):
        return int(age) <= 0
    until = http2time(attributes.get("expires", ""))
    return until is not None and until <= time.time()


def merged(own: str, jar: str) -> str:
    """The Cookie header of a monitor's own cookies and of those from the chain, which replace them by name."""
    newer = {pair.partition("=")[0] for pair in jar.split("; ")}
    kept = [pair for each in own.split(";") if (pair := each.strip()) and pair.partition("=")[0] not in newer]
    return "; ".join([*kept, jar])
