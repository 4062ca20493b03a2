"""`pinghome up` runs small real services in both forms, and leaves no process behind however it ends."""

# ruff: noqa: ASYNC240  # a command and its processes seen from outside

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from pinghome import services
from pinghome.servers import Servers
from pinghome.state_file import StateFile
from pinghome.supervise import Supervisor
from pinghome_common.secret import derive
from pinghome_common.settings import Settings
from running import free_port, prepare

TINY = '''
"""A small real service: its own database, its own NATS user, and what it was told."""
import asyncio, os
from contextlib import asynccontextmanager
import asyncpg, nats
from fastapi import FastAPI
from fastapi.responses import JSONResponse

def create_app(settings):
    @asynccontextmanager
    async def lifespan(app):
        url = settings.database_url and settings.database("resource_cmd")
        app.state.pool = await asyncpg.create_pool(url, min_size=1, max_size=2) if url else None
        app.state.nats = await nats.connect(settings.nats_url)
        yield
        await app.state.nats.close()
        if app.state.pool:
            await app.state.pool.close()

    app = FastAPI(lifespan=lifespan)

    @app.get("/readyz")
    async def readyz():
        return JSONResponse({"problems": {}}, 200 if app.state.nats.is_connected else 503)

    @app.get("/v1/who")
    async def who():
        user = settings.nats_url.split("//")[1].split(":")[0]
        database = app.state.pool and await app.state.pool.fetchval("SELECT current_database()")
        told = [settings.region, settings.regions, settings.secret_key, settings.bootstrap_token, settings.region_key]
        return {"user": user, "database": database, "told": told, "pid": os.getpid(), "port": settings.port}

    return app

def main():
    from pinghome_common.serve import run
    run(create_app)
'''
MAIN = """
import sys
from pinghome import services
from pinghome.cli import app
services.SERVICES = {name: "tiny:create_app" for name in ("resource-cmd", "data-gateway", "prober")}
app(sys.argv[1:])
"""


@pytest.fixture
def tiny(folder, monkeypatch) -> Path:
    place = folder / "tiny"
    place.mkdir(exist_ok=True)
    (place / "tiny.py").write_text(TINY)
    monkeypatch.setenv("PYTHONPATH", str(place))
    return place


async def get(port: int, path: str) -> tuple[int, dict]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.0\r\nHost: pinghome\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), json.loads(body)


def descendants(pid: int) -> set[int]:
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


async def all_gone(pids: set[int], within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


class Platform:
    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port, self.said = process, port, ""

    async def until(self, words: str) -> str:
        assert self.process.stdout
        async with asyncio.timeout(30):
            while words not in self.said:
                line = (await self.process.stdout.readline()).decode()
                assert line, self.said
                self.said += line
        return self.said

    async def end(self) -> int:
        assert self.process.stdout
        async with asyncio.timeout(30):
            self.said += (await self.process.stdout.read()).decode()
            return await self.process.wait()


@asynccontextmanager
async def up(data: Path, *options: str, port: int = 0, new: bool = False, **more: str) -> AsyncIterator[Platform]:
    """A new one makes its databases."""
    if not new and not data.exists():
        await prepare(data)
    port = port or free_port()
    cleared = {name: value for name, value in os.environ.items() if not name.startswith("PINGHOME_")}
    own = {"PINGHOME_DATA": str(data), "PINGHOME_PORT": str(port), "PINGHOME_REGIONS": "eu-central-1,us-east-1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MAIN, "up", *options,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=cleared | own | more, start_new_session=True,
    )  # fmt: skip
    try:
        yield Platform(process, port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
async def test_up_serves_all_on_one_port_and_stops_cleanly(folder, sign):
    began = time.monotonic()
    async with up(folder / f"up-{sign}", new=sign is signal.SIGINT, PINGHOME_PUBLIC_METRICS="true") as platform:
        said = await platform.until("BOOTSTRAP_PING_KEY=")
        print(f"first start in {time.monotonic() - began:.2f} s")
        status, ready = await get(platform.port, "/readyz")
        assert (status, ready) == (200, {"ready": True, "problems": {}})
        _, told = await get(platform.port, "/resource-cmd/v1/who")
        assert (told["user"], told["database"], told["pid"]) == ("resource-cmd", "resource_cmd", platform.process.pid)
        token = re.search(r"PINGHOME_BOOTSTRAP_TOKEN=(\S+)", said)
        assert token
        assert told["told"][3] == token[1]
        secret = told["told"][2]
        assert len(secret) >= 32
        assert secret not in said
        _, told = await get(platform.port, "/prober-us-east-1/v1/who")
        assert (told["user"], told["database"], told["told"][0]) == ("prober-us-east-1", None, "us-east-1")
        assert told["told"][2:] == ["", "", derive(secret, "region:us-east-1").hex()]  # its region's key, nothing else
        below = descendants(platform.process.pid)
        assert len(below) >= 5
        run = json.loads((folder / f"up-{sign}" / "run.json").read_text())
        assert (run["pid"], run["port"]) == (platform.process.pid, platform.port)
        connection = await asyncpg.connect(run["database_url"])  # as the other commands reach it
        await connection.close()
        platform.process.send_signal(sign)
        assert await platform.end() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in below)
        assert platform.said.endswith("stopped\n")

    began = time.monotonic()
    async with up(folder / f"up-{sign}") as platform:
        said = await platform.until("is ready")
        print(f"second start in {time.monotonic() - began:.2f} s")
        _, told = await get(platform.port, "/resource-cmd/v1/who")
        assert told["told"][2:4] == [secret, token[1]]
        platform.process.send_signal(sign)
        assert await platform.end() == 0
    assert "KEY" not in platform.said.upper().replace("KEYS.JSON", "")


@pytest.mark.usefixtures("tiny")
async def test_a_killed_platform_leaves_nothing_and_starts_again(folder):
    data, port = folder / "up-kill", free_port()
    for options in ((), ("--processes",), ()):
        async with up(data, *options, port=port) as platform:
            await platform.until("is ready")
            below = descendants(platform.process.pid)
            platform.process.kill()
            await platform.process.wait()
    assert await all_gone(below)


@pytest.mark.usefixtures("tiny")
async def test_up_processes_runs_each_service_on_its_own_and_starts_a_killed_one_again(folder):
    async with up(folder / "up-processes", "--processes") as platform:
        said = await platform.until("BOOTSTRAP_PING_KEY=")
        ports = {name: int(port) for name, port in re.findall(r"(\S+) +http://127\.0\.0\.1:(\d+)/docs", said)}
        assert set(ports) == {"resource-cmd", "data-gateway", "prober-eu-central-1", "prober-us-east-1"}
        told = {name: (await get(port, "/v1/who"))[1] for name, port in ports.items()}
        assert [it["user"] for it in told.values()] == list(ports)
        assert len({it["pid"] for it in told.values()} | {platform.process.pid}) == 5
        assert told["prober-us-east-1"]["told"][:2] == ["us-east-1", ["eu-central-1", "us-east-1"]]
        os.kill(told["data-gateway"]["pid"], signal.SIGKILL)
        async with asyncio.timeout(60):
            while not await services.answers("127.0.0.1", ports["data-gateway"]):
                await asyncio.sleep(0.05)
        again = (await get(ports["data-gateway"], "/v1/who"))[1]["pid"]
        assert again != told["data-gateway"]["pid"]
        below = descendants(platform.process.pid)
        platform.process.terminate()
        assert await platform.end() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in below)


@pytest.mark.usefixtures("tiny")
async def test_a_signal_during_the_first_start_stops_it_cleanly(folder):
    async with up(folder / "up-early", new=True) as platform:
        await platform.until("starting PostgreSQL")
        await asyncio.sleep(0.3)
        below = descendants(platform.process.pid)
        platform.process.terminate()
        assert await platform.end() == 0
        assert await all_gone(below, within=20)
    async with up(folder / "up-early") as platform:
        await platform.until("is ready")


@pytest.mark.usefixtures("tiny")
async def test_an_impatient_second_signal_does_not_cut_the_stop_short(folder):
    async with up(folder / "up-twice") as platform:
        await platform.until("is ready")
        below = descendants(platform.process.pid)
        for _ in range(3):
            platform.process.send_signal(signal.SIGINT)
            await asyncio.sleep(0.02)
        assert await platform.end() == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in below)


@pytest.mark.usefixtures("tiny")
async def test_a_start_that_cannot_be_says_why_in_a_sentence(folder, servers):
    assert servers
    async with up(folder / "session") as platform:
        assert await platform.end() == 1
    assert "Pinghome cannot start: another pinghome is running on" in platform.said
    assert "Traceback" not in platform.said
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        async with up(folder / "up-taken", port=stranger.getsockname()[1]) as platform:
            below = descendants(platform.process.pid)
            assert await platform.end() != 0
    assert await all_gone(below, within=20)


async def test_services_read_the_same_settings_from_their_environment(monkeypatch, tmp_path):
    settings = Settings(
        data=tmp_path, regions=["a", "b"], probe_allow_cidrs=["10.0.0.0/8", "fd00::/8"], secret_key="a,b c", port=1234
    )
    for name, value in services.environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


@pytest.mark.usefixtures("tiny")
async def test_fault_tests_can_run_services_as_processes_and_kill_them(folder, monkeypatch):
    monkeypatch.setattr(services, "SERVICES", {"resource-cmd": "tiny:create_app"})
    settings = Settings(data=folder / "faults", database_url="", nats_url="", console=False)
    async with Servers(settings) as servers, Supervisor() as supervisor:
        urls = await services.as_processes(settings, servers, supervisor)
        assert list(urls) == ["resource-cmd"]
        before = supervisor.pids["resource-cmd"]
        os.kill(before, signal.SIGKILL)
        while supervisor.pids.get("resource-cmd") in {before, None}:
            await asyncio.sleep(0.01)
        await supervisor.ready("resource-cmd", within=60)
        port = int(urls["resource-cmd"].rpartition(":")[2])
        assert port == StateFile(folder / "faults" / "ports.json").get("resource-cmd")
        assert (await get(port, "/v1/who"))[1]["pid"] == supervisor.pids["resource-cmd"]
