"""How heartbeats' runtime state is stored, in the same way by commands and by queries."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.db import Connection
from pinghome_common.events.heartbeat import Heartbeat, RuntimeState, alert_after

_NAMES = [field.name for field in fields(RuntimeState)]
_TYPES = {"heartbeat": "uuid", "status": "text", "reason": "text", "last_duration": "float8", "run_id": "uuid"}
_COLUMNS = ["heartbeat", *_NAMES, "alert_after"]
_LIST = ", ".join(_COLUMNS)
_ARRAYS = ", ".join(f"${place}::{_TYPES.get(name, 'bigint')}[]" for place, name in enumerate(_COLUMNS, 1))

_UPDATE = (
    f"UPDATE runtime_state v SET {', '.join(f'{name} = n.{name}' for name in _COLUMNS[1:])}"
    f" FROM unnest({_ARRAYS}) n ({_LIST}) WHERE v.heartbeat = n.heartbeat"
)

# Counters come from the side that has counted more pings, as an event may be older than they are. A command decides the
# status in any case; else the later change does, and where both agree the event says since when and why.
_COUNTED = "excluded.position >= old.position"
_SETTLED = f"(${len(_COLUMNS) + 2}::bool OR {_COUNTED} OR excluded.changed_at > old.changed_at)"
_TAKEN = {
    "status": _SETTLED,
    "alert_after": _SETTLED,
    "changed_at": f"{_SETTLED} OR excluded.status = old.status",
    "reason": f"{_SETTLED} OR excluded.status = old.status",
}
_MERGE = ", ".join(
    f"{name} = CASE WHEN {_TAKEN.get(name, _COUNTED)} THEN excluded.{name} ELSE old.{name} END" for name in _COLUMNS[1:]
)
_PLACES = ", ".join(f"${place}" for place in range(1, len(_COLUMNS) + 2))
_ADD = (
    f"INSERT INTO runtime_state AS old ({_LIST}, version) VALUES ({_PLACES})"
    f" ON CONFLICT (heartbeat) DO UPDATE SET {_MERGE}, version = excluded.version WHERE old.version < excluded.version"
)


def _row(it: Heartbeat) -> list[Any]:
    return [it.id, *(getattr(it.vitals, name) for name in _NAMES), alert_after(it, it.vitals)]


async def add_runtime(tx: Connection, some: Iterable[tuple[Heartbeat, int, bool]]) -> None:
    """Writes the runtime state that events of heartbeats carry, new or merged with the effect of later pings.

    Each with the event's version, and whether a command caused it (not pings or silence), which decides the status.
    """
    await tx.executemany(_ADD, [(*_row(it), version, commanded) for it, version, commanded in some])


async def lock_runtime(tx: Connection, ids: Sequence[UUID]) -> dict[UUID, RuntimeState]:
    """The runtime state of those of some heartbeats that exist, locked in the order of their ids."""
    rows = await tx.fetch(
        "SELECT * FROM runtime_state WHERE heartbeat = ANY($1::uuid[]) ORDER BY heartbeat FOR UPDATE", ids
    )
    return {row["heartbeat"]: read_runtime(row) for row in rows}


def read_runtime(row: Any) -> RuntimeState:
    """The runtime state in a row that has its columns."""
    return msgspec.convert({name: row[name] for name in _NAMES}, RuntimeState)


async def write_runtime(tx: Connection, heartbeats: Sequence[Heartbeat]) -> None:
    """Writes the runtime state of some heartbeats, each given once, with the time of its next deadline."""
    await tx.execute(_UPDATE, *(list(column) for column in zip(*map(_row, heartbeats), strict=True)))
