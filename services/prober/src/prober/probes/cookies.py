"""Cookies within one chain of redirects, as login and consent pages need them (a subset of RFC 6265)."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http.cookiejar import http2time  # type: ignore[attr-defined]  # typeshed leaves it out

from prober.probes.site import is_address, registered

MAX_COOKIES, MAX_LENGTH = 50, 4096
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\0-\x08\x0a-\x1f\x7f;]*")


@dataclass(slots=True)
class Cookie:
    """One cookie; `shared` if it is also sent to subdomains of `domain`."""

    name: str
    value: str
    domain: str
    shared: bool
    path: str
    secure: bool

    def matches(self, host: str, path: str, *, tls: bool) -> bool:
        """True if it is sent with a request for this host and path."""
        same_host = host == self.domain or (self.shared and host.endswith("." + self.domain))
        same_path = path == self.path or path.startswith(self.path if self.path.endswith("/") else self.path + "/")
        return same_host and same_path and (tls or not self.secure)


class Jar:
    """At most `MAX_COOKIES` cookies, for the duration of a probe."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}

    def take(self, headers: Iterable[tuple[bytes, bytes]], host: str, path: str) -> None:
        """Stores the cookies of an answer from `host` to a request for `path`; invalid ones are ignored."""
        for name, value in headers:
            if name.lower() == b"set-cookie" and len(value) <= MAX_LENGTH:
                self._set(value.decode("utf-8", "surrogateescape"), host, path.partition("?")[0])

    def header(self, host: str, path: str, *, tls: bool) -> str:
        """The value of the Cookie header for a request; may be empty."""
        path = path.partition("?")[0]
        matching = [each for each in self._cookies.values() if each.matches(host, path, tls=tls)]
        return "; ".join(f"{it.name}={it.value}" for it in sorted(matching, key=lambda it: -len(it.path)))

    def _set(self, text: str, host: str, path: str) -> None:
        pair, *rest = text.split(";")
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return
        attributes = {key.strip().lower(): text.strip() for key, _, text in (part.partition("=") for part in rest)}
        domain = attributes.get("domain", "").lstrip(".").lower()
        if domain and domain != host and not _may_be_shared(domain, host):
            return
        attribute_path = attributes.get("path", "")
        cookie = Cookie(
            name=name,
            value=value,
            domain=domain or host,
            shared=bool(domain) and not is_address(host),
            path=attribute_path if attribute_path.startswith("/") else path.rpartition("/")[0] or "/",
            secure="secure" in attributes,
        )
        key = cookie.domain, cookie.path, name
        if _is_deleted(attributes):
            self._cookies.pop(key, None)
        elif key in self._cookies or len(self._cookies) < MAX_COOKIES:
            self._cookies[key] = cookie


def _may_be_shared(domain: str, host: str) -> bool:
    """True for a parent domain of the host that is not a public suffix."""
    return host.endswith("." + domain) and not is_address(host) and registered(domain) != ""


def _is_deleted(attributes: dict[str, str]) -> bool:
    """True if the cookie is set to expire at once."""
    age = attributes.get("max-age", "")
    if re.fullmatch(r"-?\d{1,15}", age):
        return int(age) <= 0
    until = http2time(attributes.get("expires", ""))
    return until is not None and until <= time.time()


def merged(own: str, jar: str) -> str:
    """Merges a monitor's cookies with those set during redirects, which win."""
    replaced = {pair.partition("=")[0] for pair in jar.split("; ")}
    others = [pair for each in own.split(";") if (pair := each.strip()) and pair.partition("=")[0] not in replaced]
    return "; ".join([*others, jar])
