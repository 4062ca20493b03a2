"""The data-gateway's messages in TELEMETRY, in msgpack: batches of pings, and a tick each second."""

from enum import IntEnum

import msgspec


class Kind(IntEnum):
    """What a ping reports. PingHome has the first four; Healthchecks' start is a run.

    Healthchecks' success is a `success` until it is stored as a complete, if it ends a run, or else a tick.
    """

    tick = 0
    complete = 1
    run = 2
    fail = 3
    log = 4
    ign = 5
    success = 6


class Ping(msgspec.Struct, array_like=True, gc=False):
    """One accepted ping. `id` (UUIDv7) and `heartbeat` are UUID bytes, `at` is its receipt in UNIX microseconds.

    `run_id` is UUID bytes, or empty; `body` is unchanged except that it is cut to the limit.
    """

    id: bytes
    heartbeat: bytes
    at: int
    kind: int = Kind.tick
    message: str = ""
    method: str = "GET"
    remote_addr: str = ""
    scheme: str = "http"
    user_agent: str = ""
    body: bytes = b""
    run_id: bytes = b""
    exit_status: int | None = None


class Batch(msgspec.Struct, array_like=True):
    """Pings that arrived together and share one acknowledgement (`telemetry.ping.<gateway>`); never repacked.

    `boot` (UUID bytes) is one run of a gateway, `number` counts its batches: together they identify a batch forever.
    """

    boot: bytes
    number: int
    pings: list[Ping]


class Tick(msgspec.Struct, array_like=True):
    """Every ping that a gateway accepted before `at` (UNIX microseconds) precedes this message in the stream.

    `since` is when it started to accept pings without interruption; pings between its previous tick and then were lost.
    `gone`: it is no more, and another one has sent what it had spooled.
    """

    gateway: str
    at: int
    since: int
    gone: bool = False


encode = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(Batch).decode
decode_tick = msgspec.msgpack.Decoder(Tick).decode


def position(seq: int, index: int) -> int:
    """A ping's place in the order of all pings: its message in TELEMETRY, then its index in that message.

    Fits 63 bits: a message holds fewer than 2^16 pings, and sequences start at the stream's creation in 100 µs units.
    """
    return (seq << 16) + index
