"""HTTP requests: a parsed URL, the bytes of a request, and how a redirect changes both."""

import re
from base64 import b64encode
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote, unquote, urljoin

from pinghome_common.guard import AddressForbidden
from pinghome_common.hosts import parse_url
from prober.probes.cookies import merged
from prober.probes.error_mapping import Broken
from prober.probes.site import registered

USER_AGENT = "Pinghome/0.1 (+https://github.com/pinghome)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_DEFAULTS = {
    "accept": "Accept: */*",
    "accept-encoding": "Accept-Encoding: identity",
    "user-agent": f"User-Agent: {USER_AGENT}",
}
# Users may not choose the host or the framing; the last three give access to metadata services (S18).
_FORBIDDEN = frozenset(
    {
        *("host", "content-length", "transfer-encoding", "connection"),
        *("metadata-flavor", "x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds"),
    }
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
_LINE_BREAK = re.compile(r"[\r\n\0]")
_HARMLESS = frozenset({"accept", "accept-language", "user-agent"})  # may be sent to another host
_PORTS = {"http": 80, "https": 443}
_URL_LIMIT = 8192
_SAFE = "!$%&'()*+,/:;=?@[]~"
_PRINTABLE = re.compile(r"[!-~]*")


@dataclass(slots=True, frozen=True)
class Target:
    """A parsed URL; `host` is ASCII, `authority` the Host header, `path` includes the query."""

    url: str
    tls: bool
    host: str
    port: int
    authority: str
    path: str
    basic: str


@dataclass(slots=True)
class Request:
    """One request of a chain of redirects; `cookies` is the Cookie header of cookies set by the chain."""

    target: Target
    method: str
    headers: dict[str, str]
    body: bytes
    cookies: str = ""

    def encode(self) -> bytes:
        """The bytes on the wire.

        Raises:
            AddressForbidden: the method or a header is not allowed.
        """
        target = self.target
        if self.method not in METHODS:
            raise AddressForbidden(f"the method {self.method!r} is not allowed")
        lines = [f"{self.method} {target.path} HTTP/1.1\r\nHost: {target.authority}\r\nConnection: close"]
        own = set()
        cookies = self.cookies
        for name, value in self.headers.items():
            own.add(lower := name.lower())
            if lower in _FORBIDDEN or not _TOKEN.fullmatch(name) or _LINE_BREAK.search(value):
                raise AddressForbidden(f"the header {name!r} is not allowed")
            if cookies and lower == "cookie":
                cookies = merged(value, cookies)
            else:
                lines.append(f"{name}: {value}")
        if cookies:
            lines.append(f"Cookie: {cookies}")
        lines += [line for name, line in _DEFAULTS.items() if name not in own]
        if target.basic and "authorization" not in own:
            lines.append(f"Authorization: Basic {target.basic}")
        if self.body or self.method in {"POST", "PUT", "PATCH"}:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + self.body

    def redirected(self, status: int, location: bytes) -> tuple["Request", bool]:
        """The next request of the chain, and whether secrets were withheld (RFC 9110 section 15.4, Fetch section 4.4).

        The monitor's own headers, body and password are sent to the same host and port, and over https to hosts of
        the same registered domain; another port of the host gets only the body and its type.

        Raises:
            Broken: the redirect cannot be followed.
        """
        old = self.target
        try:
            # Not cached: targets choose these URLs and could fill the cache.
            new = parse.__wrapped__(urljoin(old.url, location.decode("utf-8", "surrogateescape")))
        except ValueError as error:
            raise Broken(f"redirects to a URL that cannot be followed: {error}") from error
        if old.tls and not new.tls:
            raise Broken("redirects from https to http")
        method, headers, body = self.method, self.headers, self.body
        if (status == 303 and method != "HEAD") or (status in {301, 302} and method == "POST"):
            method, body = "GET", b""
            headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
        if _may_have_secrets(old, new):
            return Request(replace(new, basic=new.basic or old.basic), method, headers, body), False
        new_body = body if new.host == old.host else b""
        allowed = {*_HARMLESS, "content-type"} if new_body else _HARMLESS
        new_headers = {name: value for name, value in headers.items() if name.lower() in allowed}
        withheld = (len(new_headers), new_body, "") != (len(headers), body, old.basic)
        return Request(new, method, new_headers, new_body), withheld


def _may_have_secrets(old: Target, new: Target) -> bool:
    """True if secrets meant for `old` may be sent to `new`."""
    if new.host == old.host and (new.port == old.port or (old.port, new.port) == (80, 443)):
        return True
    return new.tls and registered(new.host) != "" and registered(new.host) == registered(old.host)


@lru_cache(1 << 14)
def parse(url: str) -> Target:
    """Parses an absolute http or https URL.

    Raises:
        ValueError: it is not valid; the text is a sentence.
    """
    if len(url) > _URL_LIMIT:
        raise ValueError("it is longer than 8192 characters")
    parts = parse_url(url)
    if parts.scheme not in _PORTS:
        raise ValueError("only http and https are probed")
    port = _PORTS[parts.scheme] if parts.port is None else parts.port
    authority = f"[{parts.host}]" if ":" in parts.host else parts.host
    if port != _PORTS[parts.scheme]:
        authority += f":{port}"
    path = _printable(parts.path or "/")
    if parts.query:
        path += "?" + _printable(parts.query)
    basic = ""
    if parts.username is not None:
        basic = b64encode(f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()).decode()
    return Target(url, parts.scheme == "https", parts.host, port, authority, path, basic)


def _printable(part: str) -> str:
    return part if _PRINTABLE.fullmatch(part) else quote(part, _SAFE, errors="surrogateescape")
