"""What statistics are made of: state changes from EVENTS, results and pings from TELEMETRY."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.clock import from_micros
from pinghome_common.db import Connection
from pinghome_common.events import decode
from pinghome_common.events.ping import Kind
from pinghome_common.events.probe import Result, Results, Verdict
from pinghome_common.events.resource import Resource
from pinghome_common.projection import envelopes, fresh
from pinghome_common.stream import Broker, Message
from statistic_query.partition import Partitions

NOUNS = ("resource", "heartbeat")

decode_results = msgspec.msgpack.Decoder(Results).decode


class _Created(msgspec.Struct):
    created_at: datetime


class Projector:
    """Applies messages inside the projection's transaction."""

    def __init__(self, broker: Broker, partitions: Partitions) -> None:
        self._broker, self._partitions = broker, partitions
        self._regions: dict[str, int] = {}

    async def events(self, tx: Connection, messages: list[Message]) -> None:
        """Whose each monitor is, and every change of its state."""
        monitors, changes, gone = [], [], []
        for event in envelopes(messages):
            if event.deleted:
                gone.append((event.noun, event.subject))
                continue
            created = msgspec.json.decode(event.data, type=_Created).created_at
            monitors.append((event.subject, event.noun, event.organisation, event.version, created))
            if event.noun == "resource":
                change = msgspec.json.decode(event.data, type=Resource).change
                changes.append(
                    (
                        event.subject, change.version, change.at, change.status.value,
                        change.previous and change.previous.value, change.reason, change.status_code, change.region,
                    )
                )  # fmt: skip
        await tx.executemany(_MONITOR, monitors)
        await tx.executemany(_CHANGE, changes)
        for noun, id_ in gone:
            await self._delete(tx, noun, id_)

    async def _delete(self, tx: Connection, noun: str, id_: UUID) -> None:
        """Single results and pings of a deleted monitor go with their day; nobody can ask for them any more."""
        await tx.execute("DELETE FROM monitor WHERE id = $1", id_)
        tables = ("state_change", "result_hour", "result_day") if noun == "resource" else ("ping_hour",)
        for table in tables:
            await tx.execute(f"DELETE FROM {table} WHERE {noun} = $1", id_)

    async def telemetry(self, tx: Connection, messages: list[Message]) -> None:
        """Stores pings and results, and counts them into their hours and days."""
        try:
            await self._pings(tx, [message for message in messages if message.subject.startswith("telemetry.ping.")])
            await self._results(
                tx, [message for message in messages if message.subject.startswith("telemetry.result.")]
            )
        except BaseException:
            self._partitions.forget()
            self._regions.clear()
            raise

    async def _pings(self, tx: Connection, messages: list[Message]) -> None:
        if not messages:
            return
        rows = []
        hours: dict[tuple[UUID, datetime], Counter[int]] = defaultdict(Counter)
        for _, batch in await fresh(tx, messages):
            for ping in batch.pings:
                heartbeat, at = UUID(bytes=ping.heartbeat), from_micros(ping.at)
                if self._partitions.keeps("ping", at):
                    rows.append(
                        (
                            UUID(bytes=ping.id), heartbeat, at, ping.kind, ping.message,
                            ping.method, ping.scheme, ping.remote_addr, ping.user_agent,
                        )
                    )  # fmt: skip
                hours[heartbeat, _hour(at)][ping.kind] += 1
        await self._partitions.make(tx, "ping", (row[2] for row in rows))
        await tx.copy_records_to_table("ping", records=rows)
        kinds = (Kind.tick, Kind.run, Kind.complete, Kind.fail)
        alive = await self._alive(tx, "heartbeat", {heartbeat for heartbeat, _ in hours})
        counted = [
            (*key, *(counts[kind] for kind in kinds)) for key, counts in sorted(hours.items()) if key[0] in alive
        ]
        if counted:
            await tx.execute(_PING_HOUR, *_columns(counted))

    async def _results(self, tx: Connection, messages: list[Message]) -> None:
        found: dict[tuple[UUID, datetime, int], Result] = {}
        for message in messages:
            results = decode_results(message.data)
            region = await self._region(tx, results.region)
            for result in results.results:
                slot = from_micros(result.slot)
                if self._partitions.keeps("result", slot):
                    found.setdefault((result.resource, slot, region), result)
        if not found:
            return
        for table in ("result", "failure"):
            await self._partitions.make(tx, table, (slot for _, slot, _ in found))
        rows = [_row(key, result) for key, result in found.items()]
        # A job that was probed twice gives the same key twice: only what is new is counted.
        new = [tuple(row) for row in await tx.fetch(_RESULT, *_columns(rows))]
        await self._count(tx, [(key, found[key]) for key in new])

    async def _count(self, tx: Connection, new: list[tuple[tuple[UUID, datetime, int], Result]]) -> None:
        failures = [
            (*key, result.error[:1000], result.address) for key, result in new if result.verdict is not Verdict.up
        ]
        await tx.copy_records_to_table("failure", records=failures)
        alive = await self._alive(tx, "resource", {resource for (resource, _, _), _ in new})
        new = [it for it in new if it[0][0] in alive]
        for table, truncate in (("result_hour", _hour), ("result_day", _day)):
            sums: dict[tuple[UUID, datetime], list[Any]] = {}
            for (resource, slot, _), result in new:
                _add(sums.setdefault((resource, truncate(slot)), [0, 0, 0, 0.0, None, None]), result)
            counted = [(*key, *values) for key, values in sorted(sums.items())]
            if counted:
                await tx.execute(_ROLLUP.format(table), *_columns(counted))

    async def _alive(self, tx: Connection, noun: str, ids: set[UUID]) -> set[UUID]:
        """Those not deleted: telemetry may be read after its monitor's end, or before the event that made it."""
        rows = await tx.fetch("SELECT id FROM monitor WHERE id = ANY($1::uuid[])", list(ids))
        alive = {row["id"] for row in rows}
        for id_ in ids - alive:
            message = await self._broker.last("EVENTS", f"events.{noun}.{id_}")
            if message and not decode(message.data).deleted:
                await self.events(tx, [message])
                alive.add(id_)
        return alive

    async def _region(self, tx: Connection, name: str) -> int:
        if name not in self._regions:
            await tx.execute("INSERT INTO region (name) VALUES ($1) ON CONFLICT DO NOTHING", name)
            self._regions[name] = await tx.fetchval("SELECT id FROM region WHERE name = $1", name)
        return self._regions[name]


_VERDICTS = {Verdict.up: 0, Verdict.target_fail: 1, Verdict.probe_error: 2, Verdict.blocked: 3}


def _row(key: tuple[UUID, datetime, int], it: Result) -> tuple[object, ...]:
    resource, slot, region = key
    phases = it.phases
    return (
        resource, slot, phases.total, phases.dns, phases.connect, phases.tls, phases.first_byte,
        region, _VERDICTS[it.verdict], it.status_code,
    )  # fmt: skip


def _add(sums: list[Any], it: Result) -> None:
    """Counts a result in: checks, failures, how many were timed, sum, fastest, slowest. Only an answer has a time."""
    if it.verdict in (Verdict.probe_error, Verdict.blocked):
        return
    sums[0] += 1
    sums[1] += it.verdict is Verdict.target_fail
    if it.status_code is not None or it.verdict is Verdict.up:
        total = it.phases.total
        sums[2:] = (
            sums[2] + 1,
            sums[3] + total,
            total if sums[4] is None else min(sums[4], total),
            total if sums[5] is None else max(sums[5], total),
        )


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _day(at: datetime) -> datetime:
    return _hour(at).replace(hour=0)


def _columns(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


_MONITOR = """
INSERT INTO monitor AS old (id, noun, organisation, version, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET version = $4 WHERE old.version < $4
"""

_CHANGE = "INSERT INTO state_change VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (resource, version) DO NOTHING"

_RESULT = """
INSERT INTO result (resource, slot, total, dns, connect, tls, first_byte, region, verdict, status_code)
SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::real[], $4::real[], $5::real[], $6::real[], $7::real[],
    $8::smallint[], $9::smallint[], $10::smallint[])
ON CONFLICT (resource, slot, region) DO NOTHING RETURNING resource, slot, region
"""

_ROLLUP = """
INSERT INTO {} AS old
SELECT * FROM unnest(
    $1::uuid[], $2::timestamptz[], $3::int[], $4::int[], $5::int[], $6::float8[], $7::real[], $8::real[])
ON CONFLICT (resource, at) DO UPDATE SET
    checks = old.checks + excluded.checks, failures = old.failures + excluded.failures,
    timed = old.timed + excluded.timed, total = old.total + excluded.total,
    fastest = least(old.fastest, excluded.fastest), slowest = greatest(old.slowest, excluded.slowest)
"""

_PING_HOUR = """
INSERT INTO ping_hour AS old
SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::int[], $5::int[], $6::int[])
ON CONFLICT (heartbeat, at) DO UPDATE SET
    tick = old.tick + excluded.tick, run = old.run + excluded.run,
    complete = old.complete + excluded.complete, fail = old.fail + excluded.fail
"""
