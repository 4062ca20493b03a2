"""A monitor that stays unknown though its region is well: its channels are told once, and why."""

from datetime import timedelta

import pytest

from integration.resource_cmd.delivery.conftest import OPERATOR
from pinghome_common.clock import micros, now
from pinghome_common.events.resource import Status
from pinghome_common.store import no_wait
from resource_cmd.evaluation.unjudged import tell
from resource_cmd.monitors.store import Resources

SECOND = timedelta(seconds=1)


@pytest.fixture
async def shop(world):
    """A monitor with a channel, each minute, which no probe can judge since now."""
    await world.webhook("http://127.0.0.1:1/")
    it = await world.resource(interval=60)
    await unknown(world, it, now())
    return it


async def unknown(world, it, at, reason="192.0.2.1 is refused"):
    async with world.db.transaction() as tx:
        row = await Resources(tx, OPERATOR, no_wait, at).edit(it.id)
        change = row.state.change
        change.status, change.previous, change.at, change.reason = Status.unknown, change.status, at, reason
        change.version = row.version + 1
        await Resources(tx, OPERATOR, no_wait, at).save(row, "status-changed")


async def seen(world, it, at, up):
    """A result of that time."""
    async with world.db.transaction() as tx:
        await tx.execute(
            "INSERT INTO region_observation VALUES ($1, 'a', $2, $2, $3, $2, NULL, '') ON CONFLICT (resource, region)"
            " DO UPDATE SET slot = $2, checked_at = $2, up = $3",
            it.id, micros(at), up,
        )  # fmt: skip


async def told(world, at):
    async with world.db.connection() as connection:
        await tell(connection, at)
    return [(it.what, it.title, it.text) for it in await world.ledger()]


async def test_it_is_told_once_after_ten_intervals_with_the_reason(world, shop):
    begin = now()
    other = await world.resource("Other", interval=60)
    for minutes in (1, 9, 9.9):
        await seen(world, other, begin + minutes * 60 * SECOND, up=True)
        assert await told(world, begin + minutes * 60 * SECOND) == []
    for minutes in (11, 12, 99):
        await seen(world, other, begin + minutes * 60 * SECOND, up=False)
        ((what, title, text),) = await told(world, begin + minutes * 60 * SECOND)
    assert (what, title) == ("unknown", "Shop cannot be judged")
    assert text.startswith("Shop cannot be judged since 20")
    assert text.endswith(" UTC: 192.0.2.1 is refused.")

    await world.becomes(shop, "up", begin + timedelta(hours=2))
    await unknown(world, shop, begin + timedelta(hours=3))  # it was judged in between
    await seen(world, other, begin + timedelta(hours=4), up=True)
    assert len(await told(world, begin + timedelta(hours=4))) == 2


async def test_region_that_is_not_well_is_not_its_fault(world, shop):
    begin, other = now(), await world.resource("Other", interval=60)
    late = begin + timedelta(hours=1)
    assert await told(world, late) == []  # no word of anybody
    await seen(world, other, begin, up=True)
    assert await told(world, late) == []  # nothing fresh
    await seen(world, other, late, up=None)
    await seen(world, shop, late, up=None)
    assert await told(world, late) == []  # no monitor of the region can be judged
    await seen(world, other, late, up=True)
    assert len(await told(world, late)) == 1


async def test_only_monitor_of_a_region_is_told_as_long_as_results_come(world, shop):
    late = now() + timedelta(hours=1)
    await seen(world, shop, late, up=None)
    assert len(await told(world, late)) == 1


async def test_region_where_it_is_not_probed_does_not_count(world):
    await world.webhook("http://127.0.0.1:1/")
    it, other = await world.resource(interval=60, regions=["b"]), await world.resource("Other", interval=60)
    await unknown(world, it, now())
    late = now() + timedelta(hours=1)
    await seen(world, other, late, up=True)
    assert await told(world, late) == []


@pytest.mark.parametrize("status", ["up", "down", "paused", "maintenance", "pending"])
async def test_any_other_state_is_not_told(world, shop, status):
    late = now() + timedelta(hours=1)
    await world.becomes(shop, status, now())
    await seen(world, await world.resource("Other", interval=60), late, up=True)
    assert await told(world, late) == []
