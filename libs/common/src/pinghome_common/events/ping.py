"""What the data-gateway publishes: pings in batches, and a tick each second (stream TELEMETRY, msgpack)."""

from enum import IntEnum

import msgspec


class Kind(IntEnum):
    """What a ping reports. PingHome's kinds first; Healthchecks' start is run.

    Healthchecks' success is a `success` until it is stored: then it is a complete where it ends a run, else a tick.
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

    `run_id` is UUID bytes, empty for none; `body` is what was sent, cut to the limit, otherwise unchanged.
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
    """A gateway's statement that every ping it accepted before `at` (UNIX microseconds) precedes this in the stream.

    `since` is when it began accepting pings without a break: between its earlier ticks and then, nobody listened.
    """

    gateway: str
    at: int
    since: int


encode = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(Batch).decode
decode_tick = msgspec.msgpack.Decoder(Tick).decode


def position(seq: int, index: int) -> int:
    """A ping's place in the order of all pings: its message in TELEMETRY, then its place in that message.

    Fits 63 bits: a message holds fewer than 2^16 pings, and sequences start at the stream's birth in 100 µs units.
    """
    return (seq << 16) + index
