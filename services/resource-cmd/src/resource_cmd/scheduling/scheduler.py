"""Keeps each monitor's schedule in JetStream as PostgreSQL says it should be (house 5)."""

from time import monotonic
from typing import Any
from uuid import UUID

import msgspec

from pinghome_common.db import Connection, Database
from pinghome_common.dead_letters import PARKED, DeadLetters
from pinghome_common.events.probe import phase
from pinghome_common.events.resource import Resource
from pinghome_common.logs import log
from pinghome_common.secret import derive
from pinghome_common.stream import Broker, Reader
from pinghome_common.worker import Worker
from resource_cmd.scheduling.job import fingerprint, sealed_for
from resource_cmd.scheduling.regions import Regions

LETTERS = DeadLetters("scheduler")

RECONCILE = 60.0
"""Seconds between comparisons of stream and database."""

FINGERPRINT = "Pinghome-Fingerprint"
"""Header of a schedule that tells what its job says, for the job itself is sealed anew each time."""

_UNSCHEDULED = f"""
SELECT u.resource, u.since, r.state, r.version FROM (
    SELECT * FROM unscheduled u WHERE NOT {PARKED.format(worker="scheduler", id="u.resource")} ORDER BY since LIMIT 500
) u LEFT JOIN resource r ON r.id = u.resource ORDER BY u.since
"""  # noqa: S608  # our own names


def cron(resource: UUID, interval: int) -> str:
    """Six fields (seconds first) that fire each `interval` seconds at the monitor's own phase.

    A plain `@every` would let all monitors fire together after a restart of the broker (house 5). The interval
    divides a minute, an hour or a day.
    """
    at = phase(resource, interval)
    second, minute, hour = at % 60, at // 60 % 60, at // 3600
    if interval < 60:
        return f"{second}/{interval} * * * * *"
    if interval < 3600:
        return f"{second} {minute}/{interval // 60} * * * *"
    if interval < 86400:
        return f"{second} {minute} {hour}/{interval // 3600} * * *"
    return f"{second} {minute} {hour} * * *"


class Scheduler(Worker):
    """Publishes the schedules of monitors that were changed, and compares all of them each minute.

    Which ones there are is compared each minute. What they say is compared after a new connection to the broker, for
    one that was killed may have lost the newest.
    """

    lock = "scheduler"

    def __init__(self, db: Database, broker: Broker, secret_key: str, regions: Regions) -> None:
        super().__init__(db)
        self._broker, self._regions = broker, regions
        self._own = derive(secret_key, "resource")
        self._compared, self._generation = 0.0, 0
        self._known: list[str] = []

    async def begin(self, _: Connection) -> None:
        """Another process may have been the active one meanwhile."""
        self._compared, self._generation = 0.0, 0

    async def round(self, connection: Connection) -> bool:
        """Publishes some schedules; false when there are no more."""
        generation, at = self._broker.generation, monotonic()
        regions = self._regions.names
        if at - self._compared > RECONCILE or generation != self._generation or regions != self._known:
            await self._compare(connection, contents=generation != self._generation)
            self._compared, self._generation, self._known = at, generation, regions
        rows = await connection.fetch(_UNSCHEDULED)
        if rows:
            by_id = {row["resource"]: row for row in rows}

            async def publish_all(tx: Connection, ids: list[UUID]) -> None:
                await self._publish(tx, [by_id[id_] for id_ in ids])

            await LETTERS.contain(connection, list(by_id), publish_all)
        return bool(rows)

    async def _publish(self, tx: Connection, rows: list[Any]) -> None:
        messages: list[tuple[str, bytes, dict[str, str] | None]] = []
        for row in rows:
            it = msgspec.json.decode(row["state"], type=Resource) if row["state"] else None
            made = self._messages(it) if it is not None and it.enabled else []
            if it is None or row["version"] > 1:  # a new one has no schedule to withdraw
                await self._withdraw(row["resource"])
            messages += made
        for begin in range(0, len(messages), 500):
            await self._broker.publish(messages[begin : begin + 500])
        await tx.executemany(
            # A change that came in between has made the row younger: it stays.
            "DELETE FROM unscheduled WHERE resource = $1 AND since = $2",
            [(row["resource"], row["since"]) for row in rows],
        )

    async def _withdraw(self, resource: UUID) -> None:
        for kind in ("schedule", "job"):
            await self._broker.api("STREAM.PURGE.SCHEDULES", {"filter": f"{kind}.*.{resource}"})

    def _messages(self, it: Resource) -> list[tuple[str, bytes, dict[str, str] | None]]:
        """One schedule a region, and a first job at once, for the next slot may be a day away."""
        messages: list[tuple[str, bytes, dict[str, str] | None]] = []
        for region in it.regions:
            if region not in self._regions.names:
                continue  # an operator took the region away; the monitor says so by becoming unknown
            body = sealed_for(it, self._own, self._regions.key(region))
            schedule = {
                "Nats-Schedule": cron(it.id, it.interval),
                "Nats-Schedule-Target": f"job.{region}.{it.id}",
                "Nats-Schedule-TTL": f"{it.interval}s",
                FINGERPRINT: fingerprint(it),
            }
            messages.append((f"schedule.{region}.{it.id}", body, schedule))
            messages.append((f"job.{region}.{it.id}", body, {"Nats-TTL": f"{it.interval}s"}))
        return messages

    async def _compare(self, connection: Connection, *, contents: bool) -> None:
        rows = await connection.fetch(
            "SELECT id, state->'regions' AS regions, CASE WHEN $1 THEN state END AS state"
            " FROM resource WHERE (state->>'enabled')::bool",
            contents,
        )
        wanted: dict[str, str | None] = {}
        for row in rows:
            mark = fingerprint(msgspec.json.decode(row["state"], type=Resource)) if row["state"] else None
            for region in msgspec.json.decode(row["regions"]):
                if region in self._regions.names:
                    wanted[f"schedule.{region}.{row['id']}"] = mark
        if contents:
            there = await self._there()
        else:
            there = dict.fromkeys(await self._broker.subjects("SCHEDULES", "schedule.>"))
        wrong = {UUID(subject.rpartition(".")[2]) for subject, _ in wanted.items() ^ there.items()}
        if wrong:
            log.warning("schedules_put_right", monitors=len(wrong))
            await connection.execute(
                "INSERT INTO unscheduled (resource) SELECT unnest($1::uuid[]) ON CONFLICT (resource) DO NOTHING",
                list(wrong),
            )

    async def _there(self) -> dict[str, str | None]:
        """The fingerprint of each schedule in the stream."""
        reader = Reader(self._broker, "SCHEDULES", ["schedule.>"], None, headers_only=True)
        found: dict[str, str | None] = {}
        try:
            while reader.pending != 0:
                for message in await reader.take():
                    found[message.subject] = message.headers.get(FINGERPRINT)
        finally:
            await reader.stop()
        return found
