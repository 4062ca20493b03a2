"""Stores samples inside the projection's transaction and marks the minutes that they change."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from pinghome_common.clock import from_micros
from pinghome_common.db import Connection
from pinghome_common.events.metric import COUNTED, Figures, Sample
from statistic_query.partition import Partitions
from statistic_query.pings import in_columns
from statistic_query.servers.figures import COLUMNS, Name, columns_of, pack, unpack
from statistic_query.servers.names import Names, known

Key = tuple[UUID, datetime]

COLUMN_NAMES = ("server", "at", "every", "late", "figures", *COLUMNS.values())


async def store(tx: Connection, samples: Sequence[Sample], partitions: Partitions, names: Names) -> None:
    """Stores samples of servers that exist; those that are too old are left out.

    A server's sample of one time is stored once. If it comes again with figures that the stored one does not have, as
    an OTLP client may split what it measured at one time, these are added.

    Args:
        tx: the projection's transaction.
        samples: in any order.
        partitions: those of the table `sample`.
        names: the dictionary.
    """
    arrived: dict[Key, Sample] = {}
    wanted: dict[UUID, set[Name]] = defaultdict(set)
    for it in samples:
        key = UUID(bytes=it.server), from_micros(it.at)
        if not partitions.keeps("sample", key[1]):
            continue
        if key in arrived:
            it.figures, _ = _together(arrived[key].figures, it.figures)
        arrived[key] = it
        for each in it.figures:
            if each.type not in COLUMNS:  # of a later version
                continue
            wanted[key[0]].add((each.type, each.name))
            if each.type in COUNTED:
                wanted[key[0]].add((each.type, ""))  # the sums in rollups
    if not arrived:
        return
    ids = await names.ids(tx, wanted)
    await partitions.create(tx, "sample", (at for _, at in arrived))
    added = await _add_to_stored(tx, arrived, ids)
    new = [_row(key, it, ids[key[0]]) for key, it in arrived.items() if key not in added]
    await tx.copy_records_to_table("sample", records=new, columns=COLUMN_NAMES)
    changed = {(server, _minute(at)) for server, at in arrived if added.get((server, at), True)}
    if changed:
        await tx.execute(_MARK, *in_columns(sorted(changed)))


def _row(key: Key, it: Sample, ids: Mapping[Name, int]) -> tuple[object, ...]:
    figures, columns = pack(it.figures, ids)
    return *key, it.interval, (it.received_at - it.at) / 1e6, figures, *columns


async def _add_to_stored(
    tx: Connection, arrived: Mapping[Key, Sample], ids: Mapping[UUID, Mapping[Name, int]]
) -> dict[Key, bool]:
    """Adds to samples that are stored what these do not have; returns which ones are, and whether they have changed."""
    found = {}
    for row in await tx.fetch(_STORED, *in_columns(list(arrived))):
        key = row["server"], row["at"]
        names = await known(tx, key[0])
        stored = unpack(row["figures"], columns_of(row), names)
        figures, found[key] = _together(stored, arrived[key].figures)
        if found[key]:
            signed, columns = pack(figures, {name: id_ for id_, name in names.items()} | dict(ids[key[0]]))
            await tx.execute(_UPDATE, *key, signed, *columns)
    return found


def _together(old: list[Figures], new: list[Figures]) -> tuple[list[Figures], bool]:
    """Figures with those that others have in addition, and whether there are such."""
    values = {(it.type, it.name, it.counter): list(it.values) for it in old}
    before = {key: list(each) for key, each in values.items()}
    for it in new:
        kept = values.setdefault((it.type, it.name, it.counter), [None] * len(it.values))
        for place, (one, other) in enumerate(zip(kept, it.values, strict=True)):
            kept[place] = other if one is None else one
    return [Figures(type_, name, each, counter) for (type_, name, counter), each in values.items()], values != before


def _minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)


# A subquery per row is never turned into a scan of whole partitions.
_STORED = """
SELECT s.* FROM unnest($1::uuid[], $2::timestamptz[]) AS k (server, at)
CROSS JOIN LATERAL (SELECT * FROM sample WHERE server = k.server AND at = k.at LIMIT 1) s
"""

_UPDATE = """
UPDATE sample SET figures = $3, cpu = $4, memory = $5, swap = $6, disk_io = $7, disk_usage = $8, load = $9,
    network = $10
WHERE server = $1 AND at = $2
"""

# An update of what is there already locks it: the worker then takes the mark after this transaction, not before.
_MARK = """
INSERT INTO metric_mark (level, server, at) SELECT 0, * FROM unnest($1::uuid[], $2::timestamptz[])
ON CONFLICT (level, server, at) DO UPDATE SET level = 0
"""
