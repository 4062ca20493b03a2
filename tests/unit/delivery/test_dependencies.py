"""A child's outage in the light of its parent's state."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from pinghome_delivery.dependencies import Decision, ParentState, decide

FELL = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def at(seconds):
    return None if seconds is None else FELL + timedelta(seconds=seconds)


def family(status="down", checked=1, parent="up", since=-3600, parent_checked=1):
    return ParentState(
        status=status, checked=at(checked), parent=uuid4(), parent_name="Router", parent_status=parent,
        parent_since=at(since), parent_checked=at(parent_checked), patience=timedelta(seconds=130),
    )  # fmt: skip


def seen(it, now, waited=False):
    return decide(it, FELL, at(now), waited=waited)


def test_a_parent_seen_well_after_the_fall_is_not_to_blame():
    assert seen(family(), 2) is Decision.notify


def test_a_parent_that_was_not_looked_at_since_is_waited_for():
    assert seen(family(parent_checked=-5), 2) is Decision.wait
    assert seen(family(parent_checked=None), 2) is Decision.wait
    assert seen(family(parent_checked=-5), 131) is Decision.notify  # but no longer than a result may take


@pytest.mark.parametrize("state", ["down", "unknown"])
def test_a_parent_that_is_away_keeps_its_children_quiet(state):
    assert seen(family(parent=state), 100_000) is Decision.wait
    assert seen(family(parent=state, since=129), 130) is Decision.wait


def test_a_parent_that_went_long_after_is_not_to_blame():
    assert seen(family(parent="down", since=131), 132) is Decision.notify
    assert seen(family(parent="down", since=131), 132, waited=True) is Decision.wait  # it was, and went once more


@pytest.mark.parametrize("state", ["paused", "pending", "maintenance"])
def test_a_parent_of_which_nothing_is_known_does_not(state):
    assert seen(family(parent=state), 1) is Decision.notify


def test_when_the_parent_is_back_the_child_gets_its_own_look_first():
    assert seen(family(since=60, parent_checked=60, checked=55), 61, waited=True) is Decision.wait
    assert seen(family(since=60, parent_checked=60, checked=70), 71, waited=True) is Decision.notify
    assert seen(family(since=60, parent_checked=60, checked=55), 191, waited=True) is Decision.notify


@pytest.mark.parametrize("state", ["up", "paused", "pending"])
@pytest.mark.parametrize("parent", ["up", "down"])
def test_an_outage_that_ended_in_the_shade_need_not_be_told(state, parent):
    assert seen(family(status=state, parent=parent), 5, waited=True) is Decision.suppress


@pytest.mark.parametrize("state", ["unknown", "maintenance"])
def test_an_outage_that_only_nobody_sees_is_not_over(state):
    assert seen(family(status=state, parent="down"), 5, waited=True) is Decision.wait


def test_an_outage_that_never_was_in_the_shade_is_told_even_when_it_is_over():
    assert seen(family(status="up"), 5) is Decision.notify
