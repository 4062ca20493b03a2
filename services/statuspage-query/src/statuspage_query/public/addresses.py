"""Which page an address names, and which address a page has."""

import re
from collections.abc import Container
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import Scope

from pinghome_common.events.statuspage import StatusPage
from pinghome_common.settings import Settings

PREFIX = "/status/"
SERVICES = ("resource-cmd", "resource-query", "statistic-query", "statuspage-cmd", "statuspage-query", "data-gateway")
_HOST = re.compile(r"[a-z0-9.-]+(:\d{1,5})?")


class Addresses:
    """The addresses of pages on this platform."""

    def __init__(self, settings: Settings) -> None:
        public = urlsplit(settings.public_url)
        self._public, self._scheme = settings.public_url, public.scheme
        self._port = f":{public.port}" if public.port else ""
        self._platform = public.hostname or ""
        self._below = settings.status_domain.lower()
        self.names = lru_cache(maxsize=1024)(self._names)
        """The subdomain or the domain that a host name may be of; None for the platform's own."""

    def _names(self, host: str) -> tuple[str, str] | None:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        if self._below and name.endswith(f".{self._below}"):
            label = name.removesuffix(f".{self._below}")
            return None if name == self._platform or label in SERVICES or "." in label else (label, "")
        if not name or name in {"localhost", self._platform, self._below} or name.endswith(".localhost"):
            return None
        with suppress(ValueError):
            ip_address(name.strip("[]"))
            return None
        return "", name

    def is_page(self, host: str, domains: Container[str]) -> bool:
        """Whether all of a host is a page's: one below the status domain, or a domain of `domains`."""
        names = self.names(host)
        return names is not None and (bool(names[0]) or names[1] in domains)

    def url(self, page: StatusPage, scope: Scope, host: str, *, verified: bool) -> str:
        """A page's own address: its domain, its subdomain, or its path below the platform's address."""
        if verified and page.domain:
            return f"https://{page.domain}"
        known = _HOST.fullmatch(host) is not None
        if self._below:
            port = self._port if self._public or not known else "".join(host.partition(":")[1:])
            return f"{self._scheme or scope['scheme']}://{page.subdomain}.{self._below}{port}"
        base = self._public or f"{scope['scheme']}://{host if known else 'localhost'}{scope.get('root_path', '')}"
        return f"{base}{PREFIX}{page.subdomain}"


def header(scope: Scope, name: bytes, *, lower: bool = True) -> str:
    """A header of a request, in small letters unless that would matter."""
    found = next((value for key, value in scope["headers"] if key == name), b"").decode("latin-1")
    return str(found.lower() if lower else found)
