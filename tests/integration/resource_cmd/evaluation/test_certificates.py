"""Certificates in probe results on a real database: which is kept, and when that makes an event."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from applying import apply_all
from pinghome_common.clock import from_micros
from pinghome_common.db import Database
from pinghome_common.events.certificate import Certificate, Link
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.events.probe import Phases, Result, Results, Verdict
from pinghome_common.events.resource import Resource, certificate_of
from pinghome_common.store import Actor, no_wait
from pinghome_common.stream import Message
from resource_cmd.evaluation.telemetry import TelemetryConsumer
from resource_cmd.monitors import resource
from resource_cmd.monitors.store import Resources

AT = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp()) * MICRO
TEST = Actor("test")
VALID_TO = datetime(2027, 2, 1, tzinfo=UTC)
LINK = Link(subject="CN=R11", issuer="CN=X1", valid_from=from_micros(AT), valid_to=VALID_TO, sha256="11")


class World:
    """Monitors of https sites and the results that arrive of them; times are seconds after `AT`."""

    def __init__(self, db: Database) -> None:
        self.db, self.seq = db, 0

    async def add(self) -> Resource:
        settings = {"name": "shop", "type": "http", "url": "https://www.example.com/", "service_id": uuid4()}
        it = resource.create(uuid4(), uuid4(), {**settings, "regions": ["a", "b"]}, from_micros(AT))
        async with self.db.transaction() as tx:
            await Resources(tx, TEST, no_wait, from_micros(AT)).add(it)
        return it

    async def hear(self, *arrived: tuple[Resource, str, int, str | None]) -> None:
        """One batch of messages; each is (monitor, region, seconds, fingerprint or None)."""
        messages = []
        for it, region, at, leaf in arrived:
            self.seq += 1
            result = Result(
                resource=it.id, slot=AT + at * MICRO, checked_at=AT + at * MICRO, interval=60, verdict=Verdict.up,
                phases=Phases(total=1.0), certificate=leaf and certificate(leaf, at),
            )  # fmt: skip
            data = msgspec.msgpack.encode(Results(batch=uuid4(), region=region, results=[result]))
            messages.append(Message(self.seq, f"telemetry.result.{region}", data))
        async with self.db.transaction() as tx:
            await apply_all(tx, TelemetryConsumer(60, 30).apply, messages)

    async def kept(self, it: Resource) -> tuple[str, str, int] | None:
        """Fingerprint, region and seconds of the certificate that is kept."""
        async with self.db.connection() as connection:
            state = await connection.fetchval("SELECT state FROM resource WHERE id = $1", it.id)
        found = certificate_of(msgspec.json.decode(state, type=Resource))
        return found and (found.sha256, found.region, (found.checked_at - from_micros(AT)) // timedelta(seconds=1))

    async def events(self, it: Resource) -> list[str]:
        async with self.db.connection() as connection:
            rows = await connection.fetch(
                "SELECT convert_from(body, 'utf8')::jsonb->>'type' AS type FROM events WHERE aggregate = $1"
                " ORDER BY version",
                it.id,
            )
        return [row["type"].removeprefix("resource.") for row in rows]


def certificate(leaf: str, at: int) -> Certificate:
    return Certificate(
        host="www.example.com", subject="CN=www.example.com", issuer="CN=R11", serial_number="1", sans=["a", "b"],
        valid_from=from_micros(AT), valid_to=VALID_TO, sha256=leaf, chain=[LINK], verified=True,
        checked_at=from_micros(AT + at * MICRO),
    )  # fmt: skip


@pytest.fixture
async def world(commands: str) -> AsyncIterator[World]:
    async with Database(commands) as db:
        yield World(db)


async def test_first_certificate_is_kept_with_its_chain_and_its_region(world):
    it, other = await world.add(), await world.add()
    await world.hear((it, "a", 0, "00"), (other, "a", 0, None))

    assert await world.kept(it) == ("00", "a", 0)
    assert await world.kept(other) is None
    assert await world.events(it) == ["created", "status-changed", "certificate-changed"]
    assert await world.events(other) == ["created", "status-changed"]


async def test_the_same_seen_again_makes_no_event_but_once_a_day(world):
    it = await world.add()
    await world.hear((it, "a", 0, "00"))
    await world.hear((it, "b", 60, "00"), (it, "a", 6 * 3600, "00"), (it, "b", 6 * 3600, None))
    assert await world.kept(it) == ("00", "a", 0)

    await world.hear((it, "b", 86400, "00"))

    assert await world.kept(it) == ("00", "b", 86400)
    assert (await world.events(it)).count("certificate-changed") == 2


async def test_another_certificate_is_kept_and_one_of_an_older_slot_is_not(world):
    it = await world.add()
    await world.hear((it, "a", 60, "00"))
    await world.hear((it, "b", 0, "11"))
    assert await world.kept(it) == ("00", "a", 60)
    await world.hear((it, "b", 120, "22"), (it, "a", 119, "11"))

    assert await world.kept(it) == ("22", "b", 120)


async def test_results_of_a_monitor_that_is_gone_are_left_out(world):
    gone, it = await world.add(), await world.add()
    async with world.db.transaction() as tx:
        store = Resources(tx, TEST, no_wait, from_micros(AT))
        await store.remove(await store.edit(gone.id))

    await world.hear((gone, "a", 0, "00"), (it, "a", 0, "00"))

    assert await world.kept(it) == ("00", "a", 0)


async def test_a_change_of_status_after_it_keeps_the_certificate(world):
    it = await world.add()
    await world.hear((it, "a", 0, "00"))
    async with world.db.transaction() as tx:
        store = Resources(tx, TEST, no_wait, from_micros(AT))
        row = await store.edit(it.id)
        row.state = replace(row.state, name="other")
        await store.save(row)
    await world.hear((it, "a", 60, None), (it, "b", 61, None))

    assert await world.kept(it) == ("00", "a", 0)
