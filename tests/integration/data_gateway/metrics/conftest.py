"""One gateway for the tests of a file, and a token of a server for each test."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from gateways import Gateway, Token, gateway
from pinghome.nats import Nats
from pinghome.state_file import StateFile
from pinghome.supervise import Supervisor


@pytest.fixture(scope="module")
async def served(folder: Path) -> AsyncIterator[Gateway]:
    data = folder / f"metrics-{uuid4().hex[:8]}"
    data.mkdir()
    async with Supervisor() as supervisor:
        nats = Nats(data, ["eu-central-1"], StateFile(data / "servers.json"), supervisor)
        await nats.start()
        async with gateway(nats, data, wrong_tokens_per_minute="1000000") as it:
            yield it
    shutil.rmtree(data)


@pytest.fixture
async def token(served: Gateway) -> Token:
    return await served.token()


@pytest.fixture
async def http(served: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.url, timeout=60, trust_env=False) as client:
        yield client
