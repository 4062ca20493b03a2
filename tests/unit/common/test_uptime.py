"""One figure is called uptime: statistic-query and status pages compute the same one from the same states."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pinghome_common.events.followed import meaning
from pinghome_common.events.statuspage import ComponentStatus
from pinghome_common.uptime import percentage
from statistic_query import uptime as statistic
from statuspage_query import statuses as page

ZERO = datetime(2026, 8, 1, tzinfo=UTC)
QUARTER = timedelta(days=90) // timedelta(microseconds=1)
moments = st.integers(0, QUARTER).map(lambda micros: ZERO + timedelta(microseconds=micros))
states = st.lists(st.tuples(moments, st.sampled_from(["up", "down", "maintenance", "pending", "paused", "unknown"])))


def test_one_failure_never_reads_100():
    assert percentage(90 * 86400 - 1, 90 * 86400) == 99.9999
    assert percentage(1e9 - 1, 1e9) == 99.9999
    assert percentage(86400, 86400) == 100
    assert percentage(0.3 * 86400, 86400) == 30
    assert percentage(0, 0) is None


@given(states, st.lists(moments, min_size=2, max_size=2, unique=True))
def test_page_and_monitor_show_the_same_uptime(changes, window):
    changes = sorted(changes, key=lambda each: each[0])
    start, end = sorted(window)
    until = ZERO + timedelta(days=90)

    monitor = statistic.History([at for at, _ in changes], [state for _, state in changes], until).span(start, end)
    followed = [page.Since(at, meaning(state)) for at, state in changes]
    by_hand = [page.Since(until, ComponentStatus.operational)]
    component = page.span(page.timeline(page.History(created_at=until, manual=by_hand, followed=followed)), start, end)

    assert component.uptime == monitor.uptime
    assert round(component.downtime) == round(monitor.down)
