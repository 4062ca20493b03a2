"""PostgreSQL and NATS: embedded ones in the data folder, or those named by the settings."""

import fcntl
import json
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from pinghome.nats import Nats
from pinghome.postgres import Postgres, create_database, open_folder
from pinghome.state_file import StateFile
from pinghome.supervise import Supervisor
from pinghome_common.files import write_private
from pinghome_common.settings import Settings

DATABASES = ("resource_cmd", "resource_query", "statistic_query", "statuspage_cmd", "statuspage_query")


class Servers:
    """`async with Servers(settings) as servers`: both servers are ready, the databases of the services exist.

    `database_url` is that of the server; see `Settings.database(name)` for one database. `supervisor` runs the embedded
    servers. `<data>/run.json` has the URLs for other processes.

    Raises:
        RuntimeError: another process uses the data folder.
    """

    def __init__(self, settings: Settings, report: Callable[[str], None] = lambda _: None) -> None:
        self.database_url = settings.database_url
        self.supervisor = Supervisor()
        self._settings = settings
        self._report = report
        self._data = settings.data.absolute()
        self._stack = AsyncExitStack()
        self._nats: Nats | None = None

    def nats_url(self, user: str) -> str:
        """The URL of a NATS user: `resource-cmd`, `prober-<region>`, `admin`.

        A NATS server named by the settings has one URL for all. The server accepts only the inbox prefix
        `_INBOX_<user>`, with `_` for `-`.
        """
        return self._nats.url(user) if self._nats else self._settings.nats_url

    async def create_database(self, name: str) -> str:
        """Create a database unless it exists; returns its URL."""
        await create_database(self.database_url, name)
        return urlunsplit(urlsplit(self.database_url)._replace(path=f"/{name}"))

    async def __aenter__(self) -> Self:
        open_folder(self._data)
        async with AsyncExitStack() as stack:
            stack.callback(os.close, _lock(self._data / "lock"))
            stack.push_async_callback(self._stop)
            await self._start()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        state = StateFile(self._data / "servers.json")
        if not self.database_url:
            self._report("starting PostgreSQL")
            postgres = Postgres(self._data, state, self.supervisor, self._settings.postgres_shared_buffers)
            await postgres.start()
            self.database_url = postgres.url
        for name in DATABASES:
            await create_database(self.database_url, name)
        if not self._settings.nats_url:
            self._report("starting NATS")
            self._nats = Nats(self._data, self._settings.regions, state, self.supervisor)
            await self._nats.start()
        run = {
            "pid": os.getpid(),
            "port": self._settings.port,
            "database_url": self.database_url,
            "nats_url": self.nats_url("admin"),
        }
        write_private(self._data / "run.json", json.dumps(run, indent=1) + "\n")

    async def _stop(self) -> None:
        """Stop PostgreSQL last, because messages that NATS still delivers may be written to it."""
        (self._data / "run.json").unlink(missing_ok=True)
        await self.supervisor.stop("nats")
        await self.supervisor.stop("postgres")


def _lock(path: Path) -> int:
    """Lock the data folder for this process; the kernel releases the lock when the process ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise RuntimeError(f"another pinghome is running on {path.parent}") from None
    return handle
