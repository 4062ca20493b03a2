"""Buckets of time."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statistic_query.window import STEPS, Window

moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments, moments, st.sampled_from(list(STEPS)), st.integers(1, 50))
def test_buckets_join_without_gaps_and_reach_the_end(one, two, interval, limit):
    start, end = sorted((one, two))
    window = Window(start, end, interval)
    begins = window.newest(limit)
    assert len(begins) <= limit
    assert all(window.after(begin) == following for begin, following in itertools.pairwise(begins))
    if start < end:
        assert begins[-1] < end <= window.after(begins[-1])
        assert len(begins) == limit or begins[0] <= start
    assert all(window.floor(begin) == begin for begin in begins)


def test_the_documents_example_asks_for_the_four_newest_minutes():
    start, end = datetime(2022, 4, 3, 21, tzinfo=UTC), datetime(2022, 4, 3, 22, 4, tzinfo=UTC)
    begins = Window(start, end, "minute").newest(4)
    assert begins == [end - timedelta(minutes=minutes) for minutes in (4, 3, 2, 1)]


@pytest.mark.parametrize(
    ("interval", "begin"),
    [("week", datetime(2026, 11, 16, tzinfo=UTC)), ("month", datetime(2026, 11, 1, tzinfo=UTC)),
     ("day", datetime(2026, 11, 21, tzinfo=UTC)), ("12h", datetime(2026, 11, 21, 12, tzinfo=UTC))],
)  # fmt: skip
def test_buckets_begin_where_people_expect_it(interval, begin):
    at = datetime(2026, 11, 21, 20, 44, tzinfo=UTC)
    assert Window(at, at, interval).floor(at) == begin


def test_an_empty_window_has_no_buckets():
    at = datetime(2026, 11, 21, tzinfo=UTC)
    assert Window(at, at, "hour").newest(10) == []
