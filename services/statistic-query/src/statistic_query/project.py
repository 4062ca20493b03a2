"""Projects state changes and notifications from EVENTS, results and pings from TELEMETRY."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

import msgspec

from pinghome_common.clock import from_micros
from pinghome_common.db import Connection, apart, arrays
from pinghome_common.events import Envelope, decode
from pinghome_common.events.heartbeat import unique_key
from pinghome_common.events.metric import Sample
from pinghome_common.events.ping import Ping
from pinghome_common.events.probe import Result, Verdict
from pinghome_common.items import Item, by_type
from pinghome_common.stream import Broker
from statistic_query import latency, notifications, pings, rollup, state_changes
from statistic_query.partition import Partitions
from statistic_query.pings import in_columns
from statistic_query.read import VERDICTS
from statistic_query.servers.settings import settings
from statistic_query.servers.store import Samples

NAME = "statistic-query"
NOUNS = ("resource", "heartbeat", "server_resource", "notification")
MAX_ADDRESSES = 100_000


class _Monitor(msgspec.Struct):
    """The state of a monitor, heartbeat or server."""

    created_at: datetime
    service_id: UUID


class Projector:
    """Applies messages inside the projection's transaction."""

    def __init__(self, broker: Broker, partitions: Partitions) -> None:
        self._broker, self._partitions, self._stored = broker, partitions, Samples(partitions)
        self._series: dict[tuple[UUID, str], int] = {}
        self._addresses: dict[str, int | None] = {"": None}
        self._tx: Connection | None = None

    async def events(self, tx: Connection, items: list[Item]) -> None:
        """Stores the owners of monitors, their state changes and notifications."""
        for events in _until_deletions([item.value for item in items]):
            await self._apply(tx, events)

    async def _apply(self, tx: Connection, events: list[Envelope]) -> None:
        monitors, changes, flips, deleted = [], [], [], []
        for event in events:
            if event.noun == "notification":
                continue
            if event.deleted:
                deleted.append((event.noun, event.subject))
                continue
            monitor = msgspec.json.decode(event.data, type=_Monitor)
            key = unique_key(event.subject) if event.noun == "heartbeat" else None
            monitors.append(
                (
                    event.subject,
                    event.noun,
                    event.organisation,
                    event.version,
                    monitor.created_at,
                    monitor.service_id,
                    key,
                    settings(event.data) if event.noun == "server_resource" else None,
                )
            )
            if event.noun == "heartbeat":
                flips += state_changes.flip(event)
                changes += state_changes.pause(event)
            else:
                changes.append(state_changes.change(event))
        stored = (_MONITOR, monitors), (state_changes.STORE, changes), (state_changes.STORE_FLIP, flips)
        for statement, rows in stored:
            for part in apart(rows):
                await tx.execute(statement, *arrays(part))
        await pings.apply_changes(tx, events)
        await notifications.store(tx, events)
        for noun, id_ in deleted:
            await self._delete(tx, noun, id_)

    async def _delete(self, tx: Connection, noun: str, id_: UUID) -> None:
        """Deletes a monitor; its results and pings can no longer be read, and are dropped with their partitions.

        A server's points are deleted by the worker of rollups.
        """
        await tx.execute("DELETE FROM monitor WHERE id = $1", id_)
        for table, column in _TABLES[noun]:
            await tx.execute(f"DELETE FROM {table} WHERE {column} = $1", id_)
        if noun == "server_resource":
            await tx.execute("INSERT INTO deleted_server VALUES ($1) ON CONFLICT DO NOTHING", id_)
        # A digest is kept, because it covers other monitors, too.
        await tx.execute("DELETE FROM notification WHERE about = $1 AND state->'covers' = '[]'", id_)
        self._series = {of: series for of, series in self._series.items() if of[0] != id_}

    async def telemetry(self, tx: Connection, items: list[Item]) -> None:
        """Stores pings, results and samples; counts pings and results by hour."""
        if tx is not self._tx:  # after a crash the server may have lost what an earlier connection committed
            self._forget()
            self._tx = tx
        try:
            found = by_type(items)
            await self._pings(tx, [item.value for item in found[Ping]])
            await self._results(tx, found[Result])
            await self._samples(tx, [item.value for item in found[Sample]])
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        """Empties the caches, as the transaction that created their entries may have been rolled back."""
        self._partitions.forget()
        self._stored.forget()
        self._series.clear()
        self._addresses = {"": None}

    async def _pings(self, tx: Connection, arrived: list[Ping]) -> None:
        async def fetch_missing(heartbeats: set[UUID]) -> None:
            await self._fetch_missing(tx, "heartbeat", heartbeats)

        if arrived:
            await pings.store(tx, arrived, self._partitions, fetch_missing)

    async def _samples(self, tx: Connection, arrived: list[Sample]) -> None:
        if arrived:
            servers = {server: UUID(bytes=server) for server in {it.server for it in arrived}}
            alive = await self._alive(tx, "server_resource", set(servers.values()))
            await self._stored.store(tx, [it for it in arrived if servers[it.server] in alive])

    async def _results(self, tx: Connection, items: list[Item]) -> None:
        arrived: list[tuple[tuple[UUID, str], datetime, Result]] = []
        for item in items:
            slot = from_micros(item.value.slot)
            if self._partitions.keeps("result", slot):
                arrived.append(((item.value.resource, item.sender), slot, item.value))
        alive = await self._alive(tx, "resource", {resource for (resource, _), _, _ in arrived})
        await self._load_series(tx, {of for of, _, _ in arrived if of[0] in alive} - self._series.keys())
        found: dict[tuple[int, datetime], Result] = {}
        for of, slot, result in arrived:
            if of[0] in alive:
                found.setdefault((self._series[of], slot), result)
        if not found:
            return
        for table in ("result", "failure"):
            await self._partitions.create(tx, table, (slot for _, slot in found))
        await self._load_addresses(tx, {result.address for result in found.values()} - self._addresses.keys())
        rows = [_row(key, result, self._addresses[result.address]) for key, result in found.items()]
        # A job that was probed twice has the same key twice; only new results are counted.
        new = [tuple(row) for row in await tx.fetch(_RESULT, *in_columns(rows))]
        await self._count(tx, [(key, found[key]) for key in new])

    async def _count(self, tx: Connection, new: list[tuple[tuple[int, datetime], Result]]) -> None:
        failures = [
            (
                slot, series, result.error[:1000], result.condition[:1000], result.excerpt[:4096], _late(result),
                "\n".join(result.tolerated)[:2000],
            )
            for (series, slot), result in new
            if result.verdict is not Verdict.up or result.tolerated
        ]  # fmt: skip
        columns = ("slot", "series", "error", "condition", "excerpt", "late", "tolerated")
        if failures:
            await tx.copy_records_to_table("failure", records=failures, columns=columns)
        await rollup.count(tx, (result for _, result in new))
        await latency.count(tx, ((series, result) for (series, _), result in new))

    async def _alive(self, tx: Connection, noun: str, ids: set[UUID]) -> set[UUID]:
        """The ids that are not deleted."""
        rows = await tx.fetch("SELECT id FROM monitor WHERE id = ANY($1::uuid[])", list(ids))
        alive = {row["id"] for row in rows}
        return alive | await self._fetch_missing(tx, noun, ids - alive)

    async def _fetch_missing(self, tx: Connection, noun: str, missing: set[UUID]) -> set[UUID]:
        """Applies events that telemetry has overtaken; returns the ids that are not deleted."""
        alive = set()
        for id_ in missing:
            message = await self._broker.last("EVENTS", f"events.{noun}.{id_}")
            if message and not (event := decode(message.data)).deleted:
                await self._apply(tx, [event])
                alive.add(id_)
        return alive

    async def _load_series(self, tx: Connection, new: set[tuple[UUID, str]]) -> None:
        """Caches the ids of new series, each of a monitor and region, and creates those that are missing."""
        if new:
            columns = in_columns(sorted(new))
            await tx.execute(_NEW_SERIES, *columns)
            for row in await tx.fetch(_SERIES, *columns):
                self._series[row["resource"], row["region"]] = row["id"]

    async def _load_addresses(self, tx: Connection, new: set[str]) -> None:
        """Caches the ids of new addresses; the cache is bounded, as a host may change its address all the time."""
        if new:
            if len(self._addresses) > MAX_ADDRESSES:
                self._addresses = {"": None}
            await tx.execute(_NEW_ADDRESS, sorted(new))
            for row in await tx.fetch("SELECT * FROM address WHERE address = ANY($1::text[])", list(new)):
                self._addresses[row["address"]] = row["id"]


_TABLES = {
    "resource": [("state_change", "resource"), ("result_day", "resource"), ("series", "resource")],
    "heartbeat": [
        ("ping_hour", "heartbeat"),
        ("flip", "heartbeat"),
        ("ping_sequence", "heartbeat"),
        ("state_change", "resource"),
    ],
    "server_resource": [("state_change", "resource")],
}
"""What is deleted with each noun, by the column that has its id."""


def _until_deletions(events: list[Envelope]) -> Iterator[list[Envelope]]:
    """Events in parts that end with a deletion: what is told of something after it was deleted stays."""
    start = 0
    for place, event in enumerate(events, 1):
        if event.deleted or place == len(events):
            yield events[start:place]
            start = place


_VERDICTS = {verdict: number for number, verdict in enumerate(VERDICTS)}


def _row(key: tuple[int, datetime], it: Result, address: int | None) -> tuple[object, ...]:
    series, slot = key
    phases = it.phases
    return (
        slot, series, phases.total, phases.dns, phases.connect, phases.tls, phases.first_byte,
        _VERDICTS[it.verdict], it.status_code, address,
    )  # fmt: skip


def _late(it: Result) -> float:
    """Milliseconds between the slot and the check."""
    return (it.checked_at - it.slot) / 1000


_MONITOR = """
INSERT INTO monitor AS old (id, noun, organisation, version, created_at, service, unique_key, settings)
SELECT * FROM unnest(
    $1::text::uuid[], $2::text::text[], $3::text::uuid[], $4::text::int[], $5::text::timestamptz[], $6::text::uuid[],
    $7::text::text[], $8::text::jsonb[]
)
ON CONFLICT (id) DO UPDATE SET
    version = excluded.version, service = excluded.service, unique_key = excluded.unique_key,
    settings = excluded.settings
WHERE old.version <= excluded.version
"""

_NEW_SERIES = """
INSERT INTO series (resource, region) SELECT * FROM unnest($1::uuid[], $2::text[]) ON CONFLICT DO NOTHING
"""

_NEW_ADDRESS = "INSERT INTO address (address) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"

_SERIES = "SELECT * FROM series JOIN unnest($1::uuid[], $2::text[]) AS keys (resource, region) USING (resource, region)"

_RESULT = """
INSERT INTO result (slot, series, total, dns, connect, tls, first_byte, verdict, status_code, address)
SELECT * FROM unnest($1::timestamptz[], $2::int[], $3::real[], $4::real[], $5::real[], $6::real[], $7::real[],
    $8::smallint[], $9::smallint[], $10::int[])
ON CONFLICT (series, slot) DO NOTHING RETURNING series, slot
"""
