"""Where the own domains of status pages have to point, and whether they do."""

import asyncio
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pinghome_common.events.statuspage import StatusPage
from pinghome_common.settings import Settings

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

WAIT = 4.0
"""Seconds within which the DNS has to answer: the answer to a client comes within 5."""


def target(settings: Settings, page: StatusPage | None) -> str:
    """What the CNAME record of a page's domain has to be; what requests call the platform is not to be believed."""
    if settings.status_domain:
        return f"{page.subdomain}.{settings.status_domain}" if page else settings.status_domain
    return urlsplit(settings.public_url).hostname or "localhost"


class Domains:
    """Asks the DNS; `resolver` is host:port, empty for that of the machine."""

    def __init__(self, resolver: str) -> None:
        self._address = resolver

    @cached_property
    def _resolver(self) -> "Resolver":
        from dns.asyncresolver import Resolver  # noqa: PLC0415  # 3 MB that few need

        resolver = Resolver(configure=not self._address)
        if self._address:
            parts = urlsplit(f"//{self._address}")
            resolver.nameservers, resolver.port = [parts.hostname or ""], parts.port or 53
        resolver.lifetime = WAIT
        return resolver

    async def configured(self, name: str, wanted: str, token: str) -> bool:
        """Whether a domain points to where it should, or proves its owner by a TXT record with the page's token."""
        found = await asyncio.gather(self._answers(name, "CNAME"), self._answers(f"_pinghome.{name}", "TXT"))
        return wanted.lower() in found[0] or token in found[1]

    async def _answers(self, name: str, kind: str) -> list[str]:
        from dns.exception import DNSException  # noqa: PLC0415  # as above

        with suppress(DNSException, OSError):
            answer = await self._resolver.resolve(name, kind, raise_on_no_answer=False)
            if kind == "TXT":
                return [b"".join(each.strings).decode("ascii", "replace") for each in answer]
            return [each.target.to_text(omit_final_dot=True).lower() for each in answer]
        return []
