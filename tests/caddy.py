"""Debian's Caddy with deploy/Caddyfile and its own authority; every name is here."""

import asyncio
import os
import re
import shutil
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpcore
import httpx

from bench.debian import provide
from pinghome.supervise import Child, Supervisor
from running import free_port

ROOT = Path(__file__).parents[1]
DOMAIN = "pinghome.test"


class _Here(httpcore.AnyIOBackend):
    async def connect_tcp(self, host: str, port: int, *more: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        return await super().connect_tcp("127.0.0.1" if host else "", port, *more, **options)


@dataclass(frozen=True)
class Caddy:
    """A Caddy that runs, with the ports on which it listens."""

    http: int
    https: int
    data: Path

    def url(self, host: str = "", scheme: str = "https") -> str:
        """The address of a host, by default the platform's; `resource-cmd.` is one below it."""
        name = host if host and not host.endswith(".") else f"{host}{DOMAIN}"
        return f"{scheme}://{name}:{getattr(self, scheme)}"

    def trusting(self) -> ssl.SSLContext:
        """Trusts what its authority signs, and nothing else."""
        return ssl.create_default_context(cafile=self.data / "caddy/pki/authorities/local/root.crt")

    def client(self, **options: Any) -> httpx.AsyncClient:
        """Connections to it; by default relative to the platform's own host."""
        transport = httpx.AsyncHTTPTransport(verify=self.trusting())
        transport._pool._network_backend = _Here()
        return httpx.AsyncClient(**{"base_url": self.url(), "timeout": 30, "transport": transport} | options)


@asynccontextmanager
async def caddy(folder: Path, upstreams: Mapping[str, Sequence[int]], **settings: str) -> AsyncIterator[Caddy]:
    """Caddy in front of services on ports of this machine, by name; `settings` without the prefix PINGHOME_."""
    provide(["caddy"])
    folder.mkdir()  # noqa: ASYNC240  # a moment
    made = Caddy(free_port(), free_port(), folder)
    at = {
        f"upstreams_{name.replace('-', '_')}": " ".join(f"127.0.0.1:{port}" for port in ports)
        for name, ports in upstreams.items()
    }
    own = {
        "domain": DOMAIN,
        "http_port": str(made.http),
        "https_port": str(made.https),
        "ask": f"http://127.0.0.1:{upstreams['statuspage-query'][0]}/internal/ask",
    }
    environment = {f"PINGHOME_{name.upper()}": value for name, value in (at | own | settings).items()}

    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", made.https, ssl=made.trusting(), server_hostname=DOMAIN
            )
        except (OSError, FileNotFoundError):
            return False
        writer.close()
        return True

    command = [shutil.which("caddy") or "", "run", "--config", ROOT / "deploy/Caddyfile", "--adapter", "caddyfile"]
    async with Supervisor() as supervisor:
        places = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
        env = {"PATH": os.environ["PATH"], **places, **environment}
        await supervisor.start(Child("caddy", command, folder / "log", folder, listens, env=env), within=60)
        yield made


async def again_and_again(port: int, tls: ssl.SSLContext | None, head: str, seen: Counter[str]) -> None:
    """Sends the same request again and again on one connection, and counts what comes back."""
    host = re.findall(r"Host: ([^:\r]+)", head)[0]
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=tls and host)
        try:
            while True:
                writer.write(f"{head}\r\n\r\n".encode())
                answer = (await reader.readuntil(b"\r\n\r\n")).decode()
                await reader.readexactly(int(re.findall(r"(?i)content-length: (\d+)", answer)[0]))
                seen[f"{head.split(maxsplit=1)[0]} {answer.split()[1]}"] += 1
                await asyncio.sleep(0.02)
        except (OSError, asyncio.IncompleteReadError) as error:
            seen[f"{head.split(maxsplit=1)[0]} {error!r}"] += 1
        finally:
            writer.close()
