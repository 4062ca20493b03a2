"""What is packed is what was counted."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinghome_common.clock import micros
from pinghome_common.events.probe import Phases, Result, Verdict
from statistic_query import rollup
from statistic_query.buckets import NOTHING, Buckets

HOUR = timedelta(hours=1)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)

# (minutes after midnight, verdict, status, milliseconds): three days, with a border at 1440 and at 2880.
results = st.lists(
    st.tuples(
        st.integers(0, 3 * 1440 - 1), st.sampled_from(list(Verdict)), st.sampled_from([None, 200]), st.floats(0, 90_000)
    ),
    max_size=60,
)


def result(minute: int, verdict: Verdict = Verdict.up, status: int | None = 200, total: float = 1.0) -> Result:
    slot = micros(MIDNIGHT + minute * timedelta(minutes=1))
    phases = Phases(total=total)
    return Result(
        resource=UUID(int=1),
        slot=slot,
        checked_at=slot,
        interval=60,
        verdict=verdict,
        status_code=status,
        phases=phases,
    )


@given(results, st.randoms(use_true_random=False), st.integers(0, 71), st.integers(1, 30))
def test_hours_are_what_their_results_add_up_to_in_whatever_order_and_batches(found, chance, first, many):
    arrivals = list(found)
    chance.shuffle(arrivals)
    days = {}
    while arrivals:
        batch = [arrivals.pop() for _ in range(min(chance.randrange(1, 9), len(arrivals)))]
        for number in range(3):
            more = [(it[0] // 60 % 24, rollup.of(result(*it))) for it in batch if it[0] // 1440 == number]
            if more := [(hour, counts) for hour, counts in more if counts]:
                day = (MIDNIGHT + number * rollup.DAY).date()
                days[day] = rollup.plus(days.get(day, rollup.EMPTY), more)

    hours = rollup.hours(days, MIDNIGHT + first * HOUR, MIDNIGHT + (first + many) * HOUR)
    assert [len(column) for column in hours] == [many] * 6
    for hour, *counts in zip(range(first, first + many), *hours, strict=True):
        spoke = [it for it in found if it[0] // 60 == hour and it[1] in (Verdict.up, Verdict.target_fail)]
        timed = [it[3] for it in spoke if it[1] is Verdict.up or it[2]]
        assert counts[:3] == [len(spoke), sum(it[1] is Verdict.target_fail for it in spoke), len(timed)]
        assert counts[3] == pytest.approx(sum(timed))
        if timed:
            assert counts[4:] == [round(min(timed), 3), round(max(timed), 3)]


@given(results)
def test_all_hours_together_are_all_results_together(found):
    counts = [counts for it in found if (counts := rollup.of(result(*it)))]
    day = rollup.plus(rollup.EMPTY, [(random.randrange(24), one) for one in counts])
    together = rollup.hours({MIDNIGHT.date(): day}, MIDNIGHT, MIDNIGHT + 24 * HOUR).together()
    expected = [sum(column) for column in zip(NOTHING[:4], *(one[:4] for one in counts), strict=True)]
    assert together[:4] == (*expected[:3], pytest.approx(expected[3]))
    assert together[4] == min([NOTHING[4], *(one[4] for one in counts)])
    assert together[5] == max([NOTHING[5], *(one[5] for one in counts)])


@given(results, st.integers(0, 71), st.integers(1, 72))
def test_whole_days_are_taken_as_their_sums(found, first, many):
    days = {}
    for it in found:
        if counts := rollup.of(result(*it)):
            day = (MIDNIGHT + it[0] // 1440 * rollup.DAY).date()
            days[day] = rollup.plus(days.get(day, rollup.EMPTY), [(it[0] // 60 % 24, counts)])
    begin, until = MIDNIGHT + first * HOUR, MIDNIGHT + min(first + many, 72) * HOUR
    borders = begin.date(), (until - HOUR).date()
    needed = {day: packed if day in borders else packed[-36:] for day, packed in days.items()}
    hours, together = rollup.hours(days, begin, until).together(), rollup.together(needed, begin, until)
    assert together == (*hours[:3], pytest.approx(hours[3]), *hours[4:])

    sums = {day: packed[-36:] for day, packed in days.items()}
    by_day = rollup.sums(sums, MIDNIGHT, MIDNIGHT + 3 * rollup.DAY)
    by_hours = rollup.hours(days, MIDNIGHT, MIDNIGHT + 3 * rollup.DAY).by(24)
    assert by_day[:3] == by_hours[:3]
    assert by_day.total == pytest.approx(by_hours.total)
    assert by_day[4:] == by_hours[4:]


def test_days_that_are_missing_are_empty():
    days = {(MIDNIGHT + rollup.DAY).date(): rollup.plus(rollup.EMPTY, [(2, (4, 1, 3, 6.0, 1.5, 2.5))])}
    hours = rollup.hours(days, MIDNIGHT + 23 * HOUR, MIDNIGHT + 50 * HOUR)
    assert hours.checks == [0, 0, 0, 4, *[0] * 23]
    assert hours.together() == (4, 1, 3, 6.0, 1.5, 2.5)
    shown = documents(hours.buckets([MIDNIGHT] * 27, [None] * 27))
    assert [it["response_time"]["avg"] for it in shown[2:5]] == [None, 2.0, None]
    assert rollup.hours({}, MIDNIGHT, MIDNIGHT + HOUR).together() == NOTHING


def documents(found):
    """As clients see them."""
    return msgspec.json.decode(msgspec.json.encode(found))


def test_where_nothing_was_timed_there_are_no_times():
    assert documents(Buckets.of([NOTHING]).times()) == [dict.fromkeys(("avg", "min", "max", "p50", "p95", "p99"))]


@pytest.mark.parametrize("total", [float("inf"), float("nan"), 3e38, -1.0])
def test_a_time_that_makes_no_sense_is_counted_all_the_same(total):
    day = rollup.plus(rollup.EMPTY, [(0, rollup.of(result(0, total=total)))])
    assert rollup.hours({MIDNIGHT.date(): day}, MIDNIGHT, MIDNIGHT + HOUR).checks == [1]
