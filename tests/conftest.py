"""Real servers for all tests: PostgreSQL and NATS once a session, a fresh database or broker in milliseconds."""

import asyncio
import gc
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import hypothesis
import pytest
from _pytest.fixtures import FixtureDef
from xdist.scheduler import LoadFileScheduling

import forking
from pinghome import postgres, supervise
from pinghome.nats import Nats
from pinghome.servers import Servers
from pinghome.state_file import StateFile
from pinghome.supervise import Supervisor
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker
from running import free_port, prepare

gc.disable()  # until all tests are collected
supervise._spawn = forking.spawn

# An example's time says how busy the machine is.
hypothesis.settings.register_profile("tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("tests")

REGIONS = ["eu-central-1", "us-east-1"]
ROOM = 8 << 30
"""Bytes, twice as many as all databases of a run have."""


class _Shares(LoadFileScheduling):
    """A process plays the tests of a file; those that share a platform are played by one or two, not by all."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        folder, _, name = file.rpartition("/")
        if folder == "tests/contract/public":
            return folder
        return f"{name < 'test_m'} half" if folder.startswith("tests/contract/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """Who plays which tests."""
    return _Shares(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    """`-m "not browser"` does without Chromium."""
    if "browser" in getattr(item, "fixturenames", ()):
        item.add_marker("browser")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A loop of its own ends the session's, and with it the servers that were started on it: such tests come first."""
    items.sort(key=lambda item: "first" not in item.keywords)


def pytest_configure(config: pytest.Config) -> None:
    """Where all processes of this run find databases to copy, and beside which they have their own."""
    if not hasattr(config, "workerinput"):
        # In memory, if there is much: ext4 is slow to make files where others were just deleted.
        memory = Path("/dev/shm")  # noqa: S108  # a file system, of which we take a folder of our own
        roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
        folder = memory if roomy else Path(tempfile.gettempdir())
        os.environ["TESTS_PREPARED"] = str(folder / f"pinghome-prepared-{os.getpid()}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last process removes them."""
    if not hasattr(config, "workerinput"):
        made = Path(os.environ["TESTS_PREPARED"])
        made.with_suffix(".lock").unlink(missing_ok=True)
        shutil.rmtree(made, ignore_errors=True)


_shared: set[FixtureDef[Any]] = set()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Function, nextitem: pytest.Item | None) -> Iterator[None]:
    """What the tests of a folder share, such as a platform or a browser, takes CPU until it ends: when they do."""
    yield
    for definitions in item._fixtureinfo.name2fixturedefs.values():
        _shared.update(it for it in definitions if it.scope == "session")
    for folder in ("tests/contract/public/", "tests/contract/console/", "tests/contract/"):
        if item.nodeid.startswith(folder) and not (nextitem and nextitem.nodeid.startswith(folder)):
            for shared in {it for it in _shared if f"{it.baseid}/".startswith(folder)}:
                _shared.remove(shared)
                shared.finish(item._request)  # type: ignore[arg-type]


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay until the end; the garbage collector need not walk them again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's own account can reach, as pytest's tmp_path (0700) is not."""
    made = Path(tempfile.mkdtemp(prefix="pinghome-tests-", dir=Path(os.environ["TESTS_PREPARED"]).parent))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """PostgreSQL and NATS of the session: `servers.database_url`, `servers.nats_url(user)`, `servers.supervisor`.

    Each service's own database has its tables: a template for those of tests.

    A hundred tests make a database each, and nobody cuts the power: this PostgreSQL does not wait for the disk, and
    does not go round the databases that tests have left.
    """
    await prepare(data := folder / "session")
    running = Servers(Settings(data=data, regions=REGIONS, database_url="", nats_url=""))
    with pytest.MonkeyPatch.context() as patch:
        off = dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit", "autovacuum"), "off")
        patch.setattr(postgres, "SETTINGS", postgres.SETTINGS | off)
        await running.__aenter__()
    yield running
    await running.__aexit__()


@pytest.fixture
async def database(servers: Servers) -> str:
    """The URL of an empty database of this test alone."""
    return await fresh_database(servers)


@pytest.fixture
async def commands(servers: Servers) -> str:
    """The URL of a database of this test alone, with resource-cmd's tables and nothing in them."""
    return await fresh_database(servers, "resource_cmd")


@pytest.fixture
async def broker(folder: Path) -> AsyncIterator[Nats]:
    """A nats-server of this test alone, without streams: `broker.url(user)`."""
    data = folder / f"broker-{uuid4().hex[:8]}"
    data.mkdir()
    async with Supervisor() as supervisor:
        state = StateFile(data / "servers.json")
        state.put(nats_port=free_port())
        nats = Nats(data, REGIONS, state, supervisor)
        await nats.start()
        yield nats
    shutil.rmtree(data)


async def connected(broker: Broker) -> None:
    """Waits until a client of the broker is connected, of which it has no event."""
    async with asyncio.timeout(20):
        while not broker.connected:
            await asyncio.sleep(0.01)


async def fresh_database(servers: Servers, template: str = "template1") -> str:
    """The URL of a new database. Nobody drops it: ext4 is slow to make files where hundreds were just deleted."""
    name = f"test_{uuid4().hex}"
    connection = await asyncpg.connect(servers.database_url)
    # Without fsync a copy of the files is a quarter of the work of one that goes through the log.
    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    await connection.close()
    return urlunsplit(urlsplit(servers.database_url)._replace(path=f"/{name}"))
