"""A message of a stream, and the metadata in its reply subject."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Message:
    """One message of a stream; `seq` increases even if the stream is created again.

    `at` is when the broker received it, in UNIX microseconds of the broker's clock.
    """

    seq: int
    subject: str
    data: bytes
    at: int = 0
    headers: dict[str, str] = field(default_factory=dict)


def meta(reply: str) -> tuple[int, int, int, int, int]:
    """Deliveries, stream sequence, consumer sequence, time in ns and messages pending, from a reply subject.

    The subject is `$JS.ACK.<stream>.<consumer>.…`, or has a domain and an account before and a token after that.
    """
    parts = reply.split(".")
    start = 4 if len(parts) == 9 else 6
    delivered, seq, count, at, pending = map(int, parts[start : start + 5])
    return delivered, seq, count, at, pending
