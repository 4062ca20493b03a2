"""Group commit: what arrives together travels in one message and shares one acknowledgement (house 4)."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from prometheus_client import Counter

from pinghome_common.errors import Unavailable
from pinghome_common.events import metric, point
from pinghome_common.events.metric import MetricBatch, Sample
from pinghome_common.events.ping import Batch, Ping, Tick, encode
from pinghome_common.events.point import PointBatch, Points
from pinghome_common.health import resting, round_done
from pinghome_common.logs import log
from pinghome_common.process_name import lasting_name
from pinghome_common.spool import Spool, adopt
from pinghome_common.stream import Broker

ACCEPTED = Counter("pinghome_pings_accepted_total", "accepted pings, by where they are stored: stream or spool", ["by"])
POINTS = Counter(
    "pinghome_points_accepted_total", "accepted points of custom metrics, by where they are stored", ["by"]
)
SAMPLES = Counter("pinghome_samples_accepted_total", "accepted samples of servers, by where they are stored", ["by"])

MAX_MESSAGE = 400 * 1024
"""Bytes of pings in one message; JetStream accepts 512 KiB here."""

MAX_WAITING = 50_000
"""Pings that may wait for an acknowledgement; more are refused."""

MAX_WAITING_BYTES = 64 << 20
"""Bytes of their bodies, of samples, and of points; more are refused."""

METRIC = b"\xc1"
"""Precedes batches of samples in the spool: no MessagePack begins with it, so that batches of pings are as ever."""

POINT = METRIC + METRIC
"""Precedes batches of points there."""

TICK_INTERVAL = 1.0
"""Seconds between two ticks."""

ADOPT_EVERY = 2.0
"""Seconds between two looks for gateways that have ended."""

SPOOL_WINDOW = 0.05
"""Seconds for which pings are collected before they are spooled: each batch costs the broker a sync later."""

FROZEN_AFTER = 5.0
"""Seconds without an iteration of the event loop after which pings may have been missed."""


T = TypeVar("T")


class Committer:
    """Accepts pings and confirms them when they are on disk: in the stream, or else in the spool.

    Args:
        broker: the connection to the broker.
        folder: where the gateway's name and spool are kept; those of its siblings are beside it.
        ready: true once pings can be accepted.
    """

    def __init__(self, broker: Broker, folder: Path, ready: Callable[[], bool]) -> None:
        self._broker, self._ready = broker, ready
        self._folder = folder
        self.spool = Spool(folder / "spool")
        self._name = lasting_name(folder / "name", "gateway")
        self._boot, self._number = uuid4(), 0
        self._pings: list[Ping] = []
        self._samples: list[Sample] = []
        self._points: list[Points] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._bytes = 0
        self._work = asyncio.Event()
        self.since: int | None = None
        """UNIX microseconds since when this process has accepted pings; None until it can."""

    def add(self, ping: Ping) -> "asyncio.Future[None]":
        """Accepts a ping; the future is done when it is durable.

        Raises:
            Unavailable: too many are waiting.
        """
        if len(self._pings) >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES:
            raise Unavailable("Too many check-ins are waiting right now; please try again in a moment.")
        future = asyncio.get_running_loop().create_future()
        self._pings.append(ping)
        self._bytes += len(ping.body)
        self._waiting.append(future)
        self._work.set()
        return future

    def add_samples(self, samples: list[Sample], size: int) -> "asyncio.Future[None]":
        """Accepts samples of about `size` bytes; the future is done when all of them are durable.

        Raises:
            Unavailable: too many are waiting.
        """
        self._check_room(size)
        self._samples += samples
        return self._added(size)

    def add_points(self, points: list[Points]) -> "asyncio.Future[None]":
        """Accepts points of custom metrics; the future is done when all of them are durable.

        Raises:
            Unavailable: too many are waiting.
        """
        size = sum(map(_size_of_points, points))
        self._check_room(size)
        self._points += points
        return self._added(size)

    def _check_room(self, size: int) -> None:
        if self._bytes + size >= MAX_WAITING_BYTES:
            raise Unavailable("Too much data is waiting right now; please try again in a moment.")

    def _added(self, size: int) -> "asyncio.Future[None]":
        future = asyncio.get_running_loop().create_future()
        self._bytes += size
        self._waiting.append(future)
        self._work.set()
        return future

    async def run(self) -> None:
        """Commits until cancelled; pings accepted by then are still committed."""
        ticked = time.monotonic()
        while True:
            round_done()
            if not self._waiting:
                self._work.clear()
                try:
                    async with asyncio.timeout(max(ticked + TICK_INTERVAL - time.monotonic(), 0)):
                        await self._work.wait()
                except TimeoutError:
                    pass
            mark = _micros()
            if self.since is None and self._ready():
                self.since = mark
            while self._waiting:
                if self.spool:
                    await asyncio.sleep(SPOOL_WINDOW)
                await asyncio.shield(self._flush())
            late = time.monotonic() - ticked
            if late >= TICK_INTERVAL and self.since is not None:
                if late > FROZEN_AFTER + TICK_INTERVAL and not self.spool:
                    self.since = mark
                await self._tick(mark)
                ticked = time.monotonic()

    async def _flush(self) -> None:
        """Commits all that waits; under load, what arrived during the previous flush."""
        pings, samples, points, waiting = self._pings, self._samples, self._points, self._waiting
        self._pings, self._samples, self._points, self._waiting, self._bytes = [], [], [], [], 0
        messages = [
            *(encode(Batch(*it)) for it in self._numbered(pings, _size_of_ping)),
            *(METRIC + metric.encode(MetricBatch(*it)) for it in self._numbered(samples, _size_of_sample)),
            *(POINT + point.encode(PointBatch(*it)) for it in self._numbered(points, _size_of_points)),
        ]
        try:
            by = "stream" if await self.spool.store(messages, self._publish) else "spool"
        except OSError:
            log.exception("telemetry_not_stored")
            for future in waiting:
                if not future.done():
                    future.set_exception(Unavailable("It could not be stored; please try again."))
            return
        ACCEPTED.labels(by).inc(len(pings))
        SAMPLES.labels(by).inc(len(samples))
        POINTS.labels(by).inc(sum(len(each.values) // 8 for each in points))
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _numbered(self, items: list[T], size_of: Callable[[T], int]) -> Iterator[tuple[bytes, int, list[T]]]:
        """What identifies each batch of some items, with those of it."""
        for part in _parts(items, size_of):
            self._number += 1
            yield self._boot.bytes, self._number, part

    async def _publish(self, messages: Sequence[bytes]) -> None:
        # No message id: the broker would deduplicate for two minutes only, projections do by boot and number forever.
        await self._broker.publish(self._addressed(message) for message in messages)

    def _addressed(self, record: bytes) -> tuple[str, bytes, None]:
        """A batch, as it is in the spool, with its subject."""
        if record.startswith(POINT):
            return f"telemetry.point.{self._name}", record[len(POINT) :], None
        if record.startswith(METRIC):
            return f"telemetry.metric.{self._name}", record[1:], None
        return f"telemetry.ping.{self._name}", record, None

    async def drain(self) -> None:
        """Sends the spool, oldest file first, until cancelled."""
        await self.spool.drain(self._publish, lambda: self._broker.connected)

    async def adopt(self) -> None:
        """Sends what gateways of this data folder that have ended have spooled, and says that they are gone."""
        while True:
            if self.since is not None:
                await adopt(
                    self._folder.parent.glob("[0-9]*"), self._publish, lambda: self._broker.connected, self._forget
                )
            with resting():
                await asyncio.sleep(ADOPT_EVERY)

    async def _forget(self, folder: Path) -> None:
        if (name := folder / "name").exists():
            tick = Tick(name.read_text(), _micros(), self.since or 0, gone=True)
            await self._broker.publish([(f"telemetry.tick.{self._name}", encode(tick), None)])
            name.unlink()  # whoever takes the folder is another gateway, which goes on with what is known there

    async def _tick(self, mark: int) -> None:
        """Publishes that all pings before `mark` are in the stream, if they are."""
        if self.spool or self.since is None:
            return
        try:
            tick = encode(Tick(self._name, mark, self.since))
            await self._broker.publish([(f"telemetry.tick.{self._name}", tick, None)])
        except Unavailable:
            return


def _parts(items: list[T], size_of: Callable[[T], int]) -> list[list[T]]:
    """Splits what arrived into parts that fit into a message: fewer than 2^16, and small enough."""
    parts: list[list[T]] = []
    size = MAX_MESSAGE
    for item in items:
        item_size = size_of(item)
        if size + item_size > MAX_MESSAGE:
            parts.append([])
            size = 0
        parts[-1].append(item)
        size += item_size
    return parts


def _size_of_ping(ping: Ping) -> int:
    return 100 + 4 * len(ping.message) + 2 * len(ping.user_agent) + len(ping.remote_addr) + len(ping.body)


def _size_of_sample(sample: Sample) -> int:
    return len(metric.encode(sample))


def _size_of_points(points: Points) -> int:
    return len(points.minutes) + len(points.values) + 32


def _micros() -> int:
    return time.time_ns() // 1000
