"""The platform on three nats-servers, each of which has every stream."""

from dataclasses import dataclass, field
from typing import Any, Self
from unittest.mock import patch
from urllib.parse import urlsplit

from under_test import Platform

from pinghome import nats, region_users, servers
from pinghome.state_file import free_port
from pinghome.supervise import Child

NODES = ("nats-1", "nats-2", "nats-3")


@dataclass
class Cluster(nats.Nats):
    """Three nodes in place of one, by the same nats.conf."""

    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in NODES})
    routes: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in NODES})

    def url(self, user: str) -> str:
        """The URLs of all nodes."""
        parts = urlsplit(super().url(user))
        return ",".join(f"nats://{parts.username}:{parts.password}@127.0.0.1:{port}" for port in self.ports.values())

    async def start(self) -> None:
        """Start them together: streams need two of them."""
        environment = {name: f'"{value}"' for name, value in nats.passwords(self.state).items()}
        environment["NATS_MAX_FILE_STORE"] = str(8 << 30)
        for region in self.regions:
            region_users.add(self.data, region, "")
        region_users.include(self.data, nats.files("pinghome").joinpath("nats.conf").read_text("utf-8"))
        routes = ",".join(f"nats://127.0.0.1:{port}" for port in self.routes.values())
        for name in NODES:
            folder = self.data / name
            folder.mkdir()
            command = [nats._binary(), "-c", self.data / "nats.conf", "-sd", folder, "-n", name]
            command += ["-a", "127.0.0.1", "-p", str(self.ports[name]), "--cluster_name", "pinghome"]
            command += ["--cluster", f"nats://127.0.0.1:{self.routes[name]}", "--routes", routes]
            self.supervisor.launch(
                Child(name, command, self.data / "log" / f"{name}.log", folder, self._ready, env=environment)
            )
        for name in NODES:
            await self.supervisor.ready(name)

    async def _ready(self) -> bool:
        return True


class Clustered(Platform):
    """`async with Clustered() as platform`: each stream has three copies, on nodes that can be killed by name."""

    server_names = (*NODES, "postgres")

    def __init__(self) -> None:
        super().__init__(nats_replicas=3)

    async def __aenter__(self) -> Self:
        with patch.object(servers, "Nats", Cluster):
            return await super().__aenter__()

    async def ready(self, name: str) -> bool:
        """As everywhere; a node that runs is ready."""
        return name in self.pids if name in NODES else await super().ready(name)


async def leader(client: Any, stream: str) -> str:
    """The node that leads a stream, or nothing while they elect one."""
    info = await client.jetstream().stream_info(stream)
    return (info.cluster and info.cluster.leader) or ""
