"""One real platform for all contract tests, with two organisations and clients of both."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser

from contract.client import CANARY, Client
from contract.public.browser import chromium, packages
from mail_sink import MailSink, mail_sink
from registries import Registry, registry
from running import TOKEN, Platform, free_port, up
from statuspage import Statuspage, statuspage

REGIONS = "eu-central-1,us-east-1"


@pytest.fixture(scope="session")
async def registered() -> AsyncIterator[Registry]:
    """The registry of every domain that the platform can look up."""
    async with registry() as made:
        yield made


@pytest.fixture(scope="session")
async def mails() -> AsyncIterator[MailSink]:
    """What the platform mails."""
    async with mail_sink() as sink:
        yield sink


@pytest.fixture(scope="session")
async def page() -> AsyncIterator[Statuspage]:
    """The page at Atlassian's that the platform can reach."""
    async with statuspage() as there:
        yield there


@pytest.fixture(scope="session")
async def platform(folder: Path, registered: Registry, mails: MailSink, page: Statuspage) -> AsyncIterator[Platform]:
    """The platform: periods count in seconds, loopback may be probed. It stops cleanly and leaves no process."""
    settings = {
        "bootstrap_token": TOKEN,
        "regions": REGIONS,
        "period_unit_seconds": "1",
        "server_grace_seconds": "5",
        "checks_limit": "350",
        "rdap_bootstrap_url": registered.bootstrap(folder, "com", "org", "io", "net"),
        "smtp_url": f"smtp://127.0.0.1:{mails.port}",
        "mail_from": "Pinghome <alerts@example.com>",
        "mail_confirmed_domains": "example.com",
        "channel_tests_per_minute": "1000",
        "subscriptions_per_hour": "1000000",
        "domains_per_day": "1000000",
        "mail_per_minute": "6000",
        "expose_tokens": "true",
        "statuspage_io_url": page.url,
        "smtp_listen": f"127.0.0.1:{free_port()}",
        "ping_mail_domain": "ping.example.com",
        "page_metrics_limit": "1000000",
        "public_metrics": "true",
        "wrong_tokens_per_minute": "1000000",
        "read_your_writes_seconds": "20",  # what is answered is seen, however busy the machine is
    }
    async with up(folder / "contract", **settings) as running:
        yield running
        await running.stop()
        logs = [running.log, *(running.data / "log").iterdir()]
        assert [log for log in logs if CANARY in log.read_text()] == []
        surprises = [line for line in running.log.read_text().splitlines() if '"error"' in line or "Traceback" in line]
        assert not surprises, "\n".join(surprises)


@pytest.fixture(scope="session")
async def stranger(platform: Platform) -> dict[str, Any]:
    """A second organisation: its id, service_id and keys."""
    return await platform.command("organisation", "create", "Stranger")


@pytest.fixture(scope="session")
async def http(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    """Connections to the platform, with nobody's token."""
    limits = httpx.Limits(
        max_connections=64, max_keepalive_connections=8
    )  # httpx looks at each of them at each request
    async with httpx.AsyncClient(base_url=platform.url, timeout=30, limits=limits, trust_env=False) as connections:
        yield connections


@pytest.fixture(scope="session")
def client(http: httpx.AsyncClient) -> Client:
    """The first organisation, by path prefix."""
    return Client(http, TOKEN)


@pytest.fixture(scope="session")
def foreign(http: httpx.AsyncClient, stranger: dict[str, Any]) -> Client:
    """The stranger."""
    return Client(http, stranger["token"])


@pytest.fixture(scope="session")
async def quiet_keys(platform: Platform) -> dict[str, Any]:
    """An organisation without channels: each of those that the others have is told of what people publish."""
    return await platform.command("organisation", "create", "Quiet")


@pytest.fixture(scope="session")
def quiet(http: httpx.AsyncClient, quiet_keys: dict[str, Any]) -> Client:
    """That organisation."""
    return Client(http, quiet_keys["token"])


@pytest.fixture(scope="session")
async def reader(platform: Platform, http: httpx.AsyncClient) -> Client:
    """The first organisation with a token that may only read."""
    made = await platform.command("keys", "create", "First organisation", "--scope", "read")
    return Client(http, made["key"])


@pytest.fixture(scope="session")
def node(folder: Path) -> Path:
    """The packages from npm."""
    (place := folder / "node").mkdir()
    return packages(place)


@pytest.fixture(scope="session")
def axe(node: Path) -> str:
    """axe-core's source."""
    return (node / "axe-core/axe.min.js").read_text()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser."""
    async with chromium() as opened:
        yield opened
