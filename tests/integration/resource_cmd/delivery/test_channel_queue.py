"""What a channel is told when, on a real ledger, in a time of its own."""

from datetime import timedelta

import pytest

from integration.resource_cmd.delivery.conftest import OPERATOR, START
from integration.resource_cmd.evaluation.test_results import DOWN, UP
from integration.resource_cmd.evaluation.test_results import World as Results
from pinghome_common.clock import now
from pinghome_common.events.notification import State
from pinghome_common.store import no_wait
from pinghome_delivery.message import DeliveryError
from pinghome_delivery.outbox import compose, record
from resource_cmd.monitors.store import Resources

MINUTE = timedelta(minutes=1)


class Told:
    """One channel of a world, told at times that the test names, in minutes after now."""

    def __init__(self, world, channel):
        self.world, self.channel, self.begin = world, channel, now()

    def at(self, minutes):
        return self.begin + minutes * MINUTE

    async def next(self, minutes, error=None, follows=False):
        """The message of that time, delivered or not; its whats, or nothing."""
        async with self.world.db.transaction() as tx:
            rows = await self.world.queue(tx, self.channel, self.at(minutes)).next(follows=follows)
            if rows:
                await record(tx, self.world.audience(self.world.db), rows, error, self.at(minutes), gone=False)
            return [row.state.what for row in rows]

    async def due(self):
        async with self.world.db.connection() as connection:
            rows = await connection.fetch("SELECT due FROM notification WHERE open ORDER BY place")
        return [row["due"] and (row["due"] - self.begin) / MINUTE for row in rows]


@pytest.fixture
async def told(world):
    return Told(world, await world.webhook("http://127.0.0.1:1/"))


async def test_two_an_hour_alone_and_the_rest_in_a_digest_when_the_hour_is_over(world, told):
    it = await world.resource()
    for minute, what in enumerate(["down", "up", "down", "up", "down"]):
        await world.tell(it, what, at=told.at(minute), version=minute + 2)
        seen = await told.next(minute)
        assert seen == ([what] if minute < 2 else [])
    held = (await world.ledger())[2:]
    assert {each.state for each in held} == {State.held}
    assert "two notifications an hour" in held[0].reason
    assert await told.due() == [60, 60, 60]
    assert await told.next(59) == []
    assert await told.next(60) == ["down", "up", "down"]
    ledger = await world.ledger()
    assert {each.state for each in ledger} == {State.sent}
    assert "5 changes" not in compose(ledger[2:]).title
    assert compose(ledger[2:]).title == "Shop is down, after 3 changes: 2 down, 1 up"


async def test_a_target_that_flaps_for_six_hours_is_told_twice_an_hour_and_its_history_is_complete(world, told):
    """M3 of reliability.md: up and down each five minutes, from its probes to its messages."""
    it, results, noon = await world.resource(), Results(world.db), 12 * 3600
    sent = []
    for minute in range(6 * 60):
        verdict = DOWN if minute // 5 % 2 else UP
        await results.hear(("a", [(it, noon + minute * 60, verdict)]))
        if minute % 5 in (0, 3) and (said := await told.next(minute)):
            sent.append((minute, len(said)))
    sent.append((420, len(await told.next(420))))

    assert all(sum(first <= minute < first + 60 for minute, _ in sent) <= 2 for first, _ in sent)
    assert await results.history(it) == ["pending", *["up", "down"] * 36]
    ledger = await world.ledger()
    assert [each.what for each in ledger] == ["down", *["up", "down"] * 35]
    assert {each.state for each in ledger} == {State.sent}
    assert sum(count for _, count in sent) == len(ledger)


async def test_more_than_five_a_minute_are_one_summary(world, told):
    monitors = [await world.resource(f"Shop {number}") for number in range(8)]
    for it in monitors:
        await world.tell(it, "down", at=told.at(0))
    assert await told.next(0) == ["down"] * 8
    ledger = await world.ledger()
    assert len(ledger[0].covers) == 7
    summary = compose(ledger)
    assert summary.title == "8 changes of 8 monitors: 8 down"
    assert summary.text.count("\n") == 7

    late = [await world.resource(f"Late {number}") for number in range(6)]
    for it in late:
        await world.tell(it, "down", at=told.at(0.1))
    assert await told.next(0.1) == []
    assert await told.next(1) == ["down"] * 6


async def test_a_failed_attempt_is_due_later_and_holds_back_only_its_own_monitor(world, told):
    it, other = await world.resource(), await world.resource("Other")
    await world.tell(it, "down", at=told.at(0))
    assert await told.next(0, DeliveryError("no", wait=30)) == ["down"]
    await world.tell(it, "up", at=told.at(0.1), version=3)
    await world.tell(other, "down", at=told.at(0.1))
    assert await told.next(0.1) == ["down"]
    assert await told.due() == [0.5, None]  # 30 s were asked for; the other waits for the first
    assert await told.next(0.4) == []
    assert await told.next(0.5) == ["down"]
    assert await told.next(0.5) == ["up"]
    assert [each.what for each in await world.ledger()] == ["down", "up", "down"]


async def test_a_system_that_follows_gets_every_change_by_itself(world, told):
    it = await world.resource()
    await world.tell(it, *["down", "up"] * 4, at=told.at(0))
    assert [(await told.next(0.1, follows=True)) for _ in range(9)] == [["down"], ["up"]] * 4 + [[]]


async def family(world):
    parent = await world.resource("Router")
    return parent, await world.resource("Shop", parent_id=parent.id)


async def test_a_child_of_a_parent_that_is_down_is_told_when_the_parent_is_back_and_it_is_not(world, told):
    parent, child = await family(world)
    await world.becomes(parent, "down", told.at(0))
    await world.becomes(child, "down", told.at(0.1))
    await world.tell(child, "down", at=told.at(0.1))
    assert await told.next(0.2) == []
    (held,) = await world.ledger()
    assert (held.state, held.parent) == (State.held, parent.id)
    assert "Router" in held.reason
    assert await told.next(30) == []

    await world.becomes(parent, "up", told.at(31))
    assert await told.next(31.1) == []  # the child gets a look of its own first
    async with world.db.connection() as connection:
        await world.checked(connection, child, told.at(31.5))
    assert await told.next(31.6) == ["down"]
    assert (await world.ledger())[0].state is State.sent


async def test_an_outage_within_its_parents_is_not_told_and_says_why(world, told):
    parent, child = await family(world)
    await world.becomes(child, "down", told.at(0))
    await world.tell(child, "down", at=told.at(0))
    await world.becomes(parent, "unknown", told.at(0.1))
    assert await told.next(0.2) == []
    await world.becomes(child, "up", told.at(1))
    await world.tell(child, "up", at=told.at(1), version=3)
    assert await told.next(1.1) == []
    ledger = await world.ledger()
    assert [each.state for each in ledger] == [State.suppressed] * 2
    assert all("its parent Router" in each.reason for each in ledger)
    assert await told.due() == []

    await world.becomes(parent, "up", told.at(2))
    await world.becomes(child, "down", told.at(3))
    async with world.db.connection() as connection:
        await world.checked(connection, parent, told.at(3.5))
    await world.tell(child, "down", at=told.at(3), version=4)
    assert await told.next(3.6) == ["down"]


async def test_up_is_told_though_the_parent_is_down_when_down_was(world, told):
    parent, child = await family(world)
    await world.becomes(parent, "up", told.at(0))
    await world.becomes(child, "down", told.at(0.1))
    async with world.db.connection() as connection:
        await world.checked(connection, parent, told.at(0.2))
    await world.tell(child, "down", at=told.at(0.1))
    assert await told.next(0.3) == ["down"]
    await world.becomes(parent, "down", told.at(1))
    await world.becomes(child, "up", told.at(2))
    await world.tell(child, "up", at=told.at(2), version=3)
    assert await told.next(2.1) == ["up"]


async def test_a_parent_that_was_deleted_keeps_nobody_quiet(world, told):
    parent, child = await family(world)
    await world.becomes(parent, "down", told.at(0))
    await world.becomes(child, "down", told.at(0))
    await world.tell(child, "down", at=told.at(0))
    assert await told.next(0.1) == []
    async with world.db.transaction() as tx:
        store = Resources(tx, OPERATOR, no_wait, START)
        await store.remove(await store.edit(parent.id))
    assert await told.next(0.2) == ["down"]


async def test_each_message_reads_its_own_notifications_and_not_all_that_are_open(world, told):
    """With 1,000 that are under way, four other messages read a few rows each."""
    it = await world.resource()
    await world.tell(it, *["down", "up"] * 500, at=told.at(0))
    assert len(await told.next(0, DeliveryError("no", wait=30))) == 1000
    others = [await world.resource(f"Shop {number}") for number in range(4)]
    for other in others:
        await world.tell(other, "down", at=told.at(0.01))
    read = []

    class Counting:
        def __init__(self, tx):
            self._tx = tx

        def __getattr__(self, name):
            return getattr(self._tx, name)

        async def fetch(self, *args):
            rows = await self._tx.fetch(*args)
            read.append(len(rows))
            return rows

    for _ in range(5):
        async with world.db.transaction() as tx:
            rows = await world.queue(Counting(tx), told.channel, told.at(0.1)).next(follows=False)
            if rows:
                await record(tx, world.audience(world.db), rows, None, told.at(0.1), gone=False)
    assert (await world.states()).count("sent") == 4
    assert sum(read) < 50


async def delete(world, it):
    async with world.db.transaction() as tx:
        store = Resources(tx, OPERATOR, no_wait, now())
        await store.remove(await store.edit(it.id))


async def test_a_deletion_ends_what_was_to_be_told_and_says_so(world, told):
    """Retried, behind it, held, and undecided; what is about others goes on, in a digest, too."""
    it, other = await world.resource(), await world.resource("Other")
    for minute, what in enumerate(["down", "up"]):
        await world.tell(it, what, at=told.at(minute), version=minute + 2)
        assert await told.next(minute) == [what]
    await world.tell(it, "down", at=told.at(2), version=4)
    assert await told.next(2) == []  # held
    await world.tell(other, "down", at=told.at(3))
    assert await told.next(3, DeliveryError("no", wait=600)) == ["down"]  # retried in ten minutes
    await world.tell(other, "up", at=told.at(4), version=3)  # behind it

    await delete(world, it)
    await delete(world, other)
    assert await told.next(4) == []
    ledger = await world.ledger()
    assert [str(each.state) for each in ledger] == ["sent", "sent", "suppressed", "suppressed", "suppressed"]
    assert {each.reason for each in ledger[2:]} == {"what it is about was deleted"}
    assert await told.due() == []


async def test_a_digest_about_others_too_is_told_after_a_deletion(world, told):
    monitors = [await world.resource(f"Shop {number}") for number in range(8)]
    for it in monitors:
        await world.tell(it, "down", at=told.at(0))
    assert len(await told.next(0, DeliveryError("no", wait=30))) == 8
    for it in monitors[:7]:
        await delete(world, it)
    assert len(await told.next(0.5, DeliveryError("no", wait=30))) == 8
    await delete(world, monitors[7])
    assert await told.next(1.5) == []
    assert set(await world.states()) == {"suppressed"}
