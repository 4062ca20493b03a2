"""Where each type of monitor looks: which settings it needs, and what they come to; no I/O (contract A.1)."""

import re
from dataclasses import dataclass

from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.resource import Resource
from pinghome_common.hosts import parse_url, to_ascii, web_url

REQUIRED = 0
ALIASES = {"ping": "icmp", "pop3": "pop"}
PORTS: dict[str, int | None] = {
    "http": None,
    "tcp": REQUIRED,
    "udp": REQUIRED,
    "icmp": None,
    "tls": 443,
    "smtp": 25,
    "pop": 110,
    "imap": 143,
    "dns": 53,
}
"""The types that are evaluated, and the port of each: a default, REQUIRED, or None where there is none."""

RECORDS = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a probe connects to; the host is empty where the region's own resolver is asked."""

    host: str
    port: int = 0


def check(it: Resource) -> None:
    """Looks whether a monitor has what its type needs.

    Raises:
        Invalid: a setting that its type needs is missing, or one that it cannot use is there.
    """
    if it.type == "http":
        _http(it.url)
        return
    if it.conditions:
        raise Invalid(FieldError("conditions", "are judged for http only"))
    if it.type == "dns":
        _question(it)
    elif not it.host and not it.url:
        raise Invalid(FieldError("host", f"is required for type {it.type}"))
    if endpoint(it).port == REQUIRED and PORTS[it.type] == REQUIRED:
        raise Invalid(FieldError("port", f"is required for type {it.type}"))


def endpoint(it: Resource) -> Endpoint:
    """Where a monitor of any type but http connects to: `host` and `port`, else those of `url`.

    For dns they are the server's, and only `url` says them.

    Raises:
        Invalid: there is no such host or port.
    """
    named = host_in("host", it.host) if it.host and it.type != "dns" else Endpoint("")
    parsed = _of_url(it) if it.url else Endpoint("")
    default = PORTS[it.type]
    return Endpoint(named.host or parsed.host, 0 if default is None else it.port or parsed.port or default)


def host_in(field: str, text: str) -> Endpoint:
    """The host, and its port if any, that a setting names: `example.com`, `192.0.2.1`, `[2001:db8::1]:25`, a URL.

    Raises:
        Invalid: none.
    """
    bare = "//" not in text
    if bare:
        text = f"//[{text}]" if text.count(":") > 1 and "[" not in text else f"//{text}"
    try:
        url = parse_url(f"host:{text}" if text.startswith("//") else text)
    except ValueError:
        url = None
    if url is None or url.username is not None or not text.isprintable():
        raise Invalid(FieldError(field, "must name a host, such as example.com or 192.0.2.1"))
    if field == "host" and (not bare or url.port or url.path or url.query or "#" in text):
        raise Invalid(FieldError(field, "must be a host alone; its port goes into port"))
    return Endpoint(url.host, url.port or 0)


def _of_url(it: Resource) -> Endpoint:
    """What `url` says for another type than http: `tcp://host:port`, or the host alone."""
    scheme = it.url.partition("://")[0] if "://" in it.url else ""
    if scheme and ALIASES.get(scheme, scheme) not in (it.type, "http", "https"):
        raise Invalid(FieldError("url", f"must be a host, or {it.type}://host:port, for type {it.type}"))
    return host_in("url", it.url)


def _http(url: str) -> None:
    if not url:
        raise Invalid(FieldError("url", "is required for type http"))
    if web_url(url) is None:
        raise Invalid(FieldError("url", "must be an absolute http or https URL without user and password"))


def _question(it: Resource) -> None:
    if not it.host:
        raise Invalid(FieldError("host", "is required for type dns: the name that is asked"))
    try:
        name = to_ascii(it.host)
    except ValueError:
        name = ":"
    if re.search(r"[\s\\\"();@$:/\[\]]", name):
        raise Invalid(FieldError("host", "must be a name such as example.com"))
    if it.data.strip() and it.data.split(maxsplit=1)[0].upper() not in RECORDS:
        raise Invalid(FieldError("data", f"must be a type ({', '.join(RECORDS)}) and, if wanted, the expected value"))


def question(it: Resource) -> str:
    """What a dns monitor asks, `NAME TYPE [expected]`; without a type it is A."""
    kind, *expected = (it.data.strip() or "A").split(maxsplit=1)
    return " ".join([to_ascii(it.host), kind.upper(), *expected])
