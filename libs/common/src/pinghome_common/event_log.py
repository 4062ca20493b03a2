"""The event log: appended in the transaction that changes state, relayed to JetStream, kept forever."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from uuid import uuid4

import msgspec
from prometheus_client import Gauge

from pinghome_common.db import Connection, Database
from pinghome_common.errors import FieldError, Invalid, Unavailable
from pinghome_common.events import Envelope, decode
from pinghome_common.health import ROUND_LIMIT, round_done
from pinghome_common.logs import log
from pinghome_common.stream import Broker, Message, Reader
from pinghome_common.worker import Worker

WAITING = Gauge(
    "pinghome_relay_waiting_seconds",
    "for how long it has not been possible to publish events that may wait",
    ["stream"],
)

LARGEST_STATE = 256 * 1024

SLACK = 4096
"""Bytes that a state which is too large already may still grow by: a pause, say, must not fail for that."""

RESERVE = 256
"""Sequences reserved at a time: the most that are skipped after the broker was away."""

CALM, GATHER = 3, 0.008
"""More events than this in a batch are load, under which as many seconds pass until the next: each batch takes the
relay and the services behind it some twenty round trips, however few events it has."""

EVENTS = "events (event_id, aggregate, version, address, body)"
INSERT = f"INSERT INTO {EVENTS} VALUES ($1, $2, $3, $4, $5)"  # noqa: S608  # our own names
INSERT_MANY = f"INSERT INTO {EVENTS} SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::bytea[])"  # noqa: S608
"""Used by the stores of aggregates in their own statements, so that state and event are written together."""


def check_size(body: bytes, before: int) -> None:
    """Raises Invalid for an event that is too large, unless its state was so before and is about as large.

    What a command may make leaves room below the broker's limit for what workers add later.
    """
    if len(body) > max(LARGEST_STATE, before + SLACK):
        raise Invalid(FieldError("body", f"is too large: {len(body)} bytes of at most {LARGEST_STATE} in all"))


@dataclass(slots=True)
class _State:
    """The last sequence in the stream, and up to which sequence messages may ever have been published."""

    last: int
    reserved: int


def _events(messages: list[Message]) -> Iterator[tuple[Envelope, int]]:
    """The events among some messages, with their sequences; others are skipped sequences, or unreadable."""
    for message in messages:
        try:
            yield decode(message.data), message.seq
        except msgspec.MsgspecError:
            continue


class Relay(Worker):
    """Moves events from PostgreSQL to a stream in the order of their ids; one is active at a time, nobody else writes.

    A broker that is killed may lose its newest messages, though it has confirmed them and projections have applied
    them (decision 0015). So each message names the sequence that it follows, which a broker that lost some refuses.
    What is lost is published again, with sequences that no projection can have seen: each is reserved before its use.

    Args:
        db: of the service.
        broker: as the service's user.
        stream: the stream, which is this service's alone.
        prefix: of its subjects, that of the service's stores.
    """

    lock = "relay"

    def __init__(self, db: Database, broker: Broker, stream: str = "EVENTS", prefix: str = "events") -> None:
        super().__init__(db)
        self._broker, self._name, self._prefix = broker, stream, prefix
        self._stream = _State(0, 0)
        self._doubt = True
        self._stuck_since: float | None = None
        self._tried = 0.0
        WAITING.labels(stream).set_function(self.waited)
        self.drained = False
        """True once everything that was there at the start has been published."""

    def doubt(self) -> None:
        """Notes that the stream may have changed: the broker was away."""
        self._doubt = True
        self.wake()

    async def problem(self) -> str | None:
        """Why the service is not ready: what it has published before is not all in the stream yet."""
        if self.drained or (not self._active and await self._db.is_led(self.lock)):  # another process does it
            return None
        return "the newest events are not published yet"

    def waited(self) -> float:
        """For how many seconds this process has tried in vain to publish; 0 where it does not try: another one does."""
        now = time.monotonic()
        if self._stuck_since is None or now - self._tried > ROUND_LIMIT:
            return 0.0
        return now - self._stuck_since

    async def begin(self, connection: Connection) -> None:
        """Commits asynchronously: a mark that is lost in a crash is recovered from the stream.

        Only index scans pass over the rows that were marked since the last vacuum; other plans read them all each time.
        """
        await connection.execute("SET synchronous_commit = off; SET enable_seqscan = off; SET enable_bitmapscan = off")
        self._doubt = True

    async def round(self, connection: Connection) -> bool:
        """Publishes some events; false when none are left."""
        self._tried = time.monotonic()
        self._stuck_since = self._stuck_since or self._tried
        if self._doubt:
            self._doubt = False
            self._stream = await self._inspect(connection)
        more = await self._step(connection, self._stream)
        self._stuck_since = None
        self.drained = self.drained or not more
        return more

    async def _step(self, connection: Connection, stream: _State) -> bool:
        rows = await connection.fetch(
            "SELECT id, event_id, address, body FROM events WHERE published_seq IS NULL"
            " ORDER BY published_seq, id LIMIT 500"  # the order of the index
        )
        if not rows:
            return False
        if stream.last + len(rows) > stream.reserved:
            stream.reserved = stream.last + len(rows) + RESERVE
            async with connection.transaction():
                await connection.execute("SET LOCAL synchronous_commit = on")
                await connection.execute("UPDATE stream SET reserved = $2 WHERE name = $1", self._name, stream.reserved)
        seqs = await self._publish(stream, [(row["address"], row["body"], str(row["event_id"])) for row in rows])
        await connection.execute(
            "UPDATE events e SET published_seq = p.seq FROM unnest($1::bigint[], $2::bigint[]) p (id, seq)"
            " WHERE e.id = p.id",
            [row["id"] for row in rows], seqs,
        )  # fmt: skip
        if len(rows) > CALM:
            await asyncio.sleep(GATHER)
        return True

    async def _publish(self, stream: _State, messages: list[tuple[str, bytes, str]]) -> list[int]:
        """Each after the one before it or not at all: what follows a refused message is refused, too."""
        sent, before = [], ""
        for last, (address, body, id_) in enumerate(messages, stream.last):
            headers = {"Nats-Msg-Id": id_, "Nats-Expected-Last-Sequence": str(last)}
            sent.append((address, body, headers | ({"Nats-Expected-Last-Msg-Id": before} if before else {})))
            before = id_
        seqs = await self._broker.publish(sent)
        stream.last = seqs[-1]
        return seqs

    async def _inspect(self, connection: Connection) -> _State:
        """Marks events that are in the stream unnoticed, unmarks those it has lost, and skips what was reserved.

        Raises:
            Unavailable: the broker is away, or there is no such stream yet.
        """
        info = await self._broker.info(self._name)
        stream = _State(info["state"]["last_seq"], 0)
        known = await connection.fetchrow("SELECT created, reserved FROM stream WHERE name = $1", self._name)
        same = known is not None and known["created"] == info["created"]
        lost = await self._unmark(connection, stream.last if same else -1)
        if known and lost:
            log.warning("events_lost_by_broker", count=lost)
        async with connection.transaction():
            await connection.execute("SET LOCAL synchronous_commit = on")
            stream.reserved = max(stream.last, known["reserved"] if known else 0)
            await connection.execute(
                "INSERT INTO stream VALUES ($1, $2, $3)"
                " ON CONFLICT (name) DO UPDATE SET created = excluded.created, reserved = excluded.reserved",
                self._name, info["created"], stream.reserved,
            )  # fmt: skip
        marked = await connection.fetchval("SELECT max(published_seq) FROM events")
        async for messages in self._after(marked or info["state"]["first_seq"] - 1, stream.last):
            found = list(_events(messages))
            await connection.execute(
                "UPDATE events e SET published_seq = f.seq"
                " FROM unnest($1::uuid[], $2::int[], $3::bigint[]) f (aggregate, version, seq)"
                " WHERE e.aggregate = f.aggregate AND e.version = f.version AND published_seq IS NULL",
                [event.subject for event, _ in found], [event.version for event, _ in found], [seq for _, seq in found],
            )  # fmt: skip
        if stream.last < stream.reserved:
            skipped = f"{self._prefix}.skipped"  # empty messages with the sequences that must not be used again
            await self._publish(stream, [(skipped, b"", str(uuid4())) for _ in range(stream.last, stream.reserved)])
        return stream

    async def _unmark(self, connection: Connection, last: int) -> int:
        """Marks all events after a sequence to be published again; returns how many there were.

        In parts, as these may be all events ever. After a kill in between it starts again.
        """
        count = 0
        while part := await connection.fetchval(_UNMARK, last):
            count += part
            round_done()
        return count

    async def _after(self, seq: int, last: int) -> AsyncIterator[list[Message]]:
        """The messages of the stream after a sequence, up to `last`."""
        reader = Reader(self._broker, self._name, [f"{self._prefix}.>"], seq)
        try:
            while (reader.position or 0) < last:
                messages = await reader.take()
                if not messages:
                    raise Unavailable("The message broker is not reachable right now.")
                round_done()
                yield messages
        finally:
            await reader.stop()


_UNMARK = """
WITH part AS (
    UPDATE events SET published_seq = NULL
    WHERE id IN (SELECT id FROM events WHERE published_seq > $1 ORDER BY published_seq DESC LIMIT 10000) RETURNING 1
)
SELECT count(*) FROM part
"""
