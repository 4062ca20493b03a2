"""Projections: what a service derives from the streams, with its checkpoint in the same transaction."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec
from prometheus_client import Counter, Gauge

from pinghome_common.containment import Apply, contained, is_items_own
from pinghome_common.db import Connection, Database
from pinghome_common.dead_letters import DeadLetter, DeadLetters, dead_letters_waiting
from pinghome_common.health import round_done
from pinghome_common.items import Contents, Item, first_seen, read, read_one, write_item
from pinghome_common.read_your_writes import SPEAK_EVERY, Progress, encode
from pinghome_common.stream import LONG, Broker, Message, Reader

LAG = Gauge("pinghome_projection_pending", "messages not yet applied", ["projection", "stream"])
APPLIED = Counter("pinghome_projected_total", "messages applied", ["projection", "stream"])

COLLECT = 0.2
"""Seconds from one batch to the next under load: a transaction for a hundred pings costs little more than one for ten,
a heartbeat with several pings in it is written once, and a read waits for what has come (decision 25)."""

LOAD = 100
"""Items of telemetry in as many seconds that are load; fewer are applied at once, in the order in which commands and
pings came."""

UNAWAITED = 10
"""Events that are load where no command waits for them."""

REPLAY_EVERY = 5.0
"""Seconds between two looks for dead letters that an operator wants to replay."""

REPLAYED = 0x8000
"""The first index of replayed items: they come after everything in the current message."""


@dataclass(slots=True)
class Source:
    """One stream that a projection reads, and what it does with the items of messages on some subjects (`….>`).

    With `whole`, other messages advance its position, too, so that one can wait until it has reached the stream's end;
    they cost no transaction. More than `calm` items in `COLLECT` seconds are load, under which what comes in the next
    ones is applied together.
    """

    stream: str
    subjects: list[str]
    apply: Apply[Item]
    whole: bool = False
    calm: float = math.inf
    reader: Reader = field(init=False)
    dead_letters: DeadLetters = field(init=False)
    _lately: float = 0.0
    _counted: float = 0.0

    def __post_init__(self) -> None:
        self.dead_letters = DeadLetters(self.stream)
        if self.stream == "TELEMETRY":
            self.calm = LOAD

    def read(self, broker: Broker, after: int) -> None:
        """Begins reading after a sequence."""
        subjects = [self.subjects[0].partition(".")[0] + ".>"] if self.whole else self.subjects
        self.reader = Reader(broker, self.stream, subjects, after)

    async def take(self) -> list[Message]:
        """What has arrived, under load after a while; waits on while nothing has."""
        if self._load() > self.calm:
            await asyncio.sleep(COLLECT)
        return await self.reader.take(LONG)

    def count(self, items: int) -> None:
        """Notes that some items have come."""
        self._lately, self._counted = self._load() + items, time.monotonic()

    def _load(self) -> float:
        """The items that have come lately; those of the past count ever less."""
        return self._lately * math.exp((self._counted - time.monotonic()) / COLLECT)

    def relevant(self, messages: list[Message]) -> list[Message]:
        """Those of some messages that are applied."""
        if not self.whole:
            return messages
        beginnings = tuple(subject.removesuffix(">") for subject in self.subjects)
        return [message for message in messages if message.subject.startswith(beginnings)]


class Projection:
    """One active reader of some streams: applies everything that has arrived in one transaction and announces it.

    An item that cannot be applied becomes a dead letter and all others are applied (`containment`); as every event
    carries the whole state, the aggregate's next event repairs it.

    Args:
        after: called after each commit; wakes a worker of the same process that continues from there.
        durable: false for a read model: a crash of PostgreSQL may undo its last commits, checkpoint and all, and they
            are repeated from the stream. That saves an fsync in every read-your-writes (decision 0005).
    """

    def __init__(
        self,
        name: str,
        db: Database,
        broker: Broker,
        sources: list[Source],
        *,
        after: Callable[[], None] | None = None,
        durable: bool = True,
    ) -> None:
        self.name, self._db, self._broker, self._sources = name, db, broker, sources
        self._after, self._durable = after, durable

    async def run(self) -> None:
        """Projects until cancelled; after an error the supervisor starts it again from the checkpoint."""
        connection = await self._db.leadership(f"projection {self.name}")
        try:
            await connection.execute(f"SET synchronous_commit = {'on' if self._durable else 'off'}")
            for source in self._sources:
                seq = await connection.fetchval("SELECT seq FROM checkpoint WHERE stream = $1", source.stream)
                source.read(self._broker, seq or 0)
            await self._follow(connection)
        finally:
            connection.terminate()
            for source in self._sources:
                if hasattr(source, "reader"):
                    await source.reader.stop()

    async def _follow(self, connection: Connection) -> None:
        spoken = replayed = 0.0
        applied = {source.stream: source.reader.position or 0 for source in self._sources}
        takes = {source.stream: self._take(source) for source in self._sources}
        try:
            while True:
                await asyncio.wait(takes.values(), timeout=SPEAK_EVERY, return_when=asyncio.FIRST_COMPLETED)
                arrived: list[tuple[Source, list[Message]]] = []
                reached: dict[str, int] = {}
                for source in self._sources:
                    if takes[source.stream].done():
                        if messages := takes[source.stream].result():
                            reached[source.stream] = messages[-1].seq
                            if relevant := source.relevant(messages):
                                arrived.append((source, relevant))
                        takes[source.stream] = self._take(source)
                if arrived:
                    await self._apply(connection, arrived)
                applied |= reached  # not the readers' positions: they have moved on meanwhile
                if time.monotonic() - replayed >= REPLAY_EVERY:
                    replayed = time.monotonic()
                    await self._replay(connection)
                round_done()
                if reached or time.monotonic() - spoken >= SPEAK_EVERY:
                    spoken = time.monotonic()
                    await self._speak(applied, arrived)
        finally:
            for task in takes.values():
                task.cancel()
            await asyncio.gather(*takes.values(), return_exceptions=True)

    def _take(self, source: Source) -> asyncio.Task[list[Message]]:
        return asyncio.create_task(source.take())

    async def _apply(self, connection: Connection, arrived: list[tuple[Source, list[Message]]]) -> None:
        for source, messages in arrived:
            contents = [read(message) for message in messages]
            source.count(sum(len(each.items) for each in contents))
            last = messages[-1].seq
            try:
                if any(each.unreadable for each in contents):
                    await self._apply_contained(connection, source, contents, last)
                else:
                    async with connection.transaction():
                        await source.apply(connection, await _new_items(connection, contents))
                        await self._checkpoint(connection, source.stream, last)
            except Exception as error:
                if not is_items_own(error):
                    raise
                await self._apply_contained(connection, source, contents, last)
            APPLIED.labels(self.name, source.stream).inc(len(messages))
            LAG.labels(self.name, source.stream).set(max(source.reader.pending, 0))
        if self._after:
            self._after()

    async def _apply_contained(
        self, connection: Connection, source: Source, contents: list[Contents], last: int
    ) -> None:
        """Applies what can be applied and stores the rest as dead letters, in one transaction."""
        async with connection.transaction():
            await source.dead_letters.add(connection, await self._failures(connection, source, contents))
            await self._checkpoint(connection, source.stream, last)

    async def _failures(self, tx: Connection, source: Source, contents: list[Contents]) -> list[DeadLetter]:
        """Applies what can be applied; returns what cannot."""
        failed = await contained(tx, await _new_items(tx, contents), source.apply)
        unreadable = [letter for each in contents for letter in each.unreadable]
        return unreadable + [DeadLetter(it.key, it.subject, write_item(it), error, it.at) for it, error in failed]

    async def _replay(self, connection: Connection) -> None:
        """Retries dead letters that an operator has marked; one that fails again stays, with the newest reason."""
        waiting = await dead_letters_waiting(connection, [source.stream for source in self._sources])
        for source in self._sources:
            if source.stream not in waiting:
                continue
            async with connection.transaction():
                for index, row in enumerate(await source.dead_letters.to_replay(connection)):
                    seq = await connection.fetchval("SELECT seq FROM checkpoint WHERE stream = $1", source.stream)
                    letters = await self._failures(connection, source, [_replayed(row, seq or 0, index)])
                    if _is_item(row):
                        letters = [replace(letter, key=row["key"]) for letter in letters]
                    if row["key"] not in {letter.key for letter in letters}:
                        await source.dead_letters.remove(connection, [row["key"]])
                    await source.dead_letters.add(connection, letters)

    async def _checkpoint(self, connection: Connection, stream: str, seq: int) -> None:
        await connection.execute(
            "INSERT INTO checkpoint VALUES ($1, $2) ON CONFLICT (stream) DO UPDATE SET seq = $2", stream, seq
        )

    async def _speak(self, positions: dict[str, int], arrived: list[tuple[Source, list[Message]]]) -> None:
        ids = [
            decode_id(message.data)
            for source, messages in arrived
            if source.stream.endswith("EVENTS")  # each command service has a stream of its own
            for message in messages
        ]
        await self._broker.publish_core(f"echo.{self.name}", encode(Progress(positions, [i for i in ids if i])))


class _Id(msgspec.Struct):
    id: UUID


_decode_id = msgspec.json.Decoder(_Id).decode


def decode_id(data: bytes) -> UUID | None:
    """The id of an encoded event; None when it is not an event."""
    try:
        return _decode_id(data).id
    except msgspec.MsgspecError:
        return None


async def _new_items(tx: Connection, contents: list[Contents]) -> list[Item]:
    return [item for each in await first_seen(tx, contents) for item in each.items]


def _is_item(row: Any) -> bool:
    """False for a message that could not be read at all."""
    return "." in row["key"]


def _replayed(row: Any, seq: int, index: int) -> Contents:
    """What a dead letter holds: one item, or a message that could not be read at all.

    An item gets a position after everything that was applied, as pings are counted by position.
    """
    if not _is_item(row):
        return read(Message(int(row["key"]), row["subject"], row["body"], row["sent_at"]))
    return read_one(row["body"], Item(seq, REPLAYED + index, row["subject"], row["sent_at"], None))
