"""The newest figures of each server: one row, in which each type of metric is replaced by later samples only."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from msgspec import structs

from pinghome_common.db import Connection
from pinghome_common.events.metric import COUNTED, PROCESSES, Agent, Figures, Sample
from pinghome_common.events.server_resource import Heard
from pinghome_common.rates import rates


class Newest(msgspec.Struct, array_like=True, gc=False):
    """What was last heard of a server; times are UNIX microseconds.

    `seen_at` is the newest receipt; `times` and `figures` are by type; `counters` are the samples that rates are
    computed from; `processes` is JSON.
    """

    seen_at: int
    times: dict[str, int] = {}
    figures: dict[str, list[Figures]] = {}
    counters: dict[str, Sample] = {}
    processes: bytes = b""
    agent: Agent | None = None


decode = msgspec.msgpack.Decoder(Newest).decode
_encode = msgspec.msgpack.Encoder().encode


def take(it: Newest, sample: Sample) -> Newest:
    """The newest figures after a sample; of one that comes late, only those of types without newer ones."""
    times, figures, counters = dict(it.times), dict(it.figures), dict(it.counters)
    new = {each.type for each in sample.figures if times.get(each.type, 0) < sample.at}
    for type_ in new:
        only = structs.replace(
            sample, figures=[each for each in sample.figures if each.type == type_], processes=b"", agent=None
        )
        named = {each.name: each for each in rates(counters.get(type_), only)}  # a client may name one twice
        times[type_], figures[type_] = sample.at, list(named.values())
        if type_ in COUNTED and any(each.counter for each in only.figures):
            counters[type_] = only
    processes, agent = it.processes, it.agent
    if times.get(PROCESSES, 0) < sample.at and _is_object(sample.processes):
        times[PROCESSES], processes = sample.at, sample.processes
    if sample.agent and it.seen_at <= sample.received_at:
        agent = sample.agent
    return Newest(max(it.seen_at, sample.received_at), times, figures, counters, processes, agent)


def _is_object(processes: bytes) -> bool:
    """What clients send is stored as they send it, so that it may be no JSON."""
    try:
        return isinstance(msgspec.json.decode(processes), dict)
    except (ValueError, RecursionError):
        return False


async def store(tx: Connection, samples: Mapping[UUID, list[Sample]]) -> None:
    """Applies samples of servers; those of servers that are not there are dropped."""
    rows = await tx.fetch(
        "SELECT s.id, n.newest FROM server_resource s LEFT JOIN server_newest n ON n.server = s.id"
        " WHERE s.id = ANY($1::uuid[])",
        list(samples),
    )
    made: dict[UUID, bytes] = {}
    for row in rows:
        it = decode(row["newest"]) if row["newest"] else Newest(0)
        for sample in samples[row["id"]]:
            it = take(it, sample)
        made[row["id"]] = _encode(it)
    if made:
        await tx.execute(_STORE, list(made), list(made.values()))


_STORE = """
INSERT INTO server_newest SELECT * FROM unnest($1::uuid[], $2::bytea[])
ON CONFLICT (server) DO UPDATE SET newest = excluded.newest
"""


def heard(row: bytes | None) -> Heard | None:
    """What a row says, for documents."""
    if row is None:
        return None
    it = decode(row)
    return Heard(
        seen_at=it.seen_at,
        agent=it.agent,
        processes=msgspec.json.decode(it.processes) if it.processes else None,
        figures=[each for of_type in it.figures.values() for each in of_type],
    )
