"""The servers behind Pinghome: real PostgreSQL and NATS of our own beside the data, or those that the settings name."""

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
from pinghome.state_file import StateFile, write_private
from pinghome.supervise import Supervisor
from pinghome_common.settings import Settings

DATABASES = ("resource_cmd", "resource_query", "statistic_query")


class Servers:
    """`async with Servers(settings) as servers`: both servers answer, the databases of the services exist.

    `database_url` names the server; `Settings.database(name)` makes the address of one database of it. `supervisor`
    runs the servers that are ours. `<data>/run.json` tells other processes where everything is.
    RuntimeError when another process uses the data folder.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None] = lambda _: None) -> None:
        self.database_url = settings.database_url
        self.supervisor = Supervisor()
        self._settings = settings
        self._say = say
        self._data = settings.data.absolute()
        self._stack = AsyncExitStack()
        self._nats: Nats | None = None

    def nats_url(self, user: str) -> str:
        """Where the NATS user `user` connects: `resource-cmd`, `prober-<region>`, `admin`.

        A NATS server named by the settings has one address for all. Connect with the inbox prefix `_INBOX_<user>`,
        `_` for `-`: the server refuses any other.
        """
        return self._nats.url(user) if self._nats else self._settings.nats_url

    async def create_database(self, name: str) -> str:
        """Create the database `name` unless it exists; returns its URL."""
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
        kept = StateFile(self._data / "servers.json")
        if not self.database_url:
            self._say("starting PostgreSQL")
            postgres = Postgres(self._data, kept, self.supervisor)
            await postgres.start()
            self.database_url = postgres.url
        for name in DATABASES:
            await create_database(self.database_url, name)
        if not self._settings.nats_url:
            self._say("starting NATS")
            self._nats = Nats(self._data, self._settings.regions, kept, self.supervisor)
            await self._nats.start()
        run = {
            "pid": os.getpid(),
            "port": self._settings.port,
            "database_url": self.database_url,
            "nats_url": self.nats_url("admin"),
        }
        write_private(self._data / "run.json", json.dumps(run, indent=1) + "\n")

    async def _stop(self) -> None:
        """PostgreSQL last: what NATS still delivers may want to be written."""
        (self._data / "run.json").unlink(missing_ok=True)
        await self.supervisor.stop("nats")
        await self.supervisor.stop("postgres")


def _lock(path: Path) -> int:
    """Take the data folder for this process; the kernel gives it back when the process ends, however it ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise RuntimeError(f"another pinghome runs on {path.parent}") from None
    return handle
