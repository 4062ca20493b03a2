"""Probe results on a real database: what becomes of a monitor."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from uuid import uuid4

import msgspec
import pytest

from applying import apply_all
from pinghome_common.clock import from_micros
from pinghome_common.db import Database
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.events.probe import Phases, ProberSign, Result, Results, Verdict
from pinghome_common.store import Actor, no_wait
from pinghome_common.stream import Message
from resource_cmd.evaluation.deadlines import STALE_EVERY, DeadlineWorker
from resource_cmd.evaluation.telemetry import TelemetryConsumer, judge
from resource_cmd.monitors import resource
from resource_cmd.monitors.store import Resources

AT = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp()) * MICRO
OPERATOR = Actor("test")


class World:
    """Monitors each 60 s, probed from two regions; times are seconds after `AT`."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.seq = 0
        self.skew: dict[str, int] = {}
        """Seconds by which the clock of a region's prober is wrong."""

    async def add(self, *, regions=("a",), **settings):
        settings = {"name": "shop", "type": "http", "service_id": uuid4(), "regions": list(regions), **settings}
        it = resource.create(uuid4(), uuid4(), settings, from_micros(AT))
        async with self.db.transaction() as tx:
            await Resources(tx, OPERATOR, no_wait, from_micros(AT)).add(it)
        return it

    async def hear(self, *batches, received: int | None = None) -> None:
        """One batch of messages; each is (region, [(monitor, seconds, verdict)]), `received` when the broker got it."""
        messages = []
        receipt = 0 if received is None else AT + received * MICRO
        for region, results in batches:
            self.seq += 1
            found = [
                Result(
                    resource=it.id, slot=AT + at * MICRO, checked_at=AT + (at + self.skew.get(region, 0)) * MICRO + 7,
                    interval=60, verdict=verdict,
                    phases=Phases(total=1.0), error="" if verdict is Verdict.up else "refused the connection",
                )
                for it, at, verdict in results
            ]  # fmt: skip
            data = msgspec.msgpack.encode(Results(batch=uuid4(), region=region, results=found))
            messages.append(Message(self.seq, f"telemetry.result.{region}", data, at=receipt))
        async with self.db.transaction() as tx:
            await apply_all(tx, TelemetryConsumer(60, 30).apply, messages)

    async def history(self, it) -> list[str]:
        """Every status that the monitor has had."""
        async with self.db.connection() as connection:
            rows = await connection.fetch(
                "SELECT convert_from(body, 'utf8')::jsonb->'data'->'change'->>'status' AS status FROM events"
                " WHERE aggregate = $1 AND convert_from(body, 'utf8')::jsonb->>'type' <> 'resource.regions-changed'"
                " ORDER BY version",
                it.id,
            )
            return [row["status"] for row in rows]


@pytest.fixture
async def world(commands: str) -> AsyncIterator[World]:
    async with Database(commands) as db:
        yield World(db)


UP, DOWN, ERROR = Verdict.up, Verdict.target_fail, Verdict.probe_error


async def test_up_down_up(world):
    it = await world.add()
    for at, verdict in ((0, UP), (60, UP), (120, DOWN), (180, DOWN), (240, UP)):
        await world.hear(("a", [(it, at, verdict)]))
    assert await world.history(it) == ["pending", "up", "down", "up"]


async def test_what_was_missed_during_our_own_outage_is_judged_in_its_order(world):
    it = await world.add()
    await world.hear(*[("a", [(it, at, verdict)]) for at, verdict in ((0, UP), (60, DOWN), (120, UP))])
    assert await world.history(it) == ["pending", "up", "down", "up"]


async def test_duplicates_and_older_results_change_nothing(world):
    it = await world.add()
    await world.hear(("a", [(it, 60, UP)]))
    await world.hear(("a", [(it, 60, DOWN)]))
    await world.hear(("a", [(it, 0, DOWN)]))
    assert await world.history(it) == ["pending", "up"]


async def test_a_quorum_of_regions_decides(world):
    it = await world.add(regions=("a", "b"))
    await world.hear(("a", [(it, 0, UP)]), ("b", [(it, 0, UP)]))
    await world.hear(("a", [(it, 60, DOWN)]))
    assert await world.history(it) == ["pending", "up"]
    await world.hear(("b", [(it, 61, DOWN)]))
    assert await world.history(it) == ["pending", "up", "down"]


async def test_our_own_errors_are_nobodys_down(world):
    it = await world.add()
    await world.hear(("a", [(it, 0, UP)]))
    await world.hear(("a", [(it, 60, ERROR)]))
    assert await world.history(it) == ["pending", "up", "unknown"]


async def test_results_of_a_monitor_that_is_gone_are_left_out_and_others_are_judged(world):
    gone, it = await world.add(name="gone"), await world.add()
    async with world.db.transaction() as tx:
        store = Resources(tx, OPERATOR, no_wait, from_micros(AT))
        await store.remove(await store.edit(gone.id))
    await world.hear(("a", [(gone, 0, DOWN), (it, 0, DOWN)]))
    assert await world.history(it) == ["pending", "down"]
    assert await world.history(gone) == ["pending", "pending"]


async def test_a_region_that_reports_late_is_judged_by_what_the_others_have_said_since(world):
    it = await world.add(regions=("a", "b", "c"))
    await world.hear(*((region, [(it, 0, UP)]) for region in "abc"))
    await world.hear(*((region, [(it, 600, UP)]) for region in "ab"))
    await world.hear(("c", [(it, at, DOWN) for at in (60, 120, 180)]))
    assert await world.history(it) == ["pending", "up"]


async def test_what_was_seen_before_the_last_change_does_not_change_the_present(world):
    it = await world.add()
    await world.hear(("a", [(it, 0, UP)]))
    async with world.db.transaction() as tx:
        await judge(tx, [it.id], {it.id: AT + 300 * MICRO}, 60)
    assert await world.history(it) == ["pending", "up", "unknown"]
    await world.hear(("a", [(it, 60, DOWN), (it, 120, DOWN)]))
    assert await world.history(it) == ["pending", "up", "unknown"]
    await world.hear(("a", [(it, 360, UP)]))
    assert await world.history(it) == ["pending", "up", "unknown", "up"]


async def test_what_a_region_saw_without_its_link_changes_nothing_of_the_present(world):
    it = await world.add()
    await world.hear(("a", [(it, 0, UP)]), received=1)
    async with world.db.transaction() as tx:
        await judge(tx, [it.id], {it.id: AT + 131 * MICRO}, 60)
    await world.hear(("a", [(it, at, DOWN) for at in (60, 120, 180, 240, 300, 360, 420, 480)]), received=620)
    assert await world.history(it) == ["pending", "up", "unknown"]
    await world.hear(("a", [(it, 600, UP)]), received=621)
    assert await world.history(it) == ["pending", "up", "unknown", "up"]


async def test_what_a_region_reports_after_a_short_cut_counts(world):
    it = await world.add()
    await world.hear(("a", [(it, 0, UP)]), received=1)
    await world.hear(("a", [(it, 60, UP), (it, 120, DOWN)]), received=240)
    assert await world.history(it) == ["pending", "up", "down"]


@pytest.mark.parametrize("seed", range(12))
async def test_repeated_and_overtaken_results_change_nothing(world, seed):
    """The same story, told once and told with everything repeated up to three times at any later moment."""
    rng = Random(seed)
    story = [(region, at, rng.choice([UP, UP, UP, DOWN, ERROR])) for at in range(0, 900, 60) for region in "abc"]
    clean, muddled = (
        await world.add(regions="abc", grace_period=seed % 3),
        await world.add(name="again", regions="abc", grace_period=seed % 3),
    )
    for region, at, verdict in story:
        await world.hear((region, [(clean, at, verdict)]))
    said = []
    for tale in story:
        said.append(tale)
        repeated = rng.sample(said, min(len(said), rng.randint(0, 3)))
        batches = [(region, [(muddled, at, verdict)]) for region, at, verdict in (tale, *repeated)]
        await world.hear(*batches)
    assert await world.history(muddled) == await world.history(clean)


@pytest.mark.parametrize("skew", [3600, 300, -300, -3600])
async def test_a_prober_whose_clock_is_wrong_has_one_vote_like_any_other(world, skew):
    world.skew["c"] = skew
    it = await world.add(regions=("a", "b", "c"))
    for at in (0, 60, 120):
        await world.hear(*((region, [(it, at, UP)]) for region in "ab"), ("c", [(it, at, DOWN)]))
    assert await world.history(it) == ["pending", "up"]
    for at in (180, 240):
        await world.hear(("a", [(it, at, UP)]), *((region, [(it, at, DOWN)]) for region in "bc"))
    assert await world.history(it) == ["pending", "up", "down"]
    await world.hear(*((region, [(it, 300, UP)]) for region in "abc"))
    assert await world.history(it) == ["pending", "up", "down", "up"]


async def test_region_that_fails_alone_is_told_once_it_has_for_two_intervals_and_when_it_is_well_again(world):
    it = await world.add(regions=("a", "b", "c"))

    async def told() -> list[list[str]]:
        rows = await world.db.fetch(
            "SELECT convert_from(body, 'utf8')::jsonb->'data'->'failing_regions' AS regions FROM events"
            " WHERE aggregate = $1 ORDER BY version",
            it.id,
        )
        return [msgspec.json.decode(row["regions"]) for row in rows]

    for minute in range(12):
        verdict = DOWN if minute == 2 or 4 <= minute < 8 else UP  # the first one is a blip
        await world.hear(*[(region, [(it, 60 * minute, verdict if region == "a" else UP)]) for region in "abc"])
    assert await world.history(it) == ["pending", "up"]
    assert await told() == [[], [], ["a"], []]
    assert not await world.db.fetchval("SELECT degraded FROM resource WHERE id = $1", it.id)
    for minute in range(12, 16):
        verdicts = {"a": DOWN, "b": DOWN if minute == 15 else UP, "c": UP}
        await world.hear(*[(region, [(it, 60 * minute, verdicts[region])]) for region in "abc"])
    assert await world.history(it) == ["pending", "up", "down"]
    assert (await told())[-2:] == [["a"], []]


@pytest.mark.parametrize(("silent_since", "unknown_after"), [(None, 131), (10, 109)], ids=["one monitor", "the region"])
async def test_monitor_of_a_region_that_is_cut_off_is_unknown_within_two_intervals(world, silent_since, unknown_after):
    it = await world.add()
    await world.hear(("a", [(it, 0, UP)]))
    sweeper = DeadlineWorker(world.db, lambda: None, 60)
    seen = {}
    for second in [*range(0, 100, 10), *range(100, 150)]:
        async with world.db.connection() as connection:
            if second % 10 == 0 and (silent_since is None or second <= silent_since):
                sign = msgspec.msgpack.encode(ProberSign(name="one", version="0.1.0", monitors=1))
                at = AT + second * MICRO
                await apply_all(
                    connection, TelemetryConsumer(60, 30).apply, [Message(second, "telemetry.prober.a", sign, at=at)]
                )
            sweeper._turn = second % STALE_EVERY
            await sweeper._judge_silence(connection, AT + second * MICRO, 0)
        seen.setdefault((await world.history(it))[-1], second)
    assert seen["up"] == 0
    assert unknown_after <= seen["unknown"] < unknown_after + STALE_EVERY
    if silent_since is not None:
        assert seen["unknown"] == unknown_after  # the look is each second then
