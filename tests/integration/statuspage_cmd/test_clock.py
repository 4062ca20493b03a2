"""The clock begins and ends maintenance once, whenever it is killed, and makes what comes again."""

import asyncio
import sys
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest

from integration.statuspage_cmd.conftest import ACTOR, states
from pinghome_common.clock import now
from pinghome_common.db import Database
from pinghome_common.events.incident import Maintenance, Recurrence
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.events.subscription import ChannelType, Subscription
from pinghome_common.store import no_wait
from statuspage_cmd.maintenance import clock
from statuspage_cmd.maintenance.clock import Clock
from statuspage_cmd.maintenance.store import Maintenances, Recurrences
from statuspage_cmd.subscriptions.store import Subscriptions

HOUR = timedelta(hours=1)

RUN = """
import asyncio, sys
from pinghome_common.db import Database
from statuspage_cmd.maintenance.clock import Clock

async def main():
    async with Database(sys.argv[1]) as db:
        await Clock(db, lambda: None).run()

asyncio.run(main())
"""


def overdue(page: StatusPage) -> Maintenance:
    """One that should have begun and ended while nobody looked."""
    at = now()
    return Maintenance(
        id=uuid4(), organisation=page.organisation, page=page.id, title="x", scheduled_for=at - 2 * HOUR,
        ends_at=at - HOUR, created_at=at, updated_at=at,
    )  # fmt: skip


async def add(db: Database, *maintenances: Maintenance) -> None:
    async with db.transaction() as tx:
        for each in maintenances:
            await Maintenances(tx, ACTOR, no_wait, now()).add(each)


async def told(db: Database, noun: str) -> dict[str, list[str]]:
    """The statuses in each aggregate's events, in their order."""
    rows = await db.fetch(
        "SELECT aggregate, convert_from(body, 'UTF8')::jsonb->'data'->>'status' AS status FROM events"
        " WHERE address LIKE $1 ORDER BY aggregate, version",
        f"status.{noun}.%",
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(str(row["aggregate"]), []).append(row["status"])
    return found


async def test_every_step_is_told_once_though_the_clock_is_killed_again_and_again(
    db: Database, url: str, page: StatusPage
):
    await add(db, *(overdue(page) for _ in range(300)))
    kills = 0

    async def left() -> int:
        return await db.fetchval("SELECT count(*) FROM maintenance WHERE due IS NOT NULL")

    async def steps() -> int:
        return await db.fetchval("SELECT count(*) FROM events WHERE address LIKE 'status.maintenance.%'")

    while await left():
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", RUN, url)
        try:
            before = await steps()
            async with asyncio.timeout(60):
                while await left() and await steps() < before + 70:
                    await asyncio.sleep(0.005)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        kills += 1

    assert kills > 3
    assert set(map(tuple, (await told(db, "maintenance")).values())) == {("scheduled", "in_progress", "completed")}
    kept = await states(db, "maintenance")
    assert len(kept) == 300
    assert all((it["started_at"], it["ended_at"]) == (it["scheduled_for"], it["ends_at"]) for it in kept)


async def test_one_that_cannot_be_changed_holds_up_no_other(db: Database, page: StatusPage):
    bad, good = overdue(page), overdue(page)
    await add(db, bad, good)
    await db.fetch("UPDATE maintenance SET state = state - 'title' WHERE id = $1", bad.id)
    async with db.connection() as connection:
        clock = Clock(db, lambda: None)
        for _ in range(3):
            await clock.round(connection)
    rows = await db.fetch("SELECT id, due FROM maintenance")
    assert {row["id"]: row["due"] is None for row in rows} == {bad.id: False, good.id: True}
    assert [row["key"] for row in await db.fetch("SELECT key FROM dead_letter")] == [str(bad.id)]


async def test_occurrences_are_made_as_they_come_near(db: Database, page: StatusPage):
    at = now().replace(microsecond=0)
    rule = Recurrence(
        id=uuid4(), organisation=page.organisation, page=page.id, title="x", rrule="FREQ=DAILY", timezone="UTC",
        scheduled_for=at + HOUR, duration=30, created_at=at, updated_at=at,
    )  # fmt: skip
    async with db.transaction() as tx:
        parts = tx, ACTOR, no_wait, at
        await Recurrences(*parts).add(rule)
        await Recurrences(*parts).begin(rule, Maintenances(*parts))
    first = await db.fetchval("SELECT count(*) FROM maintenance")
    assert 30 <= first <= 31
    # As if the last of them had not been near yet.
    await db.fetch("DELETE FROM maintenance WHERE due = (SELECT max(due) FROM maintenance)")
    await db.fetch("DELETE FROM events WHERE aggregate NOT IN (SELECT id FROM maintenance)")
    await db.fetch("UPDATE recurrence SET next_at = next_at - interval '1 day'")
    async with db.connection() as connection:
        for _ in range(2):
            await Clock(db, lambda: None).round(connection)
    assert await db.fetchval("SELECT count(*) FROM maintenance") == first
    assert await db.fetchval("SELECT count(*) FROM dead_letter") == 0


async def test_each_occurrence_is_told_a_day_ahead_and_once(
    db: Database, page: StatusPage, monkeypatch: pytest.MonkeyPatch
):
    begin = now().replace(microsecond=0)
    time = begin

    async def passes(hours: float) -> None:
        """Time, in which the clock looks three times and is begun anew each time."""
        nonlocal time
        time += hours * HOUR
        monkeypatch.setattr(clock, "now", lambda: time)
        async with db.connection() as connection:
            for _ in range(3):
                await Clock(db, lambda: None).round(connection)

    async def told() -> list[tuple[str, float]]:
        rows = await db.fetch(
            "SELECT n.state->>'what' AS what, (m.state->>'scheduled_for')::timestamptz AS at"
            " FROM notification n JOIN maintenance m ON m.id = n.about ORDER BY place"
        )
        return [(row["what"].partition("-")[2], (row["at"] - begin) / HOUR) for row in rows]

    stamp = now()
    template = Subscription(
        id=page.id, organisation=page.organisation, pages=[page.id], channel_value="", target=b"",
        channel_type=ChannelType.email, requested_at=stamp, verified_at=stamp, created_at=stamp, updated_at=stamp,
    )  # fmt: skip
    rule = Recurrence(
        id=uuid4(), organisation=page.organisation, page=page.id, title="x", rrule="FREQ=WEEKLY", timezone="UTC",
        scheduled_for=begin + 30 * HOUR, duration=60, notify=True, created_at=begin, updated_at=begin,
    )  # fmt: skip
    async with db.transaction() as tx:
        parts = tx, ACTOR, no_wait, begin
        await Subscriptions(*parts).bring(template, ["a@example.net"])
        await Recurrences(*parts).add(rule)
        await Recurrences(*parts).begin(rule, Maintenances(*parts))
    await passes(0)
    assert await told() == []
    await passes(7)
    assert await told() == [("scheduled", 30)]
    await passes(23.5)
    assert await told() == [("scheduled", 30), ("started", 30)]
    await passes(143)
    assert await told() == [("scheduled", 30), ("started", 30), ("ended", 30)]
    await passes(1)
    assert (await told())[3:] == [("scheduled", 198)]
    await passes(40 * 24)  # nobody looked for so long
    late = [each for each in await told() if each[1] > 198]
    assert {what for what, _ in late} == {"started", "ended"}  # they were over, or have begun, by then
    assert await db.fetchval("SELECT count(*) FROM maintenance WHERE untold AND due < $1", time + 24 * HOUR) == 0
