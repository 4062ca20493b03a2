"""The tables that commands and queries work on are the fold of the events, and nothing else is left in them."""

import json
from typing import Any

import asyncpg
import msgspec
from event_log import EventLog
from under_test import Platform
from verdict import Verdict

from pinghome_common.clock import from_micros
from pinghome_common.events.heartbeat import Heartbeat, Status
from pinghome_common.events.resource import Resource

_ORPHANS = {
    "resource_cmd": {"region_observation": ("resource", "resource"), "runtime_state": ("heartbeat", "heartbeat")},
    "resource_query": {"region_observation": ("resource", "resource"), "runtime_state": ("heartbeat", "heartbeat")},
    "statistic_query": {
        "state_change": ("resource", "monitor"),
        "result_day": ("resource", "monitor"),
        "ping_hour": ("heartbeat", "monitor"),
    },
}
_VITALS = (
    "SELECT heartbeat, status, changed_at, reason, last_ping, last_event, last_start, last_duration, n_pings, position"
    " FROM runtime_state ORDER BY heartbeat"
)
"""Without `alert_after`, which is for resource-cmd's sweeper alone: nothing reads it on the query side."""


async def judge_models(platform: Platform, log: EventLog, verdict: Verdict) -> None:
    """I3, I5: call it when nothing is behind."""
    vitals = {}
    for database in ("resource_cmd", "resource_query", "statistic_query"):
        async with platform.sql(database) as db:
            if database != "statistic_query":
                for noun in ("service", "resource", "heartbeat"):
                    verdict.none(f"{database}.{noun} unlike the fold of its events", await unlike(db, log, noun))
                vitals[database] = {row["heartbeat"]: _comparable(dict(row)) for row in await db.fetch(_VITALS)}
            else:
                await _statistics(db, log, verdict)
            for table, (column, of) in _ORPHANS[database].items():
                orphans = await db.fetch(
                    f"SELECT DISTINCT {column} FROM {table} t"  # noqa: S608  # our own names
                    f" WHERE NOT EXISTS (SELECT FROM {of} o WHERE o.id = t.{column})"
                )
                verdict.none(f"orphans in {database}.{table}", [row[0] for row in orphans])
            verdict.none(f"dead letters of {database}", await _dead(db))
    cmd, query = vitals["resource_cmd"], vitals["resource_query"]
    differ = [id_ for id_ in cmd.keys() | query.keys() if cmd.get(id_) != query.get(id_)]
    verdict.none("vitals that commands and queries see differently", [(cmd.get(id_), query.get(id_)) for id_ in differ])


def _comparable(vitals: dict[str, Any]) -> dict[str, Any]:
    """While a heartbeat is paused, its last ping and run say nothing: who read the pause first did not note them."""
    return (
        vitals | dict.fromkeys(("last_ping", "last_start", "last_duration")) if vitals["status"] == "paused" else vitals
    )


async def _dead(db: asyncpg.Connection) -> list[str]:
    return [f"{row['subject']}: {row['error']}" for row in await db.fetch("SELECT subject, error FROM dead_letter")]


async def unlike(db: asyncpg.Connection, log: EventLog, noun: str) -> list[str]:
    """Where the table of a noun is not the fold of its events."""
    rows: dict[Any, Any] = {row["id"]: row for row in await db.fetch(f"SELECT id, version, state FROM {noun}")}  # noqa: S608
    wanted = log.last(noun)
    wrong = [f"{id_} is missing" for id_ in wanted.keys() - rows.keys()]
    wrong += [f"{id_} should be gone" for id_ in rows.keys() - wanted.keys()]
    for id_ in wanted.keys() & rows.keys():
        version, state = wanted[id_].event.version, json.loads(rows[id_]["state"])
        if rows[id_]["version"] != version:
            wrong.append(f"{id_} has version {rows[id_]['version']} of {version}")
        elif state != wanted[id_].state:
            wrong.append(f"{id_} has another state than event {version}")
    return wrong


async def _statistics(db: asyncpg.Connection, log: EventLog, verdict: Verdict) -> None:
    alive = log.last("resource") | log.last("heartbeat")
    wanted = {(id_, it.event.noun, it.event.version) for id_, it in alive.items()}
    monitors = {tuple(row) for row in await db.fetch("SELECT id, noun, version FROM monitor")}
    verdict.none("statistic_query.monitor unlike the events", wanted ^ monitors)
    changes = set()
    for id_ in log.last("resource"):
        for it in log.of[id_]:
            change = msgspec.json.decode(it.event.data, type=Resource).change
            changes.add((id_, change.version, change.status.value, change.at))
    for id_ in log.last("heartbeat"):  # up and down are flips
        for it in log.of[id_]:
            job = msgspec.json.decode(it.event.data, type=Heartbeat)
            status = "pending" if job.vitals.status is Status.new else job.vitals.status.value
            if job.changed_version == it.event.version and status not in ("up", "down"):
                changes.add((id_, it.event.version, status, from_micros(job.vitals.changed_at)))
    stored = await db.fetch(
        "SELECT resource, version, status, at FROM state_change WHERE resource IN (SELECT id FROM monitor)"
    )
    verdict.none("changes of state unlike the events", changes ^ {tuple(row) for row in stored})
