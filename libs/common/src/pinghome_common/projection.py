"""Projections: what a service makes of the streams, with its checkpoint in the same transaction."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import msgspec
import structlog
from prometheus_client import Counter, Gauge

from pinghome_common.db import Connection, Database, only_one
from pinghome_common.echo import Said, encode
from pinghome_common.events import Envelope, decode
from pinghome_common.events.ping import Batch, decode_batch
from pinghome_common.stream import Broker, Message, Reader

log = structlog.get_logger()

TABLES = """
CREATE TABLE checkpoint (stream text PRIMARY KEY, seq bigint NOT NULL);
CREATE TABLE dead_letter (
    stream text NOT NULL, seq bigint NOT NULL, subject text NOT NULL, body bytea NOT NULL,
    error text NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (stream, seq)
);
CREATE TABLE seen (boot uuid PRIMARY KEY, applied int8multirange NOT NULL, at timestamptz NOT NULL DEFAULT now());
"""
"""The plumbing's own tables; a projecting service's first migration makes them."""

DEAD = Counter("pinghome_dead_letters_total", "messages that could not be applied", ["projection"])
LAG = Gauge("pinghome_projection_pending", "messages not yet applied", ["projection", "stream"])
APPLIED = Counter("pinghome_projected_total", "messages applied", ["projection", "stream"])

Apply = Callable[[Connection, list[Message]], Awaitable[None]]


@dataclass(slots=True)
class Source:
    """One stream that a projection reads, and what it does with a batch of the messages on some subjects (`….>`).

    With `whole`, the others move its position, too, so that one can wait until it has come to the stream's end; they
    cost no transaction.
    """

    stream: str
    subjects: list[str]
    apply: Apply
    whole: bool = False
    reader: Reader = field(init=False)

    def read(self, broker: Broker, after: int) -> None:
        """Begins to read after a sequence."""
        subjects = [f"{self.stream.lower()}.>"] if self.whole else self.subjects
        self.reader = Reader(broker, self.stream, subjects, after)

    def wanted(self, messages: list[Message]) -> list[Message]:
        """Those of some messages that are applied."""
        if not self.whole:
            return messages
        beginnings = tuple(subject.removesuffix(">") for subject in self.subjects)
        return [message for message in messages if message.subject.startswith(beginnings)]


class Projection:
    """One active reader of some streams: takes all that has arrived, applies it in one transaction, says so.

    A message whose data cannot be applied goes to `dead_letter` and the others go on; as every event carries the
    whole state, the aggregate's next event mends it.

    Args:
        after: called after each commit; wakes a worker of the same process that goes on from there.
        durable: false for a read model: a crash of PostgreSQL may undo its last commits, checkpoint and all, and they
            are made again from the stream. That saves an fsync in every read-your-writes (decision 0005).
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
        connection = await self._db.own()
        try:
            await only_one(connection, f"projection {self.name}")
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
        spoken = 0.0
        applied = {source.stream: source.reader.position or 0 for source in self._sources}
        takes = {source.stream: self._take(source) for source in self._sources}
        try:
            while True:
                await asyncio.wait(takes.values(), timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
                arrived: list[tuple[Source, list[Message]]] = []
                reached: dict[str, int] = {}
                for source in self._sources:
                    if takes[source.stream].done():
                        if messages := takes[source.stream].result():
                            reached[source.stream] = messages[-1].seq
                            if wanted := source.wanted(messages):
                                arrived.append((source, wanted))
                        takes[source.stream] = self._take(source)
                if arrived:
                    await self._apply(connection, arrived)
                applied |= reached  # not where the readers are: they have gone on meanwhile
                if reached or time.monotonic() - spoken >= 0.5:
                    spoken = time.monotonic()
                    await self._speak(applied, arrived)
        finally:
            for task in takes.values():
                task.cancel()
            await asyncio.gather(*takes.values(), return_exceptions=True)

    def _take(self, source: Source) -> asyncio.Task[list[Message]]:
        return asyncio.create_task(source.reader.take())

    async def _apply(self, connection: Connection, arrived: list[tuple[Source, list[Message]]]) -> None:
        for source, messages in arrived:
            try:
                async with connection.transaction():
                    await source.apply(connection, messages)
                    await self._checkpoint(connection, source.stream, messages[-1].seq)
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, msgspec.MsgspecError, ValueError):
                await self._one_by_one(connection, source, messages)
            APPLIED.labels(self.name, source.stream).inc(len(messages))
            LAG.labels(self.name, source.stream).set(max(source.reader.pending, 0))
        if self._after:
            self._after()

    async def _one_by_one(self, connection: Connection, source: Source, messages: list[Message]) -> None:
        for message in messages:
            async with connection.transaction():
                try:
                    async with connection.transaction():  # a savepoint
                        await source.apply(connection, [message])
                except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError) as error:
                    log.exception("a message cannot be applied", projection=self.name, seq=message.seq)
                    DEAD.labels(self.name).inc()
                    await connection.execute(
                        "INSERT INTO dead_letter (stream, seq, subject, body, error) VALUES ($1, $2, $3, $4, $5)"
                        " ON CONFLICT DO NOTHING",
                        source.stream, message.seq, message.subject, message.data, repr(error)[:1000],
                    )  # fmt: skip
                await self._checkpoint(connection, source.stream, message.seq)

    async def _checkpoint(self, connection: Connection, stream: str, seq: int) -> None:
        await connection.execute(
            "INSERT INTO checkpoint VALUES ($1, $2) ON CONFLICT (stream) DO UPDATE SET seq = $2", stream, seq
        )

    async def _speak(self, positions: dict[str, int], arrived: list[tuple[Source, list[Message]]]) -> None:
        seen = [
            decode_id(message.data) for source, messages in arrived if source.stream == "EVENTS" for message in messages
        ]
        await self._broker.say(f"echo.{self.name}", encode(Said(positions, [i for i in seen if i])))


class _Id(msgspec.Struct):
    id: UUID


_decode_id = msgspec.json.Decoder(_Id).decode


def decode_id(data: bytes) -> UUID | None:
    """The id of an encoded event; None when it is none."""
    try:
        return _decode_id(data).id
    except msgspec.MsgspecError:
        return None


def envelopes(messages: list[Message]) -> list[Envelope]:
    """The events in some messages of EVENTS, in order."""
    return [decode(message.data) for message in messages]


async def fresh(tx: Connection, messages: list[Message]) -> list[tuple[Message, Batch]]:
    """The ping batches among some messages that were never applied before, and the note that they now are.

    The broker forgets ids after two minutes, an outage may last longer: a gateway numbers its batches, and what was
    applied is kept as ranges, one short row for each start of a gateway.
    """
    batches: dict[tuple[UUID, int], tuple[Message, Batch]] = {}
    for message in messages:
        batch = decode_batch(message.data)
        batches.setdefault((UUID(bytes=batch.boot), batch.number), (message, batch))
    new = await tx.fetch(_FRESH, [boot for boot, _ in batches], [number for _, number in batches])
    return sorted((batches[row["boot"], row["n"]] for row in new), key=lambda each: each[0].seq)


_FRESH = """
WITH arrived AS (SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS a (boot, n)),
fresh AS (
    SELECT boot, n FROM arrived LEFT JOIN seen USING (boot) WHERE applied IS NULL OR NOT applied @> n
),
noted AS (
    INSERT INTO seen (boot, applied) SELECT boot, range_agg(int8range(n, n + 1)) FROM fresh GROUP BY boot
    ON CONFLICT (boot) DO UPDATE SET applied = seen.applied + excluded.applied, at = now()
)
SELECT boot, n FROM fresh
"""
