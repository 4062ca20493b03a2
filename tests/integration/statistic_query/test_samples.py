"""Samples of servers on a real database: stored once, whenever they come, and read with their rates."""

import math
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from applying import apply_all
from conftest import fresh_database
from pinghome_common.clock import micros, now
from pinghome_common.db import Database
from pinghome_common.events import Event, encode
from pinghome_common.events.metric import FIELDS, Figures, MetricBatch, Sample
from pinghome_common.events.metric import encode as encode_batch
from pinghome_common.events.server_resource import Change, ServerResource, Status, Threshold
from pinghome_common.stream import Message
from statistic_query.owned import Owned
from statistic_query.partition import Partitions, Retention
from statistic_query.project import Projector
from statistic_query.servers.figures import Packed
from statistic_query.servers.points import Points
from statistic_query.servers.rollups import Rollups
from statistic_query.servers.thinning import Point

DAYS = {"sample": 8, "metric_minute": 35, "metric_hour": 400, "result": 30, "failure": 30, "ping": 30}
DAYS |= {"state_change": 400, "flip": 400}
CPU, NETWORK, USAGE = "cpu-total-usage", "network-usage-unified", "disk-usage-unified"
BEGIN = (now() - timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
TEN = 10 * SECOND


class Nobody:
    """A stream without events."""

    async def last(self, *_: str) -> None:
        return None


class Here:
    """What one test works with: a database, a projection and the worker of rollups."""

    def __init__(self, db: Database) -> None:
        self.db, self.points = db, Points(db)
        self.projector = Projector(Nobody(), Partitions(DAYS))
        self.number = 0

    async def server(self, **settings: object) -> Owned:
        it = Owned(uuid4(), now())
        await self.event(it.id, "created", 1, **settings)
        return it

    async def event(self, id_: UUID, what: str, version: int, **settings: object) -> None:
        change = settings.pop("change", Change(status=Status.pending, previous=None, at=now(), version=1))
        state = ServerResource(
            id=id_, organisation=uuid4(), service_id=uuid4(), name="web-1", change=change, created_at=now(),
            updated_at=now(), **settings,
        )  # fmt: skip
        event = Event(
            type=f"server_resource.{what}", time=now(), subject=id_, organisation=state.organisation, version=version,
            actor="test", data=state,
        )  # fmt: skip
        self.number += 1
        async with self.db.transaction() as tx:
            await apply_all(tx, self.projector.events, [Message(self.number, event.address(), encode(event))])

    async def send(self, *samples: Sample) -> None:
        async with self.db.transaction() as tx:
            await apply_all(tx, self.projector.telemetry, [self.batch(*samples)])

    def batch(self, *samples: Sample) -> Message:
        self.number += 1
        return Message(self.number, "telemetry.metric.a", encode_batch(MetricBatch(uuid4().bytes, 1, list(samples))))

    async def roll_up(self) -> None:
        watching = Rollups(self.db, Partitions(DAYS))
        watching._coarse_due = math.inf
        marked = await self.db.fetchval("SELECT EXISTS (SELECT FROM metric_mark WHERE level = 0)")
        assert await watching.due() or not marked
        worker = Rollups(self.db, Partitions(DAYS), coarse_every=0)
        async with self.db.connection() as connection:
            while await worker.round(connection):
                pass
            assert await connection.fetchval("SELECT count(*) FROM metric_mark") == 0
        assert not await watching.due()

    async def count(self, table: str) -> int:
        return await self.db.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608  # a test's own

    async def samples(self, it: Owned, type_: str = NETWORK, limit: int = 1000) -> list[Point]:
        return await self.points.samples(it, type_, BEGIN - 40 * HOUR, now() + HOUR, limit)

    async def spans(
        self, it: Owned, interval: str, type_: str = NETWORK, limit: int = 1000
    ) -> dict[datetime, dict[str, Packed]]:
        """The packed statistics of each minute, hour or day by name."""
        found = await self.points.spans(it, type_, interval, BEGIN - 40 * HOUR, now() + HOUR, limit)
        named = {name: dict(zip(found.times, column, strict=True)) for name, column in found.packed.items()}
        return {at: {name: column[at] for name, column in named.items() if column[at]} for at in found.times}

    async def counts(self, it: Owned, interval: str, type_: str = NETWORK) -> dict[datetime, int]:
        """How many samples of the host each minute, hour or day is made of."""
        rows = await self.db.fetch(
            f"SELECT at, counts[array_position(figures, n.id)] AS count FROM metric_{interval}"  # noqa: S608
            " JOIN metric_name n USING (server) WHERE server = $1 AND n.type = $2 AND n.name = '' ORDER BY at",
            it.id, type_,
        )  # fmt: skip
        return {row["at"]: row["count"] for row in rows if row["count"]}


@pytest.fixture
async def here(servers) -> AsyncIterator[Here]:
    async with Database(await fresh_database(servers, "statistic_query")) as db:
        yield Here(db)


def sample(it: Owned, at: datetime, *figures: Figures, interval: float = 10) -> Sample:
    return Sample(it.id.bytes, micros(at), micros(at) + 1_500_000, interval, list(figures))


def cpu(total: float) -> Figures:
    return Figures(CPU, "", [total, None, None, None, None])


def received(name: str, total: float) -> Figures:
    return Figures(NETWORK, name, [total, None, None, None], counter=True)


def rates(points: list[Point], name: str = "") -> list[tuple[float, float | None]]:
    return [((point.at - BEGIN) / SECOND, point.values[name][0]) for point in points if name in point.values]


async def test_figures_are_read_as_they_were_sent_and_counters_as_rates(here):
    it = await here.server()
    mount = Figures(USAGE, "/", [4e10, 1e10, 3e10, 25.0])
    for place in range(3):
        at = BEGIN + place * TEN
        await here.send(sample(it, at, cpu(place), mount, received("eth0", 1000 * place), received("eth1", 50 * place)))

    assert await here.samples(it, CPU) == [
        Point(BEGIN + place * TEN, {"": [place, None, None, None, None]}) for place in range(3)
    ]
    assert await here.samples(it, USAGE) == [Point(BEGIN + place * TEN, {"/": mount.values}) for place in range(3)]
    found = await here.samples(it)
    assert rates(found) == [(10, 105), (20, 105)]
    assert rates(found, "eth0") == [(10, 100), (20, 100)]
    assert rates(found, "eth1") == [(10, 5), (20, 5)]
    assert await here.samples(await here.server()) == []


async def test_the_same_sample_counts_once_however_often_it_is_sent(here):
    it = await here.server()
    sent = [sample(it, BEGIN + place * TEN, cpu(place)) for place in range(5)]
    await here.send(*sent, *sent)
    await here.send(*sent)
    await here.send(sample(it, BEGIN, cpu(99)))
    assert await here.count("sample") == 5
    assert [point.values[""][0] for point in await here.samples(it, CPU)] == [0, 1, 2, 3, 4]


async def test_what_was_measured_at_one_time_may_come_in_parts(here):
    it = await here.server()
    await here.send(sample(it, BEGIN, cpu(7), received("eth0", 0)), sample(it, BEGIN, received("eth1", 0)))
    await here.send(sample(it, BEGIN, Figures(CPU, "", [9, 5, None, None, None]), received("eth2", 0)))
    await here.send(sample(it, BEGIN + TEN, *(received(f"eth{number}", 100) for number in range(3))))
    assert [point.values[""] for point in await here.samples(it, CPU)] == [[7, 5, None, None, None]]
    assert [set(point.values) for point in await here.samples(it)] == [{"", "eth0", "eth1", "eth2"}]
    assert rates(await here.samples(it)) == [(10, 30)]


async def test_a_sample_that_comes_late_mends_the_rate_after_it_in_history_and_in_minutes(here):
    it = await here.server()
    sent = [sample(it, BEGIN + place * 20 * SECOND, received("eth0", total)) for place, total in
            enumerate([0, 2000, 4000, 6000, 8000])]  # fmt: skip
    late = sent.pop(2)
    await here.send(*sent)
    await here.roll_up()
    assert rates(await here.samples(it)) == [(20, 100), (80, 100)]  # 40 seconds are more than three intervals
    assert await here.counts(it, "minute") == {BEGIN: 1, BEGIN + MINUTE: 1}
    await here.send(late)
    await here.roll_up()
    assert rates(await here.samples(it)) == [(20, 100), (40, 100), (60, 100), (80, 100)]
    assert await here.counts(it, "minute") == {BEGIN: 2, BEGIN + MINUTE: 2}
    [(hour, packed)] = (await here.spans(it, "hour")).items()
    assert (hour, packed[""][0]) == (BEGIN, 100)
    assert await here.counts(it, "hour") == {BEGIN: 4}


async def test_a_reset_is_a_gap_and_never_a_negative_or_giant_rate(here):
    it = await here.server()
    for place, total in enumerate([1e12, 1e12 + 500, 20, 520]):
        await here.send(sample(it, BEGIN + place * TEN, received("eth0", total)))
    assert rates(await here.samples(it)) == [(10, 50), (30, 50)]


@pytest.mark.parametrize("number", range(3))
async def test_minutes_hours_and_days_are_what_samples_add_up_to_in_any_order(here, number):
    chance = random.Random(number)
    it, total = await here.server(), 0.0
    sent = []
    for place in range(3 * 360):
        if chance.random() < 0.9:
            total += chance.randrange(1000)
            figures = (cpu(chance.uniform(0, 100)), received("eth0", total))
            sent.append(sample(it, BEGIN - 20 * HOUR + place * TEN, *figures))
    pending = chance.sample(sent, len(sent))
    while pending:
        await here.send(*(pending.pop() for _ in range(min(chance.randrange(1, 200), len(pending)))))
        if chance.random() < 0.5:
            await here.roll_up()
    await here.roll_up()

    for type_ in (CPU, NETWORK):
        points = await here.samples(it, type_, 100_000)
        for interval, step in (("minute", MINUTE), ("hour", HOUR), ("day", 24 * HOUR)):
            spans = await here.spans(it, interval, type_)
            floors = {point.at - (point.at - datetime(1970, 1, 1, tzinfo=UTC)) % step for point in points}
            assert list(spans) == sorted(floors)
            counts = await here.counts(it, interval, type_)
            for at, packed in spans.items():
                values = [point.values[""][0] for point in points if at <= point.at < at + step]
                assert counts[at] == len(values)
                average, *others = packed[""][:: len(FIELDS[type_])]
                assert average == pytest.approx(sum(values) / len(values), abs=1e-5)
                assert others == [min(values), max(values), values[-1]]
                assert ("eth0" in packed) is (interval == "minute" and type_ == NETWORK)


@pytest.mark.parametrize("limit", [1, 2, 3, 10, 50, 399, 400])
async def test_peaks_survive_when_there_are_more_points_than_the_limit(here, limit):
    chance, it = random.Random(limit), await here.server()
    await here.send(*(sample(it, BEGIN + place * TEN, cpu(chance.uniform(10, 20))) for place in range(400)))
    await here.send(sample(it, BEGIN + 200.5 * TEN, cpu(99)), sample(it, BEGIN + 77.5 * TEN, cpu(1)))
    await here.roll_up()
    found = await here.samples(it, CPU, limit)
    assert len(found) <= limit
    assert [point.at for point in found] == sorted({point.at for point in found})
    assert found[-1].at == BEGIN + 399 * TEN
    if limit > 2:
        assert {1, 99} <= {point.values[""][0] for point in found}
    spans = await here.points.spans(it, CPU, "minute", BEGIN, now(), limit)
    assert len(spans.times) <= limit
    points = await here.samples(it, CPU)
    assert len(points) == 402
    for at, packed in zip(spans.times, spans.packed[""], strict=True):
        values = [point.values[""][0] for point in points if at <= point.at < at + spans.length]
        average, lowest, highest, _ = packed[:: len(FIELDS[CPU])]
        assert average == pytest.approx(sum(values) / len(values), abs=1e-5)
        assert (lowest, highest) == (min(values), max(values))


@pytest.mark.parametrize("interval", ["minute", "hour", "day"])
async def test_what_a_sample_did_not_have_is_none_in_every_interval(here, interval):
    it = await here.server()
    await here.send(sample(it, BEGIN, cpu(7)))
    await here.roll_up()

    [packed] = (await here.spans(it, interval, CPU)).values()

    assert list(packed[""]) == [7, None, None, None, None] * 4


async def test_deleting_a_server_deletes_its_points_and_nobody_elses(here):
    one, other = await here.server(), await here.server()
    for it in (one, other):
        for days in (0, 2):
            await here.send(sample(it, BEGIN - timedelta(days=days), cpu(5)))
    await here.roll_up()
    await here.event(one.id, "deleted", 2)
    await here.send(sample(one, BEGIN + TEN, cpu(6)))
    await here.roll_up()
    for table in ("sample", "metric_minute", "metric_hour", "metric_day"):
        assert await here.count(table) == await here.count(f"{table} WHERE server = '{other.id}'") == 2, table
    assert {row["server"] for row in await here.db.fetch("SELECT server FROM metric_name")} == {other.id}
    assert await here.count("deleted_server") == 0


async def test_samples_of_unknown_servers_or_too_old_or_ahead_are_left_out(here):
    it = await here.server()
    stranger = Owned(uuid4(), now())
    await here.send(
        sample(stranger, BEGIN, cpu(1)), sample(it, now() - timedelta(days=9), cpu(1)),
        sample(it, now() + timedelta(days=2), cpu(1)), sample(it, BEGIN, cpu(2)),
    )  # fmt: skip
    assert [point.values[""][0] for point in await here.samples(it, CPU)] == [2]
    assert await here.count("sample") == 1


async def test_what_is_too_old_goes_level_by_level(here):
    it = await here.server()
    await here.send(sample(it, BEGIN, cpu(1), received("eth0", 5)))
    await here.roll_up()
    async with here.db.connection() as connection:
        for days, left in ((9, [0, 1, 1, 1]), (36, [0, 0, 1, 1]), (401, [0, 0, 0, 1])):
            shorter = {table: max(kept - days, 0) - 2 for table, kept in DAYS.items()}
            await Retention(here.db, Partitions(shorter)).round(connection)
            tables = ("sample", "metric_minute", "metric_hour", "metric_day")
            assert [await here.count(table) for table in tables] == left
    assert await here.spans(it, "day", CPU) != {}


async def test_settings_are_those_of_the_newest_event(here):
    threshold = Threshold(type=CPU, field="total", operator="greater-than", value=90, minutes=5)
    it = await here.server(timezone="Europe/Berlin")
    await here.event(it.id, "updated", 2, timezone="Asia/Tokyo", thresholds=[threshold])
    found = await here.points.settings(it)
    assert (found.timezone, found.name, found.thresholds[0].value) == ("Asia/Tokyo", "web-1", 90)


async def test_a_batch_that_is_rolled_back_leaves_nothing(here):
    it = await here.server()
    message = here.batch(sample(it, BEGIN, cpu(1), received("eth0", 0)))
    async with here.db.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await apply_all(connection, here.projector.telemetry, [message])
        await transaction.rollback()
    assert await here.count("metric_mark") == 0
    await here.send(sample(it, BEGIN, cpu(1), received("eth0", 0)))
    await here.send(sample(it, BEGIN + TEN, cpu(2), received("eth0", 10)))
    assert rates(await here.samples(it)) == [(10, 1)]
