"""The platform as a row needs it: the one command from outside, or single services in their own processes."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
from load import ask
from processes import cpu_by_program, cpu_seconds, empty_folder, running

from pinghome import platform_keys, services
from pinghome.servers import Servers, create_database
from pinghome.state_file import free_port
from pinghome.supervise import Child, Supervisor
from pinghome_common.settings import Settings

REGION = "eu-central-1"
PINGHOME = Path(__file__).parents[2] / ".venv/bin/pinghome"


KEY, TOKEN = "k" * 32, "t" * 43
"""Of the first organisation, where a row starts the platform with them."""


@dataclass(frozen=True)
class Up:
    """The platform as `make up` starts it; `started` are the seconds until /readyz was 200."""

    pid: int
    port: int
    data: Path
    started: float

    async def database_url(self, name: str) -> str:
        """The URL of a service's database, or of one beside them."""
        url = json.loads((self.data / "run.json").read_text())["database_url"]
        await create_database(url, name)
        return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))

    @asynccontextmanager
    async def database(self, name: str) -> AsyncIterator[asyncpg.Connection]:
        """A connection to one service's database."""
        connection = await asyncpg.connect(await self.database_url(name))
        try:
            yield connection
        finally:
            await connection.close()

    @property
    def ports(self) -> dict[str, int]:
        """The one port, by service name."""
        return dict.fromkeys(services.SERVICES, self.port)

    def cpu(self) -> dict[str, float]:
        """CPU seconds taken so far, by program."""
        return cpu_by_program(self.pid)

    def heartbeat(self) -> dict[str, object]:
        """What `load.ask` needs to create a heartbeat of PingHome's."""
        return creating(TOKEN) | {"path": "/resource-cmd/v1/heartbeat"}

    def check(self) -> dict[str, object]:
        """What it needs to create a check of Healthchecks'."""
        headers = {"X-Api-Key": KEY, "Content-Type": "application/json"}
        return {"method": "POST", "path": "/api/v1/checks/", "body": '{"name": "bench {n}"}', "headers": headers}


@asynccontextmanager
async def up(**settings: str) -> AsyncIterator[Up]:
    """`pinghome up` on an empty data folder, ready; `settings` without the prefix PINGHOME_."""
    with empty_folder() as data:
        port, begun = free_port(), time.perf_counter()
        own = {"PINGHOME_PORT": str(port), "PINGHOME_DATA": str(data)}
        own |= {"PINGHOME_BOOTSTRAP_TOKEN": TOKEN, "PINGHOME_BOOTSTRAP_CHECKS_KEY": KEY}
        own |= {f"PINGHOME_{name.upper()}": value for name, value in settings.items()}
        async with running([PINGHOME, "up"], own) as process:
            async with asyncio.timeout(60):
                while not await services.answers("127.0.0.1", port):  # another process
                    await asyncio.sleep(0.01)
            yield Up(process.pid, port, data, time.perf_counter() - begun)


def creating(token: str) -> dict[str, object]:
    """What `load.ask` needs to create a heartbeat at resource-cmd, each under its own name."""
    body = f'{{"name": "bench {{n}}", "service_id": "{uuid4()}", "interval": 60}}'
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return {"method": "POST", "path": "/v1/heartbeat", "body": body, "headers": headers}


@dataclass(frozen=True)
class Platform:
    """Services as in production, each in its own process with real servers; `ports` by service name."""

    servers: Servers
    supervisor: Supervisor
    ports: dict[str, int]
    token: str
    settings: Settings

    async def replica(self, name: str, number: int) -> int:
        """One more process of a service, beside the first and on the same data folder; returns its port, when ready."""
        service = name.removesuffix(f"-{REGION}")
        _, own = services.settings_of_all(self.settings, self.servers)[name]
        port, folder = free_port(), self.settings.data / f"{name}-{number}"
        folder.mkdir()
        child = Child(
            folder.name,
            [PINGHOME.with_name(service)],
            self.settings.data / "log" / f"{folder.name}.log",
            folder,
            partial(services.answers, "127.0.0.1", port),
            env={"PATH": os.environ["PATH"]} | services.environment(own.but(host="127.0.0.1", port=port)),
        )
        await self.supervisor.start(child, within=60)
        return port

    async def keep_only(self, *names: str) -> None:
        """Stop the other services, so that they take nothing of what is measured."""
        await self.supervisor.stop(*(name for name in self.ports if name not in names))

    def heartbeat(self) -> dict[str, object]:
        """What `load.ask` needs to create a heartbeat, each under its own name."""
        return creating(self.token)

    def resource(self, url: str, interval: int) -> dict[str, object]:
        """What `load.ask` needs to create a monitor of a page below `url`, each under its own name."""
        body = {"name": "bench {n}", "type": "http", "url": url + "{n}", "interval": interval}
        body |= {"service_id": str(uuid4()), "regions": [REGION]}
        return self.heartbeat() | {"path": "/v1/resource", "body": json.dumps(body)}

    def cpu(self) -> dict[str, float]:
        """CPU seconds taken so far by each service, PostgreSQL and NATS."""
        pids = self.servers.supervisor.pids | self.supervisor.pids
        return {name: cpu_seconds(pid) for name, pid in pids.items()}

    @asynccontextmanager
    async def database(self, name: str) -> AsyncIterator[asyncpg.Connection]:
        """A connection to one service's database."""
        connection = await asyncpg.connect(await self.servers.create_database(name))
        try:
            yield connection
        finally:
            await connection.close()

    async def heartbeats(self, count: int = 500) -> list[str]:
        """Create some heartbeats; their ids."""
        _, documents = await ask(self.ports["resource-cmd"], **self.heartbeat(), seconds=60, most=count)
        return [document["id"] for document in documents][:count]


@asynccontextmanager
async def in_processes(**changes: object) -> AsyncIterator[Platform]:
    """All services, each ready in its own process, on an empty data folder; `changes` are settings."""
    with empty_folder() as data:
        settings = Settings(data=data, regions=[REGION], database_url="", nats_url="", console=False).but(**changes)
        async with Servers(settings) as servers, Supervisor() as supervisor:
            complete, _ = platform_keys.complete(settings)
            urls = await services.as_processes(complete, servers, supervisor)
            ports = {name: int(url.rpartition(":")[2]) for name, url in urls.items()}
            yield Platform(servers, supervisor, ports, complete.bootstrap_token, complete)
