"""States of servers on a real database: heard, silent, rebooted, and how far our own hearing vouches for it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from integration.resource_cmd.evaluation.test_silence import AT, BOOT, World
from pinghome_common.clock import from_micros
from pinghome_common.containment import contained
from pinghome_common.db import Database
from pinghome_common.events.heartbeat import MICRO
from pinghome_common.events.metric import Agent, Figures, MetricBatch, Sample, encode
from pinghome_common.events.server_resource import ServerResource, Threshold
from pinghome_common.items import read
from pinghome_common.store import Actor, no_wait
from pinghome_common.stream import Message
from resource_cmd.evaluation.telemetry import TelemetryConsumer
from resource_cmd.servers import server_resource
from resource_cmd.servers.runtime_state import lock_runtime
from resource_cmd.servers.store import Servers

TEST = Actor("test")
CPU = Threshold(type="cpu-total-usage", field="total", operator="greater-than", value=90.0, minutes=1)


class ServerWorld(World):
    """One server whose agent sends each 10 s: it is down 50 s after its last sample. Times are seconds after `AT`."""

    async def sample(self, at: float, received: float | None = None, *, interval: float = 10, **more: Any) -> None:
        self.number += 1
        received = at if received is None else received
        agent = more.pop("agent", None)
        figures = [Figures("cpu-total-usage", "", [more.pop("cpu", 5.0), None, None, None, None])]
        sample = Sample(
            self.it.id.bytes, AT + int(at * MICRO), AT + int(received * MICRO), interval, figures, agent=agent
        )
        await self.hear("telemetry.metric.gateway-1", encode(MetricBatch(BOOT.bytes, self.number, [sample])))

    async def server(self) -> ServerResource:
        async with self.db.connection() as connection:
            state = await connection.fetchval("SELECT state FROM server_resource WHERE id = $1", self.it.id)
        return msgspec.json.decode(state, type=ServerResource)

    async def state(self) -> str:
        return (await self.server()).change.status.value

    async def change(self) -> tuple[str, str, float, str]:
        it = (await self.server()).change
        return it.status.value, it.previous.value, (it.at - from_micros(AT)).total_seconds(), it.reason

    async def runtime(self) -> Any:
        async with self.db.transaction() as tx:
            return (await lock_runtime(tx, [self.it.id]))[self.it.id]

    async def edit(self, at: float, **settings: Any) -> None:
        now = from_micros(AT + int(at * MICRO))
        async with self.db.transaction() as tx:
            store = Servers(tx, TEST, no_wait, now)
            row = await store.edit(self.it.id)
            row.state = server_resource.edit(row.state, settings, row.version + 1, now)
            await store.save(row)

    async def kinds(self) -> list[str]:
        """What its events are."""
        return [msgspec.json.decode(each)["type"].removeprefix("server_resource.") for each in await self.events()]

    async def passes(self, at: float) -> None:
        """A second in which the gateway says that all is heard until then."""
        await self.tick(at, at - 1000)
        await self.sweep(at)


async def server(db: Database, **settings: Any) -> ServerResource:
    made = from_micros(AT - 100 * MICRO)
    settings = {"name": "web-1", "service_id": uuid4(), "interval": 60, **settings}
    it = server_resource.create(uuid4(), settings.pop("organisation", uuid4()), settings, made)
    async with db.transaction() as tx:
        await Servers(tx, TEST, no_wait, made).add(it)
    return it


@pytest.fixture
async def world(commands: str) -> AsyncIterator[ServerWorld]:
    async with Database(commands) as db:
        yield ServerWorld(db, await server(db, reboot_alert=True, thresholds=[CPU]))


async def test_a_new_server_is_pending_until_it_is_heard_however_long_that_takes(world):
    await world.passes(9999)
    assert await world.state() == "pending"
    await world.sample(9999)
    assert await world.change() == ("up", "pending", 9999, "")


async def test_a_server_that_falls_silent_is_down_at_its_time_and_up_with_its_next_sample(world):
    await world.sample(0)
    await world.passes(49.9)
    assert await world.state() == "up"
    await world.passes(50)
    said = "nothing was received since 2026-11-21 00:00:00 UTC"
    assert await world.change() == ("down", "up", 50, said)
    await world.passes(90)
    await world.sample(100)
    assert await world.change() == ("up", "down", 100, "")
    assert await world.kinds() == ["created", *["status-changed"] * 3]


async def test_the_interval_of_the_server_counts_where_its_client_names_none(world):
    await world.sample(0, interval=0)
    await world.passes(149)
    assert await world.state() == "up"
    await world.passes(150)
    assert await world.state() == "down"


async def test_samples_make_no_events(world):
    for at in range(0, 500, 10):
        await world.sample(at)
        await world.passes(at + 1)
    assert len(await world.events()) == 2
    assert (await world.runtime()).seen_at == AT + 490 * MICRO


async def test_a_sample_that_was_measured_long_ago_is_a_sign_of_life_but_breaks_no_threshold(world):
    await world.sample(0)
    for late in range(-7200, -3600, 10):
        await world.sample(late, received=40, cpu=99)
    await world.passes(89)
    it = await world.server()
    assert (it.change.status, it.thresholds[0].breached_since) == ("up", None)
    await world.passes(90)
    assert await world.state() == "down"


async def test_a_receipt_from_before_it_went_down_does_not_raise_it(world):
    await world.sample(0)
    await world.passes(60)
    await world.sample(30, received=45)
    assert await world.state() == "down"
    await world.sample(61)
    assert await world.state() == "up"


async def test_without_a_gateways_word_silence_means_nothing(world):
    await world.sample(0)
    await world.sweep(9999)
    assert await world.state() == "up"


async def test_a_server_is_unknown_where_nobody_listened_and_has_its_time_again_after_that(world):
    await world.sample(0)
    await world.tick(1)
    await world.tick(600, since=590)
    await world.sweep(600)
    assert await world.change() == ("unknown", "up", 50, "nothing could be received for a time")
    await world.passes(639)
    assert await world.state() == "unknown"
    await world.passes(640)
    assert (await world.change())[:3] == ("down", "unknown", 640)


async def test_a_server_that_is_heard_after_a_restart_was_never_down(world):
    await world.sample(0)
    await world.tick(1)
    await world.tick(600, since=590)
    await world.sample(601)
    await world.passes(602)
    assert (await world.change())[:3] == ("up", "unknown", 601)


async def test_a_short_absence_of_the_gateway_changes_nothing(world):
    await world.sample(0)
    await world.tick(1)
    await world.tick(30, since=29)
    await world.sample(31)
    await world.passes(80)
    assert len(await world.events()) == 2


async def test_a_reboot_is_an_entry_of_its_own_and_no_outage(world):
    await world.sample(0, agent=Agent(boot_time=AT / 1e6 - 5000))
    await world.sample(10, agent=Agent(boot_time=AT / 1e6 - 5000 + 59))  # noise
    assert len(await world.events()) == 2
    await world.sample(50, agent=Agent(boot_time=AT / 1e6 + 30))
    await world.passes(60)
    assert await world.change() == ("up", "up", 50, "rebooted at 2026-11-21 00:00:30 UTC")
    assert (await world.server()).down_since is None


async def test_a_reboot_that_took_long_is_an_outage_that_says_so(world):
    await world.sample(0, agent=Agent(boot_time=AT / 1e6 - 5000))
    await world.passes(60)
    await world.sample(70, agent=Agent(boot_time=AT / 1e6 + 30))
    assert await world.change() == ("up", "down", 70, "rebooted at 2026-11-21 00:00:30 UTC")


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("step", [-3600.0, 3600.0])
async def test_setting_the_clock_of_a_server_is_no_reboot(world, step, cached):
    boot = AT / 1e6 - 50_000
    await world.sample(0, agent=Agent(boot_time=boot, clock_skew_seconds=0.0))
    await world.sample(10, agent=Agent(boot_time=boot + (0 if cached else step), clock_skew_seconds=step))
    assert len(await world.events()) == 2


async def test_a_boot_time_that_cannot_be_is_ignored(world):
    await world.sample(0, agent=Agent(boot_time=AT / 1e6 - 5000))
    for boot, skew in (
        (253402300799.0, 0.0),
        (AT / 1e6 + 900, 0.0),
        (1e9, -2.5e11),
        (1e9, 2.5e11),
        (-62135596800.0, 0),
    ):
        await world.sample(10, agent=Agent(boot_time=boot, clock_skew_seconds=skew))
    assert len(await world.events()) == 2


async def test_a_paused_server_is_heard_but_not_judged(world):
    await world.sample(0)
    await world.edit(1, enabled=False)
    await world.passes(60)
    await world.sample(100, cpu=99, agent=Agent(boot_time=AT / 1e6 - 9))
    await world.sample(170, cpu=99, agent=Agent(boot_time=AT / 1e6 + 160))
    await world.passes(300)
    assert await world.change() == ("paused", "up", 1, "")
    assert (await world.runtime()).seen_at == AT + 170 * MICRO
    assert (await world.server()).thresholds[0].breached_since is None

    await world.edit(400, enabled=True)
    await world.passes(500)
    assert await world.state() == "pending"
    await world.sample(501)
    assert await world.state() == "up"


async def test_a_threshold_is_broken_and_cleared_and_changes_no_state(world):
    for at in range(0, 70, 10):
        await world.sample(at, cpu=97)
    it = await world.server()
    assert (it.change.status, it.thresholds[0].breached_since) == ("up", from_micros(AT))
    await world.passes(200)  # silence leaves it as it is
    assert (await world.server()).thresholds[0].breached_since == from_micros(AT)
    for at in range(300, 370, 10):
        await world.sample(at, cpu=7)
    assert (await world.server()).thresholds[0].breached_since is None
    assert await world.kinds() == [
        "created", "status-changed", "threshold-broken", "status-changed", "status-changed", "threshold-cleared",
    ]  # fmt: skip


@pytest.mark.parametrize("skew", [-7200.0, 200.0])
async def test_a_server_whose_clock_is_wrong_has_its_thresholds_judged(world, skew):
    for at in range(0, 70, 10):
        await world.sample(at + skew, received=at, cpu=97, agent=Agent(clock_skew_seconds=skew))
    assert (await world.server()).thresholds[0].breached_since == from_micros(AT)


async def test_a_sample_that_cannot_be_applied_takes_no_other_with_it(world):
    bad = await server(world.db, name="bad")
    samples = [Sample(id_.bytes, AT, AT, 10, [Figures("cpu-total-usage", "", [5.0])]) for id_ in (bad.id, world.it.id)]
    async with world.db.transaction() as tx:
        await tx.execute("UPDATE server_resource SET state = '{}' WHERE id = $1", bad.id)
    message = Message(1, "telemetry.metric.gateway-1", encode(MetricBatch(BOOT.bytes, 1, samples)))
    async with world.db.transaction() as tx:
        failed = await contained(tx, read(message).items, TelemetryConsumer(60, 30).apply)
    assert [item.index for item, _ in failed] == [0]
    assert await world.state() == "up"
