"""What a service was at worst, from changes of state and flips in a real database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from conftest import fresh_database
from pinghome.servers import Servers
from pinghome_common.db import Database
from statistic_query import service_history

ORGANISATION, SERVICE = uuid4(), uuid4()
FIRST, SPAN = service_history.begin(datetime(2026, 11, 27, 12, 7, 30, tzinfo=UTC), 24)


@pytest.fixture
async def db(servers: Servers) -> AsyncIterator[Database]:
    async with Database(await fresh_database(servers, "statistic_query")) as opened:
        yield opened


async def monitor(db: Database, noun: str, *changes: tuple[float, str], organisation: UUID = ORGANISATION) -> None:
    """A monitor with its changes of state, each at so many spans after the first one's beginning."""
    id_ = uuid4()
    await db.fetch(
        "INSERT INTO monitor (id, noun, organisation, version, created_at, service) VALUES ($1, $2, $3, 1, now(), $4)",
        id_, noun, organisation, SERVICE,
    )  # fmt: skip
    for version, (spans, status) in enumerate(changes, 1):
        at = FIRST + spans * SPAN
        if noun == "heartbeat" and status in ("up", "down"):
            await db.fetch("INSERT INTO flip VALUES ($1, $2, $3, $4)", id_, version, at, status == "up")
        else:
            await db.fetch("INSERT INTO state_change VALUES ($1, $2, $3, $4, NULL, '')", id_, version, at, status)


async def seen(db: Database) -> list[str | None]:
    found = await service_history.read(db, ORGANISATION, FIRST, SPAN)
    assert set(found) <= {SERVICE}
    return found.get(SERVICE, [])


def test_spans_end_with_the_present_one():
    assert timedelta(minutes=16) == SPAN
    assert datetime(2026, 11, 26, 12, 16, tzinfo=UTC) == FIRST
    first, span = service_history.begin(datetime(2026, 11, 27, 12, 7, 30, tzinfo=UTC), 2160)
    assert (first, span) == (datetime(2026, 8, 30, tzinfo=UTC), timedelta(days=1))


async def test_state_of_before_goes_on_and_a_short_outage_shows(db: Database):
    await monitor(db, "resource", (-500, "pending"), (-400, "up"), (10.2, "down"), (10.4, "up"), (88.5, "unknown"))
    states = await seen(db)
    assert states == [*["up"] * 10, "down", *["up"] * 77, "unknown", "unknown"]


async def test_worst_of_several_and_nothing_before_the_first(db: Database):
    await monitor(db, "resource", (20, "up"))
    await monitor(db, "server_resource", (30, "pending"), (30.5, "up"), (40, "paused"))
    await monitor(db, "heartbeat", (50, "pending"), (51, "up"), (60, "down"), (62.5, "paused"), (70, "up"))
    await monitor(db, "resource", (0, "down"), organisation=uuid4())
    assert await seen(db) == [*[None] * 20, *["up"] * 40, *["down"] * 3, *["up"] * 27]


async def test_pause_ends_what_a_flip_began_before_the_first_span(db: Database):
    await monitor(db, "heartbeat", (-9, "up"), (-5, "down"), (-4, "paused"))
    assert await seen(db) == ["paused"] * 90
    await monitor(db, "heartbeat", (-9, "paused"), (-5, "up"), (-4, "down"))
    assert await seen(db) == ["down"] * 90
