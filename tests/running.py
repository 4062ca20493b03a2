"""The platform as its operator has it: `pinghome up` in a process of its own, and the command line beside it."""

import asyncio
import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

import forking
from pinghome import services
from pinghome.servers import Servers
from pinghome_common.settings import Settings

PINGHOME = Path(__file__).parents[1] / ".venv/bin/pinghome"
TOKEN = "ph_a-bootstrap-token-of-the-tests"


@dataclass
class Platform:
    """A platform that runs; `log` is what it prints and logs."""

    process: forking.Forked
    port: int
    data: Path
    log: Path
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def command(self, *words: str) -> Any:
        """What `pinghome …` prints, as JSON."""
        status, said, complaint = await command(*words, environment=self.environment)
        assert status == 0, complaint
        return json.loads(said)

    @asynccontextmanager
    async def sql(self, database: str) -> AsyncIterator[asyncpg.Connection]:
        """A connection to a service's database."""
        found = json.loads((self.data / "run.json").read_text())["database_url"]
        connection = await asyncpg.connect(urlunsplit(urlsplit(found)._replace(path=f"/{database}")))
        try:
            yield connection
        finally:
            await connection.close()

    async def until_ready(self) -> None:
        """Waits for GET /readyz 200."""
        async with asyncio.timeout(60):
            while not await _ready(self.port):
                assert self.process.poll() is None, self.log.read_text()
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """SIGTERM; the exit status is 0 and no process is left."""
        below = descendants(self.process.pid)
        self.process.terminate()
        async with asyncio.timeout(60):
            status = await self.process.wait()
        assert status == 0, self.log.read_text()[-3000:]
        assert await left(below, within=0) == set()

    async def printed_keys(self) -> dict[str, str]:
        """The keys of a first start; it prints them a moment after it is ready, the ping key last."""
        async with asyncio.timeout(60):
            while "PINGHOME_BOOTSTRAP_PING_KEY" not in self.printed():
                await asyncio.sleep(0.05)
        return self.printed()

    def printed(self) -> dict[str, str]:
        """The keys that it has printed by now."""
        return dict(re.findall(r"^(PINGHOME_\w+)=(\S+)$", self.log.read_text(), re.MULTILINE))


@asynccontextmanager
async def up(data: Path, port: int = 0, **settings: str) -> AsyncIterator[Platform]:
    """`pinghome up`, ready; killed at the end unless it was stopped. `settings` without the prefix PINGHOME_.

    A new one has its databases from a copy; `tests/integration/pinghome/test_up.py` starts with nothing.
    """
    port = port or free_port()
    own = {"data": str(data), "port": str(port), "probe_allow_cidrs": "127.0.0.0/8", **settings}
    cleared = {name: value for name, value in os.environ.items() if not name.startswith("PINGHOME_")}
    environment = cleared | {f"PINGHOME_{name.upper()}": value for name, value in own.items()}
    if not data.exists():  # noqa: ASYNC240
        await prepare(data)
    log = data.with_name(f"{data.name}-{time.monotonic_ns()}.log")
    with log.open("wb") as out:
        process = forking.fork(forking.CLI, "up", env=environment, out=out, err=out)
    platform = Platform(process, port, data, log, environment)
    try:
        await platform.until_ready()
        yield platform
    finally:
        process.kill()
        await process.wait()


async def command(*words: str | Path, environment: dict[str, str], code: str = forking.CLI) -> tuple[int, str, str]:
    """The exit status of `pinghome …`, or of other `code`, what it prints, and what it complains of."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = forking.fork(code, *map(str, words), env=environment, out=out, err=err)
        status = await process.wait()
        said, complaint = (os.pread(it.fileno(), 1 << 24, 0).decode() for it in (out, err))
    return status, said, complaint


async def prepare(data: Path) -> None:
    """Makes a data folder with empty databases, migrated: a copy, for to make them takes half of the CPU of a start."""
    made = await prepared(data.with_name("prepared"))
    subprocess.run(["cp", "-a", made, data], check=True)  # noqa: ASYNC221, S603, S607


async def prepared(alone: Path) -> Path:
    """What is copied; the test processes of a run share it."""
    made = Path(os.environ.get("TESTS_PREPARED", alone))
    with made.with_suffix(".lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        if not made.exists():  # noqa: ASYNC240
            await _make(fresh := made.with_suffix(".new"))
            fresh.rename(made)
    return made


async def _make(data: Path) -> None:
    settings = Settings(data=data, database_url="", nats_url="")
    async with Servers(settings) as servers:
        await services.migrate_all(settings.but(database_url=servers.database_url))
    state = json.loads((data / "servers.json").read_text())
    ports = {name for name in state if name.endswith("_port")}  # each platform has its own
    (data / "servers.json").write_text(json.dumps({name: state[name] for name in state.keys() - ports}))
    shutil.rmtree(data / "nats")


async def _ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.write(b"GET /readyz HTTP/1.0\r\nHost: pinghome\r\n\r\n")
    with suppress(OSError):
        status = await reader.readline()
        writer.close()
        return b" 200 " in status
    return False


def _own_ports() -> range:
    """Ports that no other test process of this machine takes while this one lives."""
    for number in range(24):
        lock = os.open(Path(tempfile.gettempdir(), f"pinghome-ports-{number}"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return range(20_000 + 500 * number, 20_500 + 500 * number)
    raise AssertionError("too many test processes")


_ports = cycle(_own_ports())


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of this test process alone, below those that the kernel gives to clients and to others meanwhile.

    What asks a server that has gone would otherwise reach the next one that the kernel gave the same port.
    """
    for port in _ports:
        with socket.socket(type=kind) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError


def descendants(pid: int) -> set[int]:
    """The processes that a process has begun, and theirs."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, todo = set(), [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found |= set(below)
        todo += below
    return found


async def left(pids: Iterable[int], within: float) -> set[int]:
    """Those of some processes that are still there after some seconds."""
    deadline = time.monotonic() + within
    while (alive := {pid for pid in pids if Path(f"/proc/{pid}").exists()}) and time.monotonic() < deadline:  # noqa: ASYNC240
        await asyncio.sleep(0.02)
    return alive
