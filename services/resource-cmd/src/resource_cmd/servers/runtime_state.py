"""The runtime state of servers: what each sample changes, in a table of its own that no event carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from pinghome_common.db import Connection
from pinghome_common.events.metric import Sample


class Run(msgspec.Struct, array_like=True, gc=False):
    """For how long all points of a threshold have said the same: the times of the first and of the last."""

    broken: bool
    since: int
    last: int


class Judged(msgspec.Struct, array_like=True, gc=False):
    """What thresholds need to know of earlier points: the run of each, and by type the newest sample of counters."""

    runs: dict[str, Run] = {}
    counters: dict[str, Sample] = {}


@dataclass(slots=True, kw_only=True)
class RuntimeState:
    """The runtime state of one server. Times are UNIX microseconds by our clock.

    `seen_at` is the newest receipt, `patience` how many seconds of silence are allowed after it, and `alert_after` when
    silence is noticed. `boot_time` is in UNIX seconds by the server's clock, which is ahead of ours by `clock_skew`.
    """

    seen_at: int | None = None
    patience: float = 0.0
    alert_after: int | None = None
    boot_time: float = 0.0
    clock_skew: float = 0.0
    judged: Judged = field(default_factory=Judged)


_decode = msgspec.msgpack.Decoder(Judged).decode
_encode = msgspec.msgpack.Encoder().encode


async def lock_runtime(tx: Connection, ids: Sequence[UUID]) -> dict[UUID, RuntimeState]:
    """Locks the runtime state of servers in the order of their ids; unknown servers are left out."""
    rows = await tx.fetch("SELECT * FROM server_runtime WHERE server = ANY($1::uuid[]) ORDER BY server FOR UPDATE", ids)
    return {row["server"]: _read(dict(row)) for row in rows}


def _read(row: dict[str, object]) -> RuntimeState:
    del row["server"]
    judged = row.pop("judged")
    return RuntimeState(**row, judged=_decode(judged) if judged else Judged())  # type: ignore[arg-type]


async def write_runtime(tx: Connection, states: Mapping[UUID, RuntimeState]) -> None:
    """Writes the runtime state of servers."""
    rows = [
        (id_, it.seen_at, it.patience, it.alert_after, it.boot_time, it.clock_skew, _written(it.judged))
        for id_, it in states.items()
    ]
    await tx.execute(_UPDATE, *(list(column) for column in zip(*rows, strict=True)))


def _written(it: Judged) -> bytes:
    return _encode(it) if it.runs or it.counters else b""


_UPDATE = """
UPDATE server_runtime r SET seen_at = n.seen_at, patience = n.patience, alert_after = n.alert_after,
    boot_time = n.boot_time, clock_skew = n.clock_skew, judged = n.judged
FROM unnest($1::uuid[], $2::bigint[], $3::float8[], $4::bigint[], $5::float8[], $6::float8[], $7::bytea[])
    n (server, seen_at, patience, alert_after, boot_time, clock_skew, judged)
WHERE r.server = n.server
"""
