"""Uptime from changes of state."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from statistic_query.uptime import History, Span

START = datetime(2026, 11, 21, tzinfo=UTC)


def at(minutes):
    return START + timedelta(minutes=minutes)


HISTORY = History(
    [at(0), at(1), at(11), at(16), at(26), at(36)], ["pending", "up", "down", "up", "maintenance", "up"], at(46)
)


def test_time_that_was_not_watched_counts_for_nothing():
    span = HISTORY.span(at(0), at(60))
    assert span == Span(up=30 * 60, down=5 * 60)
    assert span.uptime == 85.7142


def test_a_span_inside_one_state():
    assert HISTORY.span(at(12), at(14)) == Span(0, 120)
    assert HISTORY.span(at(27), at(28)).uptime is None


def test_nothing_is_known_before_the_first_state_or_without_any():
    assert HISTORY.span(at(-10), at(0)).uptime is None
    assert History([], [], at(0)).span(at(0), at(1)).uptime is None


@given(st.lists(st.integers(-5, 60), min_size=1, max_size=8))
def test_the_whole_is_the_sum_of_its_parts(cuts):
    edges = [at(-5), *(at(cut) for cut in sorted(cuts)), at(60)]
    parts = [HISTORY.span(begin, end) for begin, end in itertools.pairwise(edges)]
    whole = HISTORY.span(at(-5), at(60))
    assert (sum(part.up for part in parts), sum(part.down for part in parts)) == (whole.up, whole.down)


@given(st.sets(st.integers(-5, 60), min_size=1, max_size=12), st.lists(st.integers(-10, 50), max_size=8))
def test_many_spans_at_once_are_each_as_alone(cuts, changes):
    states = itertools.cycle(["up", "down", "up", "paused"])
    history = History([at(change) for change in sorted(changes)], [next(states) for _ in changes], at(50))
    edges = [at(cut) for cut in sorted(cuts)]
    assert history.uptimes(edges) == [history.span(*span).uptime for span in itertools.pairwise(edges)]
