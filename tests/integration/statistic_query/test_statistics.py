"""Results on a real database: what statistics say of them is what they add up to."""

import math
import random
import shutil
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

import statistic_query
from applying import apply_all
from conftest import fresh_database
from pinghome_common import migrate
from pinghome_common.clock import micros, now
from pinghome_common.db import Database
from pinghome_common.events.probe import Phases, Result, Results, Verdict
from pinghome_common.stream import Message
from statistic_query import latency, rollup
from statistic_query.buckets import Buckets
from statistic_query.owned import Owned
from statistic_query.partition import Partitions
from statistic_query.project import Projector
from statistic_query.read import VERDICTS, Read
from statistic_query.window import MONDAY, Window

ORGANISATION, RESOURCE = uuid4(), uuid4()
ADDRESSES = ["192.0.2.1", "2001:db8::1", ""]
HOUR = timedelta(hours=1)
CREATED = now().replace(minute=7, second=30, microsecond=0) - 70 * HOUR
KINDS = [(Verdict.up, 200), (Verdict.up, 200), (Verdict.target_fail, 500), (Verdict.target_fail, None)]
KINDS += [(Verdict.probe_error, None), (Verdict.blocked, None)]
KNOWN = (Verdict.up, Verdict.target_fail)


class Nobody:
    """A stream without events."""

    async def last(self, *_: str) -> None:
        return None


def results(number: int) -> list[tuple[str, Result]]:
    """Of two regions, every 23 minutes from the monitor's creation until now."""
    chance, found = random.Random(number), []
    slot = CREATED
    while slot < now():
        for region in ("a", "b"):
            verdict, status = chance.choice(KINDS)
            total, late = round(chance.uniform(1, 900), 2), chance.randrange(900_000)
            said = {"tolerated": ["x", "y"]} if chance.random() < 0.2 else {}
            if verdict is not Verdict.up:
                said |= {"error": "e", "condition": "c", "excerpt": f"said {total}"}
            found.append(
                (
                    region,
                    Result(
                        resource=RESOURCE, slot=micros(slot), checked_at=micros(slot) + late, interval=1380,
                        verdict=verdict, status_code=status, phases=Phases(total=total),
                        address=chance.choice(ADDRESSES), **said,
                    ),
                )
            )  # fmt: skip
        slot += timedelta(minutes=23)
    return found


def message(number: int, region: str, *found: Result) -> Message:
    data = msgspec.msgpack.encode(Results(batch=uuid4(), region=region, results=list(found)))
    return Message(number, f"telemetry.result.{region}", data)


@pytest.fixture(scope="session")
async def statistics(servers) -> str:
    """The URL of a database with the service's tables."""
    return await fresh_database(servers, "statistic_query")


@pytest.fixture
async def db(statistics: str) -> AsyncIterator[Database]:
    async with Database(statistics) as db:
        async with db.connection() as connection:
            await connection.execute("TRUNCATE monitor, series, result, failure, result_day, latency_day, address")
            await connection.execute(
                "INSERT INTO monitor VALUES ($1, 'resource', $2, 1, $3)", RESOURCE, ORGANISATION, CREATED
            )
        yield db


async def stored(db: Database, number: int = 1) -> list[Result]:
    """Results that were projected in batches, some of them twice."""
    projector = Projector(Nobody(), Partitions({"result": 30, "failure": 30, "ping": 30}))
    found = results(number)
    messages = [message(place, region, result) for place, (region, result) in enumerate(found)]
    for begin in range(0, len(messages), 50):
        async with db.transaction() as tx:
            await apply_all(tx, projector.telemetry, messages[max(begin - 20, 0) : begin + 50])
    return [result for _, result in found]


def shown(*counts: Iterable[float]) -> list[tuple[float | None, ...]]:
    """The average, shortest and longest time of some spans, as clients see them."""
    return [tuple(it.values())[:3] for it in msgspec.json.decode(msgspec.json.encode(Buckets.of(counts).times()))]


def counted(found: list[Result], begin: datetime, end: datetime) -> tuple[object, ...]:
    """Checks, failures, timed, and the average, shortest and longest time."""
    told = [it for it in found if micros(begin) <= it.slot < micros(end) and it.verdict in ("up", "target_fail")]
    times = [it.phases.total for it in told if it.verdict is Verdict.up or it.status_code]
    figures = (sum(times) / len(times), min(times), max(times)) if times else (None,) * 3
    failures = sum(it.verdict is Verdict.target_fail for it in told)
    return len(told), failures, *(value and pytest.approx(value, abs=2e-3) for value in figures)


@pytest.mark.parametrize(
    ("interval", "hours", "end"),
    [
        ("minute", 5, timedelta(minutes=13)),
        ("hour", 50, timedelta()),
        ("hour", 50, timedelta(hours=2)),
        ("3h", 40, timedelta()),
        ("day", 60, timedelta()),
        ("week", 60, timedelta()),
        ("month", 60, timedelta()),
    ],
)
async def test_buckets_are_what_their_results_add_up_to(db, interval, hours, end):
    found = await stored(db)
    window = Window(now() - end - hours * HOUR, now() - end, interval)
    async with db.connection() as connection:
        _, _, begins, counts = await Read(connection, ORGANISATION).statistics(RESOURCE, window, 1000)
    buckets = counts.buckets(begins, [None] * len(begins))
    assert [bucket.received_at for bucket in buckets] == window.newest(1000)
    for bucket, times in zip(buckets, shown(*zip(*counts, strict=True)), strict=True):
        begin, until = bucket.received_at, window.after(bucket.received_at)
        if interval == "minute":
            begin, until = max(begin, window.start), min(until, window.end)
        assert (bucket.checks, bucket.failures, *times) == counted(found, begin, until), begin


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (CREATED, now()),
        (CREATED + timedelta(hours=3, minutes=20), now()),
        (CREATED, CREATED + timedelta(hours=30, minutes=40)),
        (CREATED + timedelta(minutes=20), CREATED + timedelta(minutes=40)),
        (CREATED + timedelta(hours=3, minutes=20), CREATED + timedelta(hours=4)),
        (CREATED + timedelta(hours=3), CREATED + timedelta(hours=40)),
        (now() - timedelta(minutes=25), now()),
    ],
)
async def test_a_window_is_what_its_results_add_up_to(db, start, end):
    found = await stored(db, 2)
    end = now() if end > now() - timedelta(minutes=5) else end
    async with db.connection() as connection:
        sums = await Read(connection, ORGANISATION).sums(Owned(RESOURCE, CREATED), Window(start, end, "hour"))
    assert (*sums[:2], *shown(sums)[0]) == counted(found, start, end)


def percentile(times: list[float], part: float) -> object:
    return pytest.approx(sorted(times)[math.ceil(part * len(times)) - 1], rel=0.026) if times else None


@pytest.mark.parametrize("interval", ["minute", "hour", "3h", "12h", "day", "week", "month"])
@pytest.mark.parametrize("end", [timedelta(), timedelta(hours=20)])
async def test_percentiles_are_those_of_the_results_in_all_and_by_region(db, interval, end):
    found = await stored(db, 7)
    regions = {id(result): region for (region, _), result in zip(results(7), found, strict=True)}
    window = Window(CREATED - HOUR, now() - end, interval)
    begins = window.newest(200)
    async with db.connection() as connection:
        read = await Read(connection, ORGANISATION).spreads(Owned(RESOURCE, CREATED), window, begins)
    hour = Window(window.start, window.end, "hour")
    spans = {None: (hour.floor(window.start), hour.after(hour.floor(window.end - timedelta(microseconds=1))))}
    spans |= {place: (begin, window.after(begin)) for place, begin in enumerate(begins)}
    assert set(read) == {"a", "b"}
    for region, spreads in [*read.items(), (None, latency.together(read.values()))]:
        for place, (begin, until) in spans.items():
            it = spreads.summary if place is None else spreads.buckets.get(place, latency.Latency())
            told = [each for each in found if region in (None, regions[id(each)]) and each.verdict in KNOWN
                    and micros(begin) <= each.slot < micros(until)]  # fmt: skip
            times = [each.phases.total for each in told if each.verdict is Verdict.up or each.status_code]
            assert (it.checks, it.failures, it.timed) == (
                len(told), sum(each.verdict is Verdict.target_fail for each in told), len(times)
            )  # fmt: skip
            shown = msgspec.json.decode(msgspec.json.encode(it.times()))
            assert [shown[name] for name in ("p50", "p95", "p99")] == [percentile(times, p) for p in (0.5, 0.95, 0.99)]


async def test_histograms_count_once_what_comes_twice_and_go_with_their_monitor(db):
    await stored(db, 3)
    rows = await db.fetch("SELECT series, sum(checks) AS checks, sum(timed) AS timed FROM latency_day GROUP BY 1")
    there = await db.fetch(
        "SELECT series, count(*) AS checks, count(*) FILTER (WHERE verdict = 0 OR status_code IS NOT NULL) AS timed"
        " FROM result WHERE verdict < 2 GROUP BY 1"
    )
    assert sorted(map(tuple, rows)) == sorted(map(tuple, there))
    await db.fetch("DELETE FROM series WHERE resource = $1", RESOURCE)
    assert await db.fetchval("SELECT count(*) FROM latency_day") == 0


@pytest.mark.parametrize("interval", ["minute", "hour", "12h", "day", "week", "month", "30d"])
async def test_there_are_no_buckets_from_before_a_monitor_was_created(db, interval):
    async with db.connection() as connection:
        read = Read(connection, ORGANISATION)
        window = Window(MONDAY, CREATED + timedelta(minutes=5), interval)
        _, _, begins, counts = await read.statistics(RESOURCE, window, 1000)
        before = Window(MONDAY, CREATED - timedelta(seconds=1), interval)
        _, _, *nothing = await read.statistics(RESOURCE, before, 1000)
    assert begins[0] == window.floor(CREATED)
    assert len(begins) == (6 if interval == "minute" else 1)
    assert len(counts.checks) == len(begins)
    assert nothing == [[], Buckets()]


async def rolled_up(db: Database, resource: UUID = RESOURCE) -> dict[date, bytes]:
    async with db.connection() as connection:
        rows = await connection.fetch("SELECT day, hours FROM result_day WHERE resource = $1", resource)
    return {row["day"]: row["hours"] for row in rows}


@pytest.mark.parametrize("number", range(5))
async def test_results_that_come_late_and_in_any_order_and_twice_are_counted_once_in_their_hours(db, number):
    chance, found = random.Random(number), results(number)
    messages = [message(place, region, result) for place, (region, result) in enumerate(found)]
    chance.shuffle(messages)
    messages += chance.sample(messages, 20)
    projector = Projector(Nobody(), Partitions({"result": 30, "failure": 30, "ping": 30}))
    while messages:
        batch = [messages.pop() for _ in range(min(chance.randrange(1, 80), len(messages)))]
        async with db.transaction() as tx:
            await apply_all(tx, projector.telemetry, batch)

    first = CREATED.replace(minute=0, second=0)
    begins = Window(first, now(), "hour").newest(1000)
    hours = rollup.hours(await rolled_up(db), first, begins[-1] + HOUR)
    for begin, *counts in zip(begins, *hours, strict=True):
        expected = counted([result for _, result in found], begin, begin + HOUR)
        assert (*counts[:2], *shown(counts)[0]) == expected, begin


async def test_a_batch_that_is_rolled_back_leaves_the_hours_as_they_were(db):
    found = await stored(db)
    before = await rolled_up(db)
    projector = Projector(Nobody(), Partitions({"result": 30, "failure": 30, "ping": 30}))
    late = message(1, "c", *found[::2])
    async with db.connection() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await apply_all(connection, projector.telemetry, [late])
        await transaction.rollback()
    assert await rolled_up(db) == before
    async with db.transaction() as tx:
        await apply_all(tx, projector.telemetry, [late])
    assert await rolled_up(db) != before


INTO_HOURS = "INSERT INTO result_hour VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
INTO_DAYS = "INSERT INTO result_day VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"


async def test_hours_from_before_they_were_packed_are_carried_over(servers, tmp_path):
    url, migrations = await servers.create_database("test_hours"), Path(statistic_query.__file__).parent / "migrations"
    before = shutil.copytree(migrations, tmp_path / "migrations")
    for path in (before / "versions").glob("*.py"):
        if path.name >= "0006":
            path.unlink()
    await migrate.upgrade((url, before))
    at = datetime(2026, 11, 20, 22, tzinfo=UTC)
    of_hours = [
        (RESOURCE, at, 60, 1, 59, 2500.25, 20.1234, 99.9),
        (RESOURCE, at + HOUR, 3, 3, 0, 0.0, None, None),
        (RESOURCE, at + 2 * HOUR, 1, 0, 1, 7.5, 7.5, 7.5),
        (ORGANISATION, at, 2, 0, 2, 4.0, 1.0, 3.0),
    ]
    of_days = [
        (RESOURCE, at - 22 * HOUR, 63, 4, 59, 2500.25, 20.1234, 99.9),
        (RESOURCE, at + 2 * HOUR, 1, 0, 1, 7.5, 7.5, 7.5),
        (ORGANISATION, at - 22 * HOUR, 2, 0, 2, 4.0, 1.0, 3.0),
    ]
    async with Database(url) as db:
        async with db.connection() as connection:
            await connection.execute("SET timezone = 'Asia/Tokyo'")  # days are UTC's whatever a session says
            for statement, rows in ((INTO_HOURS, of_hours), (INTO_DAYS, of_days)):
                await connection.executemany(statement, rows)
        await migrate.upgrade((url, migrations))
        days = await rolled_up(db)
        hours = rollup.hours(days, at - HOUR, at + 4 * HOUR)
        other = rollup.hours(await rolled_up(db, ORGANISATION), at, at + HOUR)
        async with db.connection() as connection:
            kind = await connection.fetchval("SELECT relkind FROM pg_class WHERE relname = 'result_hour'")
            assert kind == b"v"  # a view, no longer a table
    sums = rollup.sums({day: packed[-36:] for day, packed in days.items()}, at - 22 * HOUR, at + 26 * HOUR)
    assert list(zip(*sums, strict=True)) == [(63, 4, 59, 2500.25, 20.123, 99.9), (1, 0, 1, 7.5, 7.5, 7.5)]
    assert hours.checks == [0, 60, 3, 1, 0]
    assert hours.failures == [0, 1, 3, 0, 0]
    assert shown(*zip(*hours, strict=True)) == [
        (None, None, None), (42.377, 20.123, 99.9), (None, None, None), (7.5, 7.5, 7.5), (None, None, None),
    ]  # fmt: skip
    assert other.together() == (2, 0, 2, 4.0, 1.0, 3.0)


async def test_results_of_a_deleted_monitor_leave_nothing_behind(db):
    async with db.connection() as connection:
        await connection.execute("DELETE FROM monitor")
    await stored(db)
    async with db.connection() as connection:
        for table in ("result", "failure", "series", "result_day"):
            assert not await connection.fetch(f"SELECT FROM {table}")


async def test_a_server_that_forgot_its_last_commits_gets_everything_again(db):
    projector = Projector(Nobody(), Partitions({"result": 30, "failure": 30, "ping": 30}))
    first = message(1, *results(3)[0])
    async with db.transaction() as tx:
        await apply_all(tx, projector.telemetry, [first])
    async with db.connection() as connection:
        await connection.execute("TRUNCATE series, result, failure, result_day, latency_day, address")
    connection = await db.dedicated_connection()  # as after a crash
    async with connection.transaction():
        await apply_all(connection, projector.telemetry, [first])
    await connection.close()
    async with db.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM result JOIN series ON id = series") == 1


def told(row) -> tuple[object, ...]:
    """What a row says of its result."""
    at = micros(row["slot"])
    checked = None if row["late"] is None else at + round(row["late"] * 1000)
    seen = VERDICTS[row["verdict"]], row["status_code"], row["at"]
    said = row["error"] or "", row["condition"] or "", row["excerpt"] or "", row["tolerated"] or ""
    return at, checked, *seen, round(row["total"], 2), *said


def kept(it: Result) -> tuple[object, ...]:
    """The same of a result that was sent."""
    checked = None if it.verdict is Verdict.up and not it.tolerated else it.checked_at
    seen = it.slot, checked, it.verdict, it.status_code, it.address, it.phases.total
    return *seen, it.error, it.condition, it.excerpt, "\n".join(it.tolerated)


@pytest.mark.parametrize("wanted", [VERDICTS, VERDICTS[1:], VERDICTS[:1], VERDICTS[2:3]])
async def test_single_results_are_read_as_they_were_sent_newest_first(db, wanted):
    found = await stored(db, 4)
    async with db.connection() as connection:
        read = Read(connection, ORGANISATION)
        rows = await read.results(Owned(RESOURCE, CREATED), None, None, 1000, wanted)
        start, end = rows[7]["slot"], rows[2]["slot"]
        some = await read.results(Owned(RESOURCE, CREATED), start, end, 1000, wanted)
        few = await read.results(Owned(RESOURCE, CREATED), None, None, 3, wanted)

    expected = [kept(it) for it in found if it.verdict in wanted]
    assert sorted(map(told, rows), key=str) == sorted(expected, key=str)
    assert [row["slot"] for row in rows] == sorted((row["slot"] for row in rows), reverse=True)
    assert some == [row for row in rows if start <= row["slot"] < end]
    assert few == rows[:3]


async def test_results_from_before_addresses_and_excerpts_were_kept_can_be_read(db):
    slot = now().replace(microsecond=0)
    async with db.transaction() as tx:
        await Partitions({"result": 30, "failure": 30}).create(tx, "result", [slot])
        await Partitions({"result": 30, "failure": 30}).create(tx, "failure", [slot])
        series = await tx.fetchval("INSERT INTO series (resource, region) VALUES ($1, 'a') RETURNING id", RESOURCE)
        await tx.execute("INSERT INTO result (slot, series, total, verdict) VALUES ($1, $2, 5, 1)", slot, series)
        await tx.execute("INSERT INTO failure (slot, series, error, address) VALUES ($1, $2, 'e', 'a')", slot, series)
    async with db.connection() as connection:
        (row,) = await Read(connection, ORGANISATION).results(Owned(RESOURCE, CREATED), None, None, 9, VERDICTS)

    assert told(row) == (micros(slot), None, Verdict.target_fail, None, "a", 5, "e", "", "", "")
