"""A platform with a status domain and a trusted proxy, as which the tests say where somebody comes from."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contract.client import Client
from running import TOKEN, Platform, up
from zone import Zone, zone

BELOW = "status.test"


@pytest.fixture(scope="session")
async def names() -> AsyncIterator[Zone]:
    """The DNS."""
    async with zone() as served:
        yield served


@pytest.fixture(scope="session")
async def pages(folder: Path, names: Zone) -> AsyncIterator[Platform]:
    """The platform; it stops cleanly."""
    settings = {
        "bootstrap_token": TOKEN,
        "status_domain": BELOW,
        "dns_resolver": f"127.0.0.1:{names.port}",
        "trusted_proxies": "127.0.0.1",
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


async def made(owner: Client, **settings: Any) -> dict[str, Any]:
    """A page with a subdomain of its own."""
    return await owner.page(**{"name": "Acme", "subdomain": f"p{uuid4().hex[:12]}"} | settings)


async def changed(owner: Client, page: dict[str, Any], **settings: Any) -> None:
    """Changes a page."""
    answer = await owner("PUT", f"statuspage-cmd/v1/statuspage/{page['id']}", json=settings)
    assert answer.status_code == 200, answer.text


async def told(owner: Client, page: dict[str, Any], noun: str = "incident", **body: Any) -> dict[str, Any]:
    """An incident, or a maintenance, of a page."""
    answer = await owner("POST", f"statuspage-cmd/v1/statuspage/{page['id']}/{noun}", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()[noun]


def paths(*ids: str) -> list[str]:
    """Every public path below a page's address, with those of some things."""
    from statuspage_query.public import site

    found = [*site.PATHS, "/events", "/nothing", "/api/v2/nothing.json", "/history/2026-11", "/images/0.png", "/unlock"]
    return found + [f"/{noun}/{id_}" for id_ in ids for noun in ("incidents", "maintenances", "components")]
