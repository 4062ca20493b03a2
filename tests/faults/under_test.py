"""The platform under test: real servers and each service as a supervised process, in a folder of its own."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import asyncpg
import structlog

import forking
import running
from pinghome import postgres, services, state_file, supervise
from pinghome.servers import Servers
from pinghome.state_file import free_port
from pinghome.supervise import Child, Supervisor
from pinghome_common.settings import Settings

REGION = "eu-central-1"
GRACE = 10
"""Seconds, beyond two intervals, for which a server may be silent."""


@dataclass
class Death:
    """A child that ended, as its supervisor saw it; `ours` when we had killed it."""

    name: str
    code: int
    at: float
    ours: bool


class Platform:
    """`async with Platform() as platform`: everything answers; `kill` ends a process, its supervisor starts another."""

    server_names: tuple[str, ...] = ("nats", "postgres")

    def __init__(self, regions: Sequence[str] = (REGION,), **changes: object) -> None:
        self._made = os.environ.get("TESTS_PREPARED")
        """Databases with their tables, which the tests share."""
        self.data = Path(tempfile.mkdtemp(prefix="pinghome-faults-", dir=self._made and Path(self._made).parent))
        self.data.chmod(0o711)  # PostgreSQL's own account must pass
        self.token = "ph_" + secrets.token_urlsafe(32)
        self.smtp_port = free_port()
        """Where a scenario may have a mail server."""
        self.settings = Settings(
            data=self.data,
            regions=list(regions),
            database_url="",
            nats_url="",
            console=False,
            secret_key=secrets.token_urlsafe(32),
            bootstrap_token=self.token,
            probe_allow_cidrs=["127.0.0.0/8"],  # monitors watch our own gateway
            period_unit_seconds=5,  # nobody waits for minutes of grace
            server_grace_seconds=GRACE,
            smtp_url=f"smtp://127.0.0.1:{self.smtp_port}",
            mail_from="Pinghome <alerts@example.com>",
            mail_per_minute=60_000,
            pings_kept=10_000_000,  # the oracle counts every one
            _env_file=None,
        ).but(**changes)
        self.deaths: list[Death] = []
        self.kept = False
        """True: the folder stays for a look at its logs."""
        self._killed: dict[str, int] = {}
        self._down: dict[str, Child] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        structlog.configure(processors=[self._hear])
        async with AsyncExitStack() as stack:
            stack.callback(self._leave)
            if self._made:
                stack.enter_context(patch.object(supervise, "_spawn", forking.spawn))
                # Of this process alone: platforms that start at once could draw the same one.
                stack.enter_context(patch.object(state_file, "free_port", lambda _: running.free_port()))
                # What a killed process has written stays without fsync, which is for a power cut.
                stack.enter_context(patch.dict(postgres.SETTINGS, {"fsync": "off"}))
                subprocess.run(["cp", "-a", f"{self._made}/.", self.data], check=True)  # noqa: ASYNC221, S603, S607
            self.servers = await stack.enter_async_context(Servers(self.settings))
            self.settings = self.settings.but(database_url=self.servers.database_url)
            await services.migrate_all(self.settings)
            self._services = await stack.enter_async_context(Supervisor())
            urls = await services.as_processes(self.settings, self.servers, self._services)
            self.ports = {name: int(url.rpartition(":")[2]) for name, url in urls.items()}
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _leave(self) -> None:
        if not self.kept:
            shutil.rmtree(self.data, ignore_errors=True)

    def _hear(self, _: object, __: str, event: dict[str, Any]) -> Any:
        """What the supervisors log: who died."""
        if event["event"] == "child_died":
            name = event["child"]
            self.deaths.append(Death(name, event["code"], time.monotonic(), self._killed.pop(name, None) is not None))
        raise structlog.DropEvent

    @property
    def names(self) -> list[str]:
        """All processes that should be alive."""
        return [name for name in (*self.server_names, *self.ports) if name not in self._down]

    @property
    def pids(self) -> dict[str, int]:
        """The processes alive now."""
        return self.servers.supervisor.pids | self._services.pids

    def of(self, name: str) -> Supervisor:
        """Who keeps a process alive."""
        return self.servers.supervisor if name in self.server_names else self._services

    def kill(self, name: str, sign: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the process as it is now; KeyError when it is not alive."""
        pid = self.pids[name]
        if sign not in {signal.SIGSTOP, signal.SIGCONT}:
            self._killed[name] = pid
        os.kill(pid, sign)

    async def hold_down(self, name: str) -> None:
        """Kill -9, and keep it from being started again until `let_up`."""
        self._down[name] = self.of(name)._runs[name].child
        self.kill(name)
        await self.of(name).stop(name)
        del self._killed[name]  # nobody reported this death

    async def let_up(self, name: str) -> None:
        """Start what was held down; returns when it is ready."""
        await self.of(name).start(self._down.pop(name), within=60)

    async def ready(self, name: str) -> bool:
        """True when a process says now that it is."""
        return name in self.pids and await self.of(name)._runs[name].child.ready()

    @asynccontextmanager
    async def sql(self, name: str) -> AsyncIterator[asyncpg.Connection]:
        """A connection of our own to a service's database."""
        connection = await asyncpg.connect(self.settings.database(name), timeout=5)
        try:
            yield connection
        finally:
            await connection.close(timeout=5)
