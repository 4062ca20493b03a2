"""What the data-gateway says: pings in batches, and a tick each second (stream TELEMETRY, msgpack)."""

from enum import IntEnum

import msgspec


class Kind(IntEnum):
    """What a ping says. PingHome's words first; Healthchecks' start is run.

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
    """One accepted ping. `id` (UUIDv7) and `heartbeat` are UUID bytes, `at` is UNIX microseconds of its receipt.

    `run_id` is UUID bytes, empty for none; `body` is what was sent, cut to the limit, whatever bytes they are.
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
    """Pings that arrived together and share one acknowledgement (`telemetry.ping.<gateway>`); never packed again.

    `boot` (UUID bytes) is one run of a gateway, `number` counts its batches: together they name a batch for ever.
    """

    boot: bytes
    number: int
    pings: list[Ping]


class Tick(msgspec.Struct, array_like=True):
    """A gateway's word that every ping it accepted before `at` (UNIX microseconds) is in the stream before this.

    `since` is when it began to accept pings without a break: between its earlier ticks and then, nobody listened.
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
