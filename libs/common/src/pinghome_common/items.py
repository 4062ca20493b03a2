"""The items of a message: events, pings, samples, points, results, ticks: the smallest units that bad data affects."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from pinghome_common.db import Connection, FastUUID
from pinghome_common.dead_letters import DeadLetter
from pinghome_common.events import decode, metric, point
from pinghome_common.events.metric import Sample
from pinghome_common.events.ping import Ping, Tick, decode_batch, decode_tick, position
from pinghome_common.events.point import Points
from pinghome_common.events.probe import ProberSign, Result, Results
from pinghome_common.stream import Message

T = TypeVar("T")


class Item(msgspec.Struct):
    """One event, ping, result or tick.

    `seq`, `subject` and `at` (UNIX microseconds, by the broker's clock) are those of its message, `index` is its place
    in there. `sender` is the last part of the subject: of telemetry the gateway or the region, whose permissions at the
    broker vouch for it, which nothing does for the payload.
    """

    seq: int
    index: int
    subject: str
    at: int
    value: Any

    @property
    def sender(self) -> str:
        """The last part of the subject."""
        return self.subject.rpartition(".")[2]

    @property
    def key(self) -> str:
        """Names the item within its stream."""
        return f"{self.seq}.{self.index}"


@dataclass(slots=True)
class Contents:
    """What a message holds; `batch` names a batch of pings, which is applied once however often it arrives."""

    items: list[Item] = field(default_factory=list)
    unreadable: list[DeadLetter] = field(default_factory=list)
    batch: tuple[UUID, int] | None = None


class _RawBatch(msgspec.Struct, array_like=True):
    boot: bytes
    number: int
    items: list[msgspec.Raw]


class _RawResults(msgspec.Struct):
    results: list[msgspec.Raw]


_TYPES: dict[str, type] = {
    "ping": Ping,
    "result": Result,
    "tick": Tick,
    "metric": Sample,
    "point": Points,
    "prober": ProberSign,
}
_SINGLE: dict[str, Callable[[bytes], Any]] = {
    "tick": decode_tick,
    "prober": msgspec.msgpack.Decoder(ProberSign).decode,
}
_decode_results = msgspec.msgpack.Decoder(Results).decode
_decode_raw_results = msgspec.msgpack.Decoder(_RawResults).decode
_decode_raw_batch = msgspec.msgpack.Decoder(_RawBatch).decode
_BATCHES: dict[str, tuple[Callable[[bytes], Any], str]] = {
    "ping": (decode_batch, "pings"),
    "metric": (metric.decode_batch, "samples"),
    "point": (point.decode_batch, "points"),
}
"""By kind: how a gateway's batch is decoded, and the field of what is in it."""


def read(message: Message) -> Contents:
    """The items of a message; those that cannot be decoded are kept apart."""
    try:
        return _read(message)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        letter = DeadLetter(str(message.seq), message.subject, message.data, error, message.at)
        return Contents(unreadable=[letter])


def read_one(body: bytes, item: Item) -> Contents:
    """An item that was encoded by `write_item`; `item` holds all but its value."""
    kind = _kind(item.subject)
    try:
        item.value = decode(body) if kind is None else msgspec.msgpack.decode(body, type=_TYPES[kind])
    except (ValueError, RecursionError) as error:
        return Contents(unreadable=[DeadLetter(item.key, item.subject, body, error, item.at)])
    return Contents([item])


def write_item(item: Item) -> bytes:
    """Encodes one item, so that it can be stored and applied later."""
    return msgspec.json.encode(item.value) if _kind(item.subject) is None else msgspec.msgpack.encode(item.value)


def _kind(subject: str) -> str | None:
    """What a subject of TELEMETRY carries; None for an event."""
    stream, kind = subject.split(".", 2)[:2]
    return kind if stream == "telemetry" else None


def _read(message: Message) -> Contents:
    match kind := _kind(message.subject):
        case None:
            return _contents(message, [decode(message.data)])
        case "ping" | "metric" | "point":
            return _batch(message, *_BATCHES[kind])
        case "result":
            return _no_later_than_received(_contents(message, _results(message.data)))
        case "tick" | "prober":
            return _contents(message, [_SINGLE[kind](message.data)])
        case _:
            return Contents()  # of a later version


def _batch(message: Message, decode: Callable[[bytes], Any], name: str) -> Contents:
    try:
        batch = decode(message.data)
    except ValueError:
        batch, name = _decode_raw_batch(message.data), "items"
    contents = _contents(message, getattr(batch, name))
    contents.batch = UUID(bytes=batch.boot), batch.number
    return contents


def _results(data: bytes) -> list[Any]:
    try:
        return list(_decode_results(data).results)
    except ValueError:
        return list(_decode_raw_results(data).results)


def _contents(message: Message, values: list[Any]) -> Contents:
    """Values that are still raw are decoded one by one, as one of them has made the whole message fail."""
    contents = Contents()
    for index, value in enumerate(values):
        item = Item(message.seq, index, message.subject, message.at, value)
        if isinstance(value, msgspec.Raw):
            one = read_one(bytes(value), item)
            contents.items += one.items
            contents.unreadable += one.unreadable
        else:
            contents.items.append(item)
    return contents


def _no_later_than_received(contents: Contents) -> Contents:
    """No probe was due later than the broker received its result, whatever the prober's clock says."""
    for item in contents.items:
        if item.at:
            item.value.slot = min(item.value.slot, item.at)
    return contents


def by_type(items: list[Item]) -> dict[type, list[Item]]:
    """Items by the type of their value; none of a type that is not there."""
    found: dict[type, list[Item]] = defaultdict(list)
    for item in items:
        found[type(item.value)].append(item)
    return found


PART = 50
"""Things that are worked on without a pause: an answer of the same process waits no longer."""


def by_heartbeat(pings: list[Item]) -> Iterator[dict[UUID, list[tuple[Ping, int]]]]:
    """Pings with their positions, in order, by heartbeat: `PART` of these at a time, in the order of their ids."""
    found: dict[bytes, list[tuple[Ping, int]]] = defaultdict(list)
    for item in pings:
        found[item.value.heartbeat].append((item.value, position(item.seq, item.index)))
    for ids in parts(sorted(found)):
        yield {FastUUID(id_): found[id_] for id_ in ids}


def parts(things: list[T]) -> Iterator[list[T]]:
    """Things, `PART` at a time."""
    return (things[begin : begin + PART] for begin in range(0, len(things), PART))


async def first_seen(tx: Connection, arrived: list[Contents]) -> list[Contents]:
    """Those that were not applied before; marks them as applied.

    The broker forgets ids after two minutes, an outage may last longer: a gateway numbers its batches, and what was
    applied is kept as ranges, one short row for each start of a gateway.
    """
    batches = {contents.batch: contents for contents in reversed(arrived) if contents.batch}
    if not batches:
        return arrived
    columns = [boot for boot, _ in batches], [number for _, number in batches]
    new = {id(batches[row["boot"], row["n"]]) for row in await tx.fetch(_FIRST_SEEN, *columns)}
    return [contents for contents in arrived if not contents.batch or id(contents) in new]


_FIRST_SEEN = """
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
