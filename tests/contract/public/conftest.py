"""A platform with a status domain and a trusted proxy, as which the tests say where somebody comes from."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from contract.client import Client
from contract.public.owning import BELOW
from mail_sink import MailSink, mail_sink
from running import TOKEN, Platform, up
from zone import Zone, zone


@pytest.fixture(scope="session")
async def names() -> AsyncIterator[Zone]:
    """The DNS."""
    async with zone() as served:
        yield served


@pytest.fixture(scope="session")
async def mails() -> AsyncIterator[MailSink]:
    """What the platform mails."""
    async with mail_sink() as sink:
        yield sink


@pytest.fixture(scope="session")
async def pages(folder: Path, names: Zone, mails: MailSink) -> AsyncIterator[Platform]:
    """The platform; it stops cleanly."""
    settings = {
        "bootstrap_token": TOKEN,
        "status_domain": BELOW,
        "dns_resolver": f"127.0.0.1:{names.port}",
        "trusted_proxies": "127.0.0.1",
        "smtp_url": f"smtp://127.0.0.1:{mails.port}",
        "mail_from": "Pinghome <status@example.com>",
        "mail_per_minute": "6000",
        "wrong_tokens_per_minute": "1000000",  # a key just made is wrong until the services have heard of it
    }
    async with up(folder / "public", **settings) as running:
        yield running
        await running.stop()
        surprises = [line for line in running.log.read_text().splitlines() if '"error"' in line or "Traceback" in line]
        assert not surprises, "\n".join(surprises)


@pytest.fixture(scope="session")
async def web(pages: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """The public: connections without a token or a cookie jar."""
    async with httpx.AsyncClient(base_url=pages.url, timeout=30, trust_env=False) as connections:
        yield connections


@pytest.fixture(scope="session")
async def owner(pages: Platform) -> AsyncIterator[Client]:
    """The first organisation."""
    async with httpx.AsyncClient(base_url=pages.url, timeout=30, trust_env=False) as connections:
        yield Client(connections, TOKEN)
