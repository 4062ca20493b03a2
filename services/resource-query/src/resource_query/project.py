"""Projects EVENTS and TELEMETRY into the records of monitors, heartbeats, servers, services, channels, integrations."""

from collections import defaultdict
from uuid import UUID

import msgspec

from pinghome_common.audit import Audit
from pinghome_common.db import Connection
from pinghome_common.events import Envelope, decode
from pinghome_common.events.heartbeat import Heartbeat, take, unique_key
from pinghome_common.events.metric import Sample
from pinghome_common.events.ping import Ping
from pinghome_common.events.probe import ProberSign, Result, Verdict
from pinghome_common.items import Item, by_heartbeat, by_type
from pinghome_common.runtime_state import add_runtime, read_timed, write_runtime
from pinghome_common.stream import Broker
from resource_query import newest, regions

NAME = "resource-query"
NOUNS = ("region", "service", "resource", "heartbeat", "server_resource", "channel", "integration")
AUDITED = ("service", "resource", "heartbeat", "server_resource", "channel", "integration", "key", "organisation")
"""Nouns of which the audit log tells: not the platform's own, and not what the ledger has."""
SUBJECTS = [f"events.{noun}.>" for noun in dict.fromkeys((*NOUNS, *AUDITED))]
KINDS = ("ping", "result", "metric", "prober")
"""The kinds of telemetry that are projected."""

_OWNER = {"service": None, "region": None, "integration": "resource"}
"""By noun the column of what it belongs to; all others belong to a service."""


def _upsert(noun: str) -> str:
    """All rows in one statement, so that what counts them (migration 0010) runs once."""
    types = {"id": "uuid", "organisation": "uuid", "version": "int", "state": "jsonb"}
    if owner := _OWNER.get(noun, "service"):
        types[owner] = "uuid"
    if noun == "heartbeat":
        types["unique_key"] = "text"
    arrays = ", ".join(f"${place}::{type_}[]" for place, type_ in enumerate(types.values(), 1))
    sets = ", ".join(f"{name} = excluded.{name}" for name in list(types)[2:])
    return (
        f"INSERT INTO {noun} AS old ({', '.join(types)}) SELECT * FROM unnest({arrays})"
        f" ON CONFLICT (id) DO UPDATE SET {sets} WHERE old.version < excluded.version"
    )


_UPSERT = {noun: _upsert(noun) for noun in NOUNS}

_PARTS = {
    "resource": (("region_observation", "resource"), ("integration", "resource")),
    "server_resource": (("server_newest", "server"),),
}
"""What goes with a noun: tables, and the column that names its owner."""


class _Owner(msgspec.Struct):
    service_id: UUID | None = None
    resource: UUID | None = None


def _runtime_change(event: Envelope) -> tuple[Heartbeat, int, bool]:
    by_command = event.type != "heartbeat.status-changed"
    return msgspec.json.decode(event.data, type=Heartbeat), event.version, by_command


class Projector:
    """Applies messages inside the projection's transaction."""

    def __init__(self, broker: Broker, audit: Audit) -> None:
        self._broker, self._audit = broker, audit

    async def events(self, tx: Connection, items: list[Item]) -> None:
        """Applies the newest event of each aggregate, which carries its whole state; the audit log has all of them."""
        await self._audit.store(tx, [item for item in items if item.value.noun in AUDITED])
        await self._apply(tx, [item.value for item in items if item.value.noun in NOUNS])

    async def _apply(self, tx: Connection, events: list[Envelope]) -> None:
        latest = {event.subject: event for event in events}
        rows: dict[str, list[tuple[object, ...]]] = defaultdict(list)
        for event in latest.values():
            if not event.deleted:
                rows[event.noun].append(_row(event))
        for noun, values in rows.items():
            await tx.execute(_UPSERT[noun], *(list(column) for column in zip(*values, strict=True)))
        for event in latest.values():
            if event.deleted:
                await tx.execute(f"DELETE FROM {event.noun} WHERE id = $1", event.subject)
                for part, owner in _PARTS.get(event.noun, ()):
                    await tx.execute(f"DELETE FROM {part} WHERE {owner} = $1", event.subject)
        alive = [event for event in latest.values() if event.noun == "heartbeat" and not event.deleted]
        if alive:
            await add_runtime(tx, (_runtime_change(event) for event in alive))

    async def telemetry(self, tx: Connection, items: list[Item]) -> None:
        """Pings change the runtime state of heartbeats, results the observation of a region, samples newest figures."""
        found = by_type(items)
        if pings := found[Ping]:
            for part in by_heartbeat(pings):
                await self._pings(tx, part)
        results = {
            (item.value.resource, item.sender): item.value for item in found[Result] if not item.value.late(item.at)
        }
        if results:
            await self._complete(tx, "resource", {resource for resource, _ in results})
            await tx.execute(_OBSERVE, *_columns(results))
        samples: dict[UUID, list[Sample]] = defaultdict(list)
        for item in found[Sample]:
            samples[UUID(bytes=item.value.server)].append(item.value)
        if samples:
            await self._complete(tx, "server_resource", set(samples))
            await newest.store(tx, samples)
        await regions.store(tx, found[ProberSign])

    async def _pings(self, tx: Connection, pings: dict[UUID, list[tuple[Ping, int]]]) -> None:
        found = await read_timed(tx, pings)
        if missing := pings.keys() - {it.id for it in found}:
            await self._fetch_missing(tx, "heartbeat", missing)
            found += await read_timed(tx, missing)
        for it in found:
            for ping, at in pings[it.id]:
                it.vitals = take(it, it.vitals, ping, at)
        if found:
            await write_runtime(tx, found)

    async def _complete(self, tx: Connection, noun: str, ids: set[UUID]) -> None:
        """Applies the events of those that are not here yet."""
        existing = await tx.fetch(f"SELECT id FROM {noun} WHERE id = ANY($1::uuid[])", list(ids))  # our own
        await self._fetch_missing(tx, noun, ids - {row["id"] for row in existing})

    async def _fetch_missing(self, tx: Connection, noun: str, missing: set[UUID]) -> None:
        """Applies events that telemetry has overtaken; a monitor that the stream does not have is deleted."""
        for id_ in missing:
            message = await self._broker.last("EVENTS", f"events.{noun}.{id_}")
            if message and not (event := decode(message.data)).deleted:
                await self._apply(tx, [event])


def _row(event: Envelope) -> tuple[object, ...]:
    row = event.subject, event.organisation, event.version, bytes(event.data).decode()
    owner = msgspec.json.decode(event.data, type=_Owner)
    if event.noun == "heartbeat":
        return *row, owner.service_id, unique_key(event.subject)
    return row if event.noun in ("region", "service") else (*row, owner.resource or owner.service_id)


_STATES = {Verdict.up: "up", Verdict.target_fail: "down"}


def _columns(results: dict[tuple[UUID, str], Result]) -> list[list[object]]:
    rows = [
        (
            resource, region, it.slot, it.checked_at, _STATES.get(it.verdict, "unknown"),
            it.phases.total if it.verdict is Verdict.up else None, it.error[:500],
        )
        for (resource, region), it in sorted(results.items())
    ]  # fmt: skip
    return [list(column) for column in zip(*rows, strict=True)]


_OBSERVE = """
INSERT INTO region_observation AS old
SELECT n.* FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::real[], $7::text[])
    n (resource, region, slot, checked_at, state, response_time, error)
JOIN resource r ON r.id = n.resource
ON CONFLICT (resource, region) DO UPDATE SET
    slot = excluded.slot, checked_at = excluded.checked_at, state = excluded.state,
    response_time = excluded.response_time, error = excluded.error
WHERE old.slot < excluded.slot
"""
