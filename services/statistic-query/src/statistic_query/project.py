"""What statistics are made of: state changes from EVENTS, results and pings from TELEMETRY."""

from datetime import datetime
from uuid import UUID

import msgspec

from pinghome_common.clock import from_micros
from pinghome_common.db import Connection
from pinghome_common.events import Envelope, decode
from pinghome_common.events.heartbeat import unique_key
from pinghome_common.events.ping import Ping
from pinghome_common.events.probe import Result, Verdict
from pinghome_common.events.resource import Resource
from pinghome_common.items import Item
from pinghome_common.stream import Broker
from statistic_query import pings, rollup
from statistic_query.partition import Partitions
from statistic_query.pings import in_columns
from statistic_query.read import VERDICTS

NOUNS = ("resource", "heartbeat", "notification")
MOST_ADDRESSES = 100_000


class _Changed(msgspec.Struct, frozen=True):
    status: str = ""
    changed_at: int = 0


class _Made(msgspec.Struct):
    """Of a monitor's or a heartbeat's event; only heartbeats have a version of their last change of status."""

    created_at: datetime
    service_id: UUID
    vitals: _Changed = _Changed()
    changed_version: int = 0


class _Said(msgspec.Struct):
    about: UUID
    at: datetime


class Projector:
    """Applies messages inside the projection's transaction."""

    def __init__(self, broker: Broker, partitions: Partitions) -> None:
        self._broker, self._partitions = broker, partitions
        self._series: dict[tuple[UUID, str], int] = {}
        self._addresses: dict[str, int | None] = {"": None}
        self._tx: Connection | None = None

    async def events(self, tx: Connection, items: list[Item]) -> None:
        """Whose each monitor is, every change of its state, and who was told of it."""
        await self._learn(tx, [item.value for item in items])

    async def _learn(self, tx: Connection, events: list[Envelope]) -> None:
        monitors, changes, flips, learnt, gone, said = [], [], [], [], [], {}
        for event in events:
            if event.noun == "notification":
                of = msgspec.json.decode(event.data, type=_Said)
                said[event.subject] = event.subject, of.about, of.at, event.version, bytes(event.data).decode()
                continue
            if event.deleted:
                gone.append((event.noun, event.subject))
                continue
            if event.noun == "heartbeat":
                learnt.append(pings.learnt(event))
            made = msgspec.json.decode(event.data, type=_Made)
            key = unique_key(event.subject) if event.noun == "heartbeat" else None
            monitors.append(
                (event.subject, event.noun, event.organisation, event.version, made.created_at, made.service_id, key)
            )
            if made.changed_version == event.version and made.vitals.status in ("up", "down"):
                flips.append(
                    (event.subject, event.version, from_micros(made.vitals.changed_at), made.vitals.status == "up")
                )
            if event.noun == "resource":
                change = msgspec.json.decode(event.data, type=Resource).change
                changes.append(
                    (
                        event.subject, change.version, change.at, change.status.value,
                        change.previous and change.previous.value, change.reason, change.status_code, change.region,
                    )
                )  # fmt: skip
        for statement, rows in (
            (_MONITOR, monitors), (_CHANGE, changes), (_FLIP, flips), (pings.LEARN, learnt),
            (_NOTIFICATION, [*said.values()]),
        ):  # fmt: skip
            if rows:  # none would be a way to the database all the same
                await tx.executemany(statement, rows)
        for noun, id_ in gone:
            await self._delete(tx, noun, id_)

    async def _delete(self, tx: Connection, noun: str, id_: UUID) -> None:
        """Single results and pings of a deleted monitor go with their day; nobody can ask for them any more."""
        await tx.execute("DELETE FROM monitor WHERE id = $1", id_)
        tables = (
            ("state_change", "result_day", "series") if noun == "resource" else ("ping_hour", "flip", "ping_sequence")
        )
        for table in tables:
            await tx.execute(f"DELETE FROM {table} WHERE {noun} = $1", id_)
        # A digest stays for what it says of others.
        await tx.execute("DELETE FROM notification WHERE about = $1 AND state->'covers' = '[]'", id_)
        self._series = {of: series for of, series in self._series.items() if of[0] != id_}

    async def telemetry(self, tx: Connection, items: list[Item]) -> None:
        """Stores pings and results, and counts them into their hours."""
        if tx is not self._tx:  # a server that crashed may have forgotten what was learnt over an earlier connection
            self._forget()
            self._tx = tx
        try:
            await self._pings(tx, [item.value for item in items if isinstance(item.value, Ping)])
            await self._results(tx, [item for item in items if isinstance(item.value, Result)])
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        """Looks again for partitions and series, for the transaction that made them may not have been committed."""
        self._partitions.forget()
        self._series.clear()
        self._addresses = {"": None}

    async def _pings(self, tx: Connection, arrived: list[Ping]) -> None:
        async def settle(heartbeats: set[UUID]) -> None:
            await self._settle(tx, "heartbeat", heartbeats)

        if arrived:
            await pings.store(tx, arrived, self._partitions, settle)

    async def _results(self, tx: Connection, items: list[Item]) -> None:
        arrived: list[tuple[tuple[UUID, str], datetime, Result]] = []
        for item in items:
            slot = from_micros(item.value.slot)
            if self._partitions.keeps("result", slot):
                arrived.append(((item.value.resource, item.sender), slot, item.value))
        alive = await self._alive(tx, "resource", {resource for (resource, _), _, _ in arrived})
        await self._number(tx, {of for of, _, _ in arrived if of[0] in alive} - self._series.keys())
        found: dict[tuple[int, datetime], Result] = {}
        for of, slot, result in arrived:
            if of[0] in alive:
                found.setdefault((self._series[of], slot), result)
        if not found:
            return
        for table in ("result", "failure"):
            await self._partitions.make(tx, table, (slot for _, slot in found))
        await self._name(tx, {result.address for result in found.values()} - self._addresses.keys())
        rows = [_row(key, result, self._addresses[result.address]) for key, result in found.items()]
        # A job that was probed twice gives the same key twice: only what is new is counted.
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
        await tx.copy_records_to_table("failure", records=failures, columns=columns)
        await rollup.count(tx, (result for _, result in new))

    async def _alive(self, tx: Connection, noun: str, ids: set[UUID]) -> set[UUID]:
        """Those not deleted."""
        rows = await tx.fetch("SELECT id FROM monitor WHERE id = ANY($1::uuid[])", list(ids))
        alive = {row["id"] for row in rows}
        return alive | await self._settle(tx, noun, ids - alive)

    async def _settle(self, tx: Connection, noun: str, missing: set[UUID]) -> set[UUID]:
        """Telemetry may be read after its monitor's end, or before the event that made it: the stream tells."""
        alive = set()
        for id_ in missing:
            message = await self._broker.last("EVENTS", f"events.{noun}.{id_}")
            if message and not (event := decode(message.data)).deleted:
                await self._learn(tx, [event])
                alive.add(id_)
        return alive

    async def _number(self, tx: Connection, new: set[tuple[UUID, str]]) -> None:
        """Learns the series of monitors in regions, and makes those that there are not."""
        if new:
            columns = in_columns(sorted(new))
            await tx.execute(_NEW_SERIES, *columns)
            for row in await tx.fetch(_SERIES, *columns):
                self._series[row["resource"], row["region"]] = row["id"]

    async def _name(self, tx: Connection, new: set[str]) -> None:
        """Learns the numbers of addresses; a name whose address always changes may not fill our memory."""
        if new:
            if len(self._addresses) > MOST_ADDRESSES:
                self._addresses = {"": None}
            await tx.execute(_NEW_ADDRESS, sorted(new))
            for row in await tx.fetch("SELECT * FROM address WHERE address = ANY($1::text[])", list(new)):
                self._addresses[row["address"]] = row["id"]


_VERDICTS = {verdict: number for number, verdict in enumerate(VERDICTS)}


def _row(key: tuple[int, datetime], it: Result, address: int | None) -> tuple[object, ...]:
    series, slot = key
    phases = it.phases
    return (
        slot, series, phases.total, phases.dns, phases.connect, phases.tls, phases.first_byte,
        _VERDICTS[it.verdict], it.status_code, address,
    )  # fmt: skip


def _late(it: Result) -> float:
    """Milliseconds from when it was due to when it was checked."""
    return (it.checked_at - it.slot) / 1000


_MONITOR = """
INSERT INTO monitor AS old (id, noun, organisation, version, created_at, service, unique_key)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO UPDATE SET version = $4, service = $6, unique_key = $7 WHERE old.version <= $4
"""

_CHANGE = "INSERT INTO state_change VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (resource, version) DO NOTHING"

_FLIP = "INSERT INTO flip VALUES ($1, $2, $3, $4) ON CONFLICT (heartbeat, version) DO NOTHING"

_NOTIFICATION = """
INSERT INTO notification AS old (id, about, at, version, state) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET version = $4, state = $5 WHERE old.version < $4
"""

_NEW_SERIES = """
INSERT INTO series (resource, region) SELECT * FROM unnest($1::uuid[], $2::text[]) ON CONFLICT DO NOTHING
"""

_NEW_ADDRESS = "INSERT INTO address (address) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING"

_SERIES = (
    "SELECT * FROM series JOIN unnest($1::uuid[], $2::text[]) AS wanted (resource, region) USING (resource, region)"
)

_RESULT = """
INSERT INTO result (slot, series, total, dns, connect, tls, first_byte, verdict, status_code, address)
SELECT * FROM unnest($1::timestamptz[], $2::int[], $3::real[], $4::real[], $5::real[], $6::real[], $7::real[],
    $8::smallint[], $9::smallint[], $10::int[])
ON CONFLICT (series, slot) DO NOTHING RETURNING series, slot
"""
