"""Group commit: pings that arrive together travel in one message and share one acknowledgement (house 4)."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import structlog
from prometheus_client import Counter

from data_gateway.spool import Spool
from pinghome_common.errors import Unavailable
from pinghome_common.events.ping import Batch, Ping, Tick, encode
from pinghome_common.health import resting, round_done
from pinghome_common.stream import Broker

log = structlog.get_logger()

ACCEPTED = Counter("pinghome_pings_accepted_total", "pings answered 200", ["by"])

LARGEST = 400 * 1024
"""Bytes of pings in one message; JetStream accepts 512 KiB here."""

MOST_WAITING = 50_000
"""Pings that may wait for an acknowledgement; more are refused."""

MOST_BYTES = 64 << 20
"""Bytes of their bodies that may wait; more are refused."""

TICK = 1.0
"""Seconds between two ticks."""

GATHER = 0.05
"""Seconds that pings are gathered before they go to the spool: the broker syncs each batch separately."""

PART = 2 << 20
"""Bytes of the spool that are read and sent at a time, in messages of up to `LARGEST`."""

LAST_FILE = 1.0
"""Maximum seconds that pings wait for the last file of the spool to be sent."""

FROZEN = 5.0
"""Seconds without an iteration of the event loop after which this process counts as not having listened."""


class Committer:
    """Accepts pings and confirms them when they are on disk: in the stream, or else in the spool.

    Args:
        folder: the gateway's own, holding its name and its spool.
        ready: true once pings can be accepted.
    """

    def __init__(self, broker: Broker, folder: Path, ready: Callable[[], bool]) -> None:
        self._broker, self._ready = broker, ready
        self.spool = Spool(folder / "spool")
        self._name = _name(folder / "name")
        self._boot, self._number = uuid4(), 0
        self._pings: list[Ping] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._bytes = 0
        self._work, self._order = asyncio.Event(), asyncio.Lock()
        self.since: int | None = None
        """UNIX microseconds since when this process has accepted pings; None until it can."""

    def add(self, ping: Ping) -> "asyncio.Future[None]":
        """Accepts a ping; the future is done when it is durable.

        Raises:
            Unavailable: too many are waiting.
        """
        if len(self._pings) >= MOST_WAITING or self._bytes >= MOST_BYTES:
            raise Unavailable("Too many check-ins are waiting right now; please try again in a moment.")
        future = asyncio.get_running_loop().create_future()
        self._pings.append(ping)
        self._bytes += len(ping.body)
        self._waiting.append(future)
        self._work.set()
        return future

    async def run(self) -> None:
        """Commits until cancelled; what has been accepted by then is still committed."""
        ticked = time.monotonic()
        while True:
            round_done()
            if not self._pings:
                self._work.clear()
                try:
                    async with asyncio.timeout(max(ticked + TICK - time.monotonic(), 0)):
                        await self._work.wait()
                except TimeoutError:
                    pass
            mark = _micros()
            if self.since is None and self._ready():
                self.since = mark
            while self._pings:
                if self.spool:
                    await asyncio.sleep(GATHER)
                await asyncio.shield(self._flush())
            late = time.monotonic() - ticked
            if late >= TICK and self.since is not None:
                if late > FROZEN + TICK and not self.spool:
                    self.since = mark
                await self._tick(mark)
                ticked = time.monotonic()

    async def _flush(self) -> None:
        """Commits everything that waits; under load that is what arrived during the previous flush."""
        pings, waiting = self._pings, self._waiting
        self._pings, self._waiting, self._bytes = [], [], 0
        messages = []
        for part in _parts(pings):
            self._number += 1
            messages.append(encode(Batch(self._boot.bytes, self._number, part)))
        try:
            by = await self._commit(messages)
        except OSError:
            log.exception("check_ins_not_stored")
            for future in waiting:
                if not future.done():
                    future.set_exception(Unavailable("The check-in could not be stored; please try again."))
            return
        ACCEPTED.labels(by).inc(len(pings))
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def _commit(self, messages: list[bytes]) -> str:
        async with self._order:
            if not self.spool:  # else what is in the spool goes first
                try:
                    await self._publish(messages)
                except Unavailable:
                    log.warning("check_ins_spooled")
                else:
                    return "stream"
            for message in messages:
                await asyncio.to_thread(self.spool.append, message)
        return "spool"

    async def _publish(self, messages: list[bytes]) -> None:
        # No message id: projections recognise a batch by its boot and number forever, the broker only for two minutes.
        await self._broker.publish((f"telemetry.ping.{self._name}", message, None) for message in messages)

    async def drain(self) -> None:
        """Sends what is in the spool, oldest first, until cancelled."""
        while True:
            while self.spool and self._broker.connected:
                await self._send_oldest(None)
                if self.spool.nearly_empty:  # under load it would never be empty: there is always one more batch
                    async with self._order:
                        await self._send_oldest(LAST_FILE)
            with resting():
                await asyncio.sleep(0.2)

    async def _send_oldest(self, most: float | None) -> None:
        """Sends the oldest file of the spool; TimeoutError after `most` seconds."""
        path, batches = await asyncio.to_thread(self.spool.oldest)
        sent = 0
        async with asyncio.timeout(most):
            while part := await asyncio.to_thread(_next_part, batches):
                await self._publish(part)
                sent += len(part)
        await asyncio.to_thread(self.spool.remove, path)
        log.info("spool_file_sent", batches=sent)

    async def _tick(self, mark: int) -> None:
        """Publishes that all pings before `mark` are in the stream, if they are."""
        if self.spool or self.since is None:
            return
        try:
            tick = encode(Tick(self._name, mark, self.since))
            await self._broker.publish([(f"telemetry.tick.{self._name}", tick, None)])
        except Unavailable:
            return


def _next_part(batches: Iterator[bytes]) -> list[bytes]:
    """The next batches of a file, as many as are sent together."""
    part: list[bytes] = []
    size = 0
    while size < PART and (batch := next(batches, None)) is not None:
        part.append(batch)
        size += len(batch) + 1024
    return part


def _parts(pings: list[Ping]) -> list[list[Ping]]:
    """Splits pings into parts that fit into a message: fewer than 2^16, and small enough."""
    parts: list[list[Ping]] = []
    size = LARGEST
    for ping in pings:
        weight = 100 + 4 * len(ping.message) + 2 * len(ping.user_agent) + len(ping.remote_addr) + len(ping.body)
        if size + weight > LARGEST:
            parts.append([])
            size = 0
        parts[-1].append(ping)
        size += weight
    return parts


def _micros() -> int:
    return time.time_ns() // 1000


def _name(path: Path) -> str:
    """This gateway's name, the same after a restart: projections wait for its ticks."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(f"gateway-{uuid4().hex[:12]}")
        fresh.replace(path)
    return path.read_text()
