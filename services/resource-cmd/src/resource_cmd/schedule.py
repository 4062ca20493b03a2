"""Keeps each monitor's schedule in JetStream as PostgreSQL says it should be (house 5)."""

import asyncio
import hashlib
from uuid import UUID

import msgspec
import structlog

from pinghome_common.db import Connection, Database, only_one
from pinghome_common.events.condition import BODY, Condition
from pinghome_common.events.probe import Job
from pinghome_common.events.resource import Resource
from pinghome_common.secret import derive, seal, unseal
from pinghome_common.stream import Broker
from resource_cmd.target import endpoint, question

log = structlog.get_logger()

RECONCILE = 60.0
"""Seconds between comparisons of stream and database."""


def cron(resource: UUID, interval: int) -> str:
    """Six fields (seconds first) that fire each `interval` seconds at the monitor's own phase.

    A plain `@every` would let all monitors fire together after a restart of the broker (house 5). The interval
    divides a minute, an hour or a day.
    """
    phase = int.from_bytes(hashlib.sha256(resource.bytes).digest()[:8], "big") % interval
    second, minute, hour = phase % 60, phase // 60 % 60, phase // 3600
    if interval < 60:
        return f"{second}/{interval} * * * * *"
    if interval < 3600:
        return f"{second} {minute}/{interval // 60} * * * *"
    if interval < 86400:
        return f"{second} {minute} {hour}/{interval // 3600} * * *"
    return f"{second} {minute} {hour} * * *"


def job_of(it: Resource, sealed: bytes = b"") -> Job:
    """What a prober is told of a monitor; `sealed` are its headers and body."""
    job = Job(
        resource=it.id,
        type=it.type,
        interval=it.interval,
        method=it.method,
        skip_ssl_error=it.skip_ssl_error,
        not_follow_redirect=it.not_follow_redirect,
        sealed=sealed,
    )
    if it.type == "http":
        keyword = [Condition(type=BODY, operator="contains", values=[it.data])] if it.data else []
        job.url, job.conditions = it.url, [*it.conditions, *keyword]
    else:
        found = endpoint(it)
        job.host, job.port, job.data = found.host, found.port, question(it) if it.type == "dns" else it.data
    return job


class Scheduler:
    """Publishes the schedules of monitors that were changed, and compares all of them each minute."""

    def __init__(self, db: Database, broker: Broker, secret_key: str, regions: list[str]) -> None:
        self._db, self._broker = db, broker
        self._own = derive(secret_key, "resource")
        self._regions = {region: derive(secret_key, f"region:{region}") for region in regions}
        self._work = asyncio.Event()

    def wake(self) -> None:
        """Says that there may be something new; without it the scheduler looks each second."""
        self._work.set()

    async def run(self) -> None:
        """Schedules until cancelled."""
        connection = await self._db.own()
        try:
            await only_one(connection, "schedule")
            compared, generation = 0.0, 0
            loop = asyncio.get_running_loop()
            while True:
                # A broker that was killed may have lost the schedules of its last moments.
                if loop.time() - compared > RECONCILE or generation != self._broker.generation:
                    generation = self._broker.generation
                    await self._compare(connection)
                    compared = loop.time()
                self._work.clear()
                if not await self._step(connection):
                    try:
                        async with asyncio.timeout(1.0):
                            await self._work.wait()
                    except TimeoutError:
                        continue
        finally:
            connection.terminate()

    async def _step(self, connection: Connection) -> bool:
        rows = await connection.fetch(
            "SELECT u.resource, u.since, r.state, r.version FROM unscheduled u"
            " LEFT JOIN resource r ON r.id = u.resource ORDER BY u.since LIMIT 500"
        )
        messages: list[tuple[str, bytes, dict[str, str] | None]] = []
        for row in rows:
            it = msgspec.json.decode(row["state"], type=Resource) if row["state"] else None
            if it is None or row["version"] > 1:  # a new one has no schedule to withdraw
                await self._withdraw(row["resource"])
            if it is not None and it.enabled:
                messages += self._messages(it)
        for begin in range(0, len(messages), 500):
            await self._broker.publish(messages[begin : begin + 500])
        await connection.executemany(
            # A change that came in between has made the row younger: it stays.
            "DELETE FROM unscheduled WHERE resource = $1 AND since = $2",
            [(row["resource"], row["since"]) for row in rows],
        )
        return bool(rows)

    async def _withdraw(self, resource: UUID) -> None:
        for kind in ("schedule", "job"):
            await self._broker.api("STREAM.PURGE.SCHEDULES", {"filter": f"{kind}.*.{resource}"})

    def _messages(self, it: Resource) -> list[tuple[str, bytes, dict[str, str] | None]]:
        """One schedule a region, and a first job at once, for the next slot may be a day away."""
        messages: list[tuple[str, bytes, dict[str, str] | None]] = []
        plain = unseal(self._own, it.sealed) if it.sealed else b""
        for region in it.regions:
            if region not in self._regions:
                continue  # an operator took the region away; the monitor says so by becoming unknown
            job = job_of(it, seal(self._regions[region], plain) if plain else b"")
            body = msgspec.msgpack.encode(job)
            schedule = {
                "Nats-Schedule": cron(it.id, it.interval),
                "Nats-Schedule-Target": f"job.{region}.{it.id}",
                "Nats-Schedule-TTL": f"{it.interval}s",
            }
            messages.append((f"schedule.{region}.{it.id}", body, schedule))
            messages.append((f"job.{region}.{it.id}", body, {"Nats-TTL": f"{it.interval}s"}))
        return messages

    async def _compare(self, connection: Connection) -> None:
        rows = await connection.fetch(
            "SELECT id, state->'regions' AS regions FROM resource WHERE (state->>'enabled')::bool"
        )
        wanted = {
            f"schedule.{region}.{row['id']}"
            for row in rows
            for region in msgspec.json.decode(row["regions"])
            if region in self._regions
        }
        there = await self._broker.subjects("SCHEDULES", "schedule.>")
        wrong = {UUID(subject.rpartition(".")[2]) for subject in wanted ^ there}
        if wrong:
            log.warning("schedules differ from the database and are put right", monitors=len(wrong))
            await connection.execute(
                "INSERT INTO unscheduled (resource) SELECT unnest($1::uuid[]) ON CONFLICT (resource) DO NOTHING",
                list(wrong),
            )
