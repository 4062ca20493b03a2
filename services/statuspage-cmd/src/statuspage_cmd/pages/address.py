"""Where the public sees status pages."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit
from uuid import UUID

from pinghome_common.errors import Unavailable
from pinghome_common.events.page_domains import SUBJECT, decode
from pinghome_common.health import resting, round_done
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker

EVERY = 30.0
"""Seconds between two looks at which domains are verified."""


class Addresses:
    """The pages' own addresses; `domains` are those that are verified, by page, as statuspage-query last said.

    Args:
        settings: of this process; what requests call the platform is not to be believed.
        broker: the connection to statuspage-query.
    """

    def __init__(self, settings: Settings, broker: Broker) -> None:
        self._settings, self._broker = settings, broker
        self.domains: dict[UUID, str] = {}

    async def run(self) -> None:
        """Follows until cancelled."""
        while True:
            await self.refresh()
            round_done()
            with resting():
                await asyncio.sleep(EVERY)

    async def refresh(self) -> bool:
        """Asks; without an answer (False) all stays as it is: a page is always found at its other addresses, too."""
        with suppress(Unavailable):
            self.domains = decode(await self._broker.request(SUBJECT))
            return True
        return False

    def of(self, page: UUID, subdomain: str) -> str:
        """A page's address, without a slash at its end."""
        if domain := self.domains.get(page):
            return f"https://{domain}"
        settings = self._settings
        if settings.status_domain:
            public = urlsplit(settings.public_url)
            port = f":{public.port}" if public.port else ""
            return f"{public.scheme or 'https'}://{subdomain}.{settings.status_domain}{port}"
        return f"{settings.public_url or f'http://localhost:{settings.port}'}/status/{subdomain}"
