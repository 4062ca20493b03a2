"""data-gateway as a process of its own on a real broker, with a token for a server, and what it has published."""

# ruff: noqa: S603  # our own program

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import nats
from nats.js.api import AckPolicy, ConsumerConfig

from conftest import connected
from pinghome.nats import Nats
from pinghome.services import answers
from pinghome_common.events import Event, encode
from pinghome_common.events.key import Key, Kind, Scope
from pinghome_common.events.metric import Sample, decode_batch
from pinghome_common.secret import new_token, token_hash
from pinghome_common.stream import Broker
from resource_cmd.scheduling.streams import make_streams
from running import free_port

_SERVE = (
    "from pinghome_common import limits; from pinghome_common.serve import run;"
    "from data_gateway.app import create_app; run(create_app, limits.PINGS)"
)


@dataclass
class Gateway:
    """A gateway; `start` after `kill` makes it go on where it was."""

    nats: Nats
    data: Path
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, *, ready: bool = True) -> None:
        """Starts the process; returns when it is ready, or with `ready` false when it answers at all."""
        own = {"data": self.data, "port": self.port, "nats_url": self.nats.url("data-gateway"), **self.settings}
        cleared = {name: value for name, value in os.environ.items() if not name.startswith("PINGHOME_")}
        environment = cleared | {f"PINGHOME_{name.upper()}": str(value) for name, value in own.items()}
        with (self.data / "gateway.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220  # which outlives the loop's own
                [sys.executable, "-c", _SERVE], env=environment, stdout=log, stderr=log
            )
        async with asyncio.timeout(60):
            while not await (answers("127.0.0.1", self.port) if ready else self._listens()):
                assert self.process.poll() is None, (self.data / "gateway.log").read_text()
                await asyncio.sleep(0.05)

    async def _listens(self) -> bool:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        return False

    def kill(self) -> None:
        """Kill -9."""
        assert self.process
        self.process.kill()
        self.process.wait()

    @property
    def memory(self) -> int:
        """The most bytes that the process has ever taken."""
        assert self.process
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) << 10

    async def token(self, server: UUID | None = None) -> "Token":
        """A token of a server, which the gateway knows of by an event alone."""
        it = Token(new_token(), server or uuid4())
        key = Key(
            id=uuid4(), organisation=uuid4(), name="agent", kind=Kind.agent, scope=Scope.write,
            hash=token_hash(it.text), server=it.server, created_at=datetime.now(UTC),
        )  # fmt: skip
        event = Event(
            type="key.created", time=key.created_at, subject=key.id, organisation=key.organisation, version=1, actor="",
            data=key,
        )  # fmt: skip
        async with Broker(self.nats.url("resource-cmd"), "resource-cmd") as commands:
            await connected(commands)
            await commands.publish([(event.address(), encode(event), None)])
        return it

    async def samples(self, server: UUID) -> list[Sample]:
        """All samples of a server in the stream."""
        return await samples_in(self.nats.url("admin"), server)


async def samples_in(nats_url: str, server: UUID) -> list[Sample]:
    """All samples of a server in a broker's stream; a batch that came twice counts once."""
    found = [decode_batch(data) for data in await telemetry(nats_url, "metric")]
    batches = {(it.boot, it.number): it.samples for it in found}
    return [it for samples in batches.values() for it in samples if it.server == server.bytes]


async def telemetry(nats_url: str, kind: str) -> list[bytes]:
    """All messages of one kind (`metric`, `ping`) in a broker's stream, pulled: a pushed consumer may have delivered
    them before it says how many there are."""
    client = await nats.connect(nats_url, allow_reconnect=False)
    try:
        config = ConsumerConfig(ack_policy=AckPolicy.NONE, mem_storage=True)
        reader = await client.jetstream().pull_subscribe(f"telemetry.{kind}.>", stream="TELEMETRY", config=config)
        left = (await reader.consumer_info()).num_pending or 0
        found: list[bytes] = []
        while len(found) < left:
            found += [it.data for it in await reader.fetch(min(200, left - len(found)), timeout=10)]
        return found
    finally:
        await client.close()


@dataclass(frozen=True)
class Token:
    """A token and the server that it names."""

    text: str
    server: UUID

    @property
    def header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.text}"}


@asynccontextmanager
async def gateway(nats: Nats, folder: Path, **settings: str) -> AsyncIterator[Gateway]:
    """A gateway that is ready, on a broker whose streams it makes."""
    async with Broker(nats.url("resource-cmd"), "resource-cmd") as commands:
        await connected(commands)
        await make_streams(commands, 1, 64 << 20)
    data = folder / f"gateway-{uuid4().hex[:8]}"
    data.mkdir()
    it = Gateway(nats, data, settings)
    await it.start()
    try:
        yield it
    finally:
        it.kill()
