"""Stores the runtime state of heartbeats, for commands and queries alike."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

from pinghome_common.db import Connection, array, array_parameters, arrays
from pinghome_common.events.heartbeat import Heartbeat, RuntimeState, Status, Timed, alert_after

_NAMES = RuntimeState.__struct_fields__
_TYPES = {"heartbeat": "uuid", "status": "text", "reason": "text", "last_duration": "float8", "run_id": "uuid"}
_values = attrgetter(*_NAMES)
_STATUSES = {str(status): status for status in Status}
_COLUMNS = ["heartbeat", *_NAMES, "alert_after"]
_LIST = ", ".join(_COLUMNS)
_ARRAYS = array_parameters(_TYPES.get(name, "bigint") for name in _COLUMNS)

_UPDATE = (
    f"UPDATE runtime_state v SET {', '.join(f'{name} = n.{name}' for name in _COLUMNS[1:])}"
    f" FROM unnest({_ARRAYS}) n ({_LIST}) WHERE v.heartbeat = n.heartbeat"
)

# Counters are taken from the side that has counted more pings, as an event may be older. A command always decides the
# status; otherwise the later change does, and if both agree, the event has the time and the reason.
_EVENT_COUNTED_MORE = "excluded.position >= old.position"
_EVENT_WINS = f"(${len(_COLUMNS) + 2}::bool OR {_EVENT_COUNTED_MORE} OR excluded.changed_at > old.changed_at)"
_CONDITIONS = {
    "status": _EVENT_WINS,
    "alert_after": _EVENT_WINS,
    "changed_at": f"{_EVENT_WINS} OR excluded.status = old.status",
    "reason": f"{_EVENT_WINS} OR excluded.status = old.status",
}
_MERGE = ", ".join(
    f"{name} = CASE WHEN {_CONDITIONS.get(name, _EVENT_COUNTED_MORE)} THEN excluded.{name} ELSE old.{name} END"
    for name in _COLUMNS[1:]
)
_ADD = (
    f"INSERT INTO runtime_state AS old ({_LIST}, version)"
    f" SELECT * FROM unnest({_ARRAYS}, ${len(_COLUMNS) + 1}::text::int[])"
    f" ON CONFLICT (heartbeat) DO UPDATE SET {_MERGE}, version = excluded.version WHERE old.version < excluded.version"
)


def _row(it: Heartbeat | Timed) -> list[Any]:
    return [it.id, *_values(it.vitals), alert_after(it, it.vitals)]


async def add_runtime(tx: Connection, events: Iterable[tuple[Heartbeat, int, bool]]) -> None:
    """Writes the runtime state of events, one of each heartbeat, merged with the effect of later pings.

    Each event has its version, and whether a command caused it, which then decides the status.
    """
    rows: dict[bool, list[list[Any]]] = {True: [], False: []}
    for it, version, by_command in events:
        rows[by_command].append([*_row(it), version])
    for by_command, of in rows.items():
        if of:
            await tx.execute(_ADD, *arrays(of), by_command)


async def lock_runtime(tx: Connection, ids: Sequence[UUID]) -> dict[UUID, RuntimeState]:
    """Locks the runtime state of heartbeats in the order of their ids; unknown heartbeats are left out."""
    rows = await tx.fetch(
        "SELECT * FROM runtime_state WHERE heartbeat = ANY($1::text::uuid[]) ORDER BY heartbeat FOR UPDATE", array(ids)
    )
    return {row["heartbeat"]: read_runtime(row) for row in rows}


async def read_timed(tx: Connection, ids: Iterable[UUID], *, lock: bool = False) -> list[Timed]:
    """The runtime state with what else pings need, in the order of their ids; those that have no row are left out.

    `lock`: locks the state, where others may write it.
    """
    rows = await tx.fetch(_TIMED + (" FOR UPDATE OF v" if lock else ""), array(ids))
    return [
        Timed(
            row["heartbeat"], row["period"], row["grace"], row["schedule"], row["tz"], row["manual_resume"],
            read_runtime(row),
        )
        for row in rows
    ]  # fmt: skip


_TIMED = """
SELECT v.*, (h.state->'period')::int AS period, (h.state->'grace')::int AS grace, h.state->>'tz' AS tz,
    h.state->>'schedule' AS schedule, (h.state->'manual_resume')::bool AS manual_resume
FROM runtime_state v JOIN heartbeat h ON h.id = v.heartbeat
WHERE v.heartbeat = ANY($1::text::uuid[]) ORDER BY v.heartbeat
"""


def read_runtime(row: Any) -> RuntimeState:
    """The runtime state in a row of the table."""
    return RuntimeState(
        status=_STATUSES[row["status"]], changed_at=row["changed_at"], reason=row["reason"],
        last_ping=row["last_ping"], last_event=row["last_event"], last_start=row["last_start"], run_id=row["run_id"],
        last_duration=row["last_duration"], n_pings=row["n_pings"], position=row["position"],
    )  # fmt: skip  # ten thousand a second: names are not looked up, as they are in a comprehension


async def write_runtime(tx: Connection, heartbeats: Sequence[Heartbeat] | Sequence[Timed]) -> None:
    """Writes the runtime state and the next deadline of heartbeats, each given once."""
    await tx.execute(_UPDATE, *arrays(map(_row, heartbeats)))
