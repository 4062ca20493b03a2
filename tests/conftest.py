"""Real servers for all tests: PostgreSQL and NATS once a session, a fresh database or broker in milliseconds."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

import resource_cmd
from pinghome.nats import Nats
from pinghome.servers import Servers
from pinghome.state_file import StateFile
from pinghome.supervise import Supervisor
from pinghome_common import migrate
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker

REGIONS = ["eu-central-1", "us-east-1"]


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own account can reach, as pytest's tmp_path (0700) is not."""
    made = Path(tempfile.mkdtemp(prefix="pinghome-tests-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """PostgreSQL and NATS of the session: `servers.database_url`, `servers.nats_url(user)`, `servers.supervisor`."""
    settings = Settings(data=folder / "session", regions=REGIONS, database_url="", nats_url="")
    async with Servers(settings) as running:
        yield running


@pytest.fixture
async def database(servers: Servers) -> AsyncIterator[str]:
    """The URL of an empty database of this test alone."""
    async with fresh_database(servers) as url:
        yield url


@pytest.fixture(scope="session")
async def migrated(servers: Servers) -> AsyncIterator[str]:
    """The name of a database with resource-cmd's tables: a template, for migrations take a second."""
    async with fresh_database(servers) as url:
        await migrate.upgrade((url, Path(resource_cmd.__file__).parent / "migrations"))
        yield url.rpartition("/")[2]


@pytest.fixture
async def commands(servers: Servers, migrated: str) -> AsyncIterator[str]:
    """The URL of a database of this test alone, with resource-cmd's tables and nothing in them."""
    async with fresh_database(servers, migrated) as url:
        yield url


@pytest.fixture
async def broker(folder: Path) -> AsyncIterator[Nats]:
    """A nats-server of this test alone, without streams: `broker.url(user)`."""
    data = folder / f"broker-{uuid4().hex[:8]}"
    data.mkdir()
    async with Supervisor() as supervisor:
        nats = Nats(data, REGIONS, StateFile(data / "servers.json"), supervisor)
        await nats.start()
        yield nats
    shutil.rmtree(data)


async def connected(broker: Broker) -> None:
    """Waits until a client of the broker is connected, of which it has no event."""
    async with asyncio.timeout(20):
        while not broker.connected:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def fresh_database(servers: Servers, template: str = "template1") -> AsyncIterator[str]:
    name = f"test_{uuid4().hex}"
    connection = await asyncpg.connect(servers.database_url)
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield urlunsplit(urlsplit(servers.database_url)._replace(path=f"/{name}"))
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()
