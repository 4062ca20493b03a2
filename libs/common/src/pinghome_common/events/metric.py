"""What the data-gateway publishes of servers: samples in batches (`telemetry.metric.<gateway>`, msgpack)."""

import msgspec

FIELDS: dict[str, tuple[str, ...]] = {
    "cpu-total-usage": ("total", "user", "system", "iowait", "steal"),
    "memory-usage": ("total", "used", "available", "cached", "percent"),
    "swap-usage": ("total", "used", "percent"),
    "disk-io-unified": ("read_bytes", "write_bytes", "reads", "writes"),
    "disk-usage-unified": ("total", "used", "free", "percent"),
    "system-load-unified": ("load1", "load5", "load15"),
    "network-usage-unified": ("received_bytes", "sent_bytes", "received_errors", "sent_errors"),
}
"""The fields of each metric type, in the order in which they are stored; percent, bytes, bytes or events per second."""

COUNTED = ("disk-io-unified", "network-usage-unified")
"""Types whose fields may also arrive as counters that only grow; then the difference of two samples is the rate."""

PROCESSES = "processes-unified"
"""Only its newest sample is kept."""


class Figures(msgspec.Struct, array_like=True, gc=False):
    """The figures of one type at one time: of the host (`name` empty) or of one mount, disk or interface.

    `values` are in the order of `FIELDS`, None where there is none. With `counter` they are totals since a start.
    """

    type: str
    name: str
    values: list[float | None]
    counter: bool = False


class Sample(msgspec.Struct, array_like=True, gc=False):
    """What a server measured at one time. Times are UNIX microseconds.

    `server` are UUID bytes; `at` is the server's time of the measurement, `received_at` ours; `interval` (s) is that of
    its client, 0 when unknown. `processes` is JSON of `processes-unified`, empty for none.
    """

    server: bytes
    at: int
    received_at: int
    interval: float
    figures: list[Figures]
    processes: bytes = b""
    agent: "Agent | None" = None


class Agent(msgspec.Struct, array_like=True, gc=False):
    """What sends a server's samples; `boot_time` in UNIX seconds, 0 when unknown; skew is its clock minus ours."""

    version: str = ""
    hostname: str = ""
    os: str = ""
    boot_time: float = 0.0
    clock_skew_seconds: float = 0.0


class MetricBatch(msgspec.Struct, array_like=True):
    """Samples that arrived together; `boot` and `number` identify it forever, as those of a `ping.Batch`."""

    boot: bytes
    number: int
    samples: list[Sample]


encode = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(MetricBatch).decode
