"""The verdict on a monitor, from what its regions say."""

from datetime import UTC, datetime
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from pinghome_common.clock import micros
from pinghome_common.events.probe import fresh_for
from pinghome_common.events.resource import Change, Resource, Status
from resource_cmd.evaluation.quorum import MICRO, RegionObservation, decide, failing_regions

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOW = micros(START)


def monitor(status=Status.up, regions=("eu-central-1",), **settings):
    change = Change(status=status, previous=None, at=START, version=1)
    return Resource(
        id=uuid4(), organisation=uuid4(), service_id=uuid4(), name="shop", type="http", regions=list(regions),
        change=change, created_at=START, updated_at=START, **settings,
    )  # fmt: skip


def view(region="eu-central-1", up=True, checked=0.0, since=0.0, error="", status_code=None):
    at = NOW + int(checked * MICRO)
    began = NOW + int(since * MICRO)
    return RegionObservation(
        region=region, slot=at, checked_at=at, up=up, since=began, error=error, status_code=status_code
    )


def verdict(it, *views, at=0.0):
    return decide(it, views, NOW + int(at * MICRO), 2)


def test_first_success_is_up():
    change = verdict(monitor(Status.pending), view()).change
    assert (change.status, change.previous, change.version) == (Status.up, Status.pending, 2)


def test_a_failure_in_the_only_region_is_down_with_cause_code_and_region():
    change = verdict(monitor(), view(up=False, error="answered 503", status_code=503)).change
    assert (change.status, change.reason, change.status_code, change.region) == (
        Status.down, "answered 503", 503, "eu-central-1",
    )  # fmt: skip


def test_nothing_changes_while_the_verdict_is_the_same():
    assert verdict(monitor(), view()).change is None
    assert verdict(monitor(Status.down), view(up=False)).change is None


def test_grace_period_waits_and_says_when_to_look_again():
    it = monitor(grace_period=2)
    waiting = verdict(it, view(up=False, since=-60))
    assert waiting.change is None
    assert waiting.judge_at == NOW + 60 * MICRO
    assert verdict(it, view(up=False, since=-120)).change.status is Status.down


def test_a_failure_counts_only_when_it_is_seen_at_the_end_of_the_grace_period():
    it = monitor(grace_period=2)
    over = verdict(it, view(up=False, checked=-30, since=-140))
    assert over.change is None
    assert over.judge_at == NOW - 20 * MICRO  # past: a probe has to look
    assert verdict(it, view(up=False, checked=-30, since=-150)).change.status is Status.down


def test_recovery_period_waits_and_says_when_to_look_again():
    it = monitor(Status.down, recovery_period=1)
    waiting = verdict(it, view(since=-30))
    assert waiting.change is None
    assert waiting.judge_at == NOW + 30 * MICRO
    assert verdict(it, view(since=-60)).change.status is Status.up


def test_one_region_of_three_is_no_quorum():
    it = monitor(regions=("a", "b", "c"))
    assert verdict(it, view("a", up=False), view("b"), view("c")).change is None
    assert verdict(it, view("a", up=False), view("b", up=False), view("c")).change.status is Status.down


def test_of_two_regions_both_must_fail():
    it = monitor(regions=("a", "b"))
    assert verdict(it, view("a", up=False), view("b")).change is None
    assert verdict(it, view("a", up=False), view("b", up=False)).change.status is Status.down


def test_grace_counts_from_the_time_the_quorum_failed():
    it = monitor(regions=("a", "b", "c"), grace_period=1)
    late = verdict(it, view("a", up=False, since=-600), view("b", up=False, since=-10), view("c"))
    assert late.change is None
    assert late.judge_at == NOW + 50 * MICRO


def test_a_region_that_cannot_tell_speaks_for_nobody():
    it = monitor(regions=("a", "b"))
    assert verdict(it, view("a", up=None, error="no file descriptors"), view("b")).change is None


def test_when_no_region_can_tell_the_monitor_is_unknown_and_says_why():
    change = verdict(monitor(), view(up=None, error="127.0.0.1 is a private address")).change
    assert (change.status, change.reason) == (Status.unknown, "127.0.0.1 is a private address")


def test_silence_of_two_intervals_is_unknown_and_never_down():
    it = monitor(interval=60)
    fresh = view(up=False, checked=-130)
    assert verdict(monitor(Status.down), fresh).change is None
    change = decide(it, [view(checked=-131)], NOW, 2).change
    assert (change.status, change.reason) == (Status.unknown, "no region has reported lately")


def test_the_word_of_a_silent_region_counts_less_than_two_intervals():
    it, last = monitor(interval=60), view(checked=-110)
    last.heard_at = NOW - 15 * MICRO
    assert decide(it, [last], NOW, 2).change is None
    last.heard_at = NOW - 16 * MICRO
    assert decide(it, [last], NOW, 2).change.status is Status.unknown


def test_a_stale_region_leaves_the_quorum():
    it = monitor(regions=("a", "b"))
    assert verdict(it, view("a", up=False), view("b", checked=-1000)).change.status is Status.down


def test_the_first_region_to_fail_does_not_speak_for_those_that_had_no_turn():
    it = monitor(Status.pending, regions=("a", "b"))
    waiting = verdict(it, view("a", up=False))
    assert waiting.change is None
    assert waiting.judge_at == NOW + fresh_for(60)


def test_a_paused_monitor_is_not_judged():
    assert verdict(monitor(Status.paused, enabled=False), view(up=False)).change is None


def test_inside_a_maintenance_window_the_state_is_maintenance():
    it = monitor(maintenance_cron_expression="0 12 * * *", maintenance_duration=5)
    assert verdict(it, view(up=False)).change.status is Status.maintenance
    assert verdict(it, view(up=False, checked=301), at=301).change.status is Status.down


REGIONS = ("a", "b", "c", "d")
views = st.lists(
    st.builds(
        view,
        region=st.sampled_from(REGIONS),
        up=st.sampled_from([True, False, None]),
        checked=st.floats(-300, 0),
        since=st.floats(-600, -300),
    ),
    max_size=4,
    unique_by=lambda each: each.region,
)


@given(views, st.sampled_from([Status.pending, Status.up, Status.down, Status.unknown]), st.integers(0, 3))
def test_down_needs_a_failing_quorum_of_fresh_regions(said, status, grace):
    it = monitor(status, REGIONS, grace_period=grace)
    decision = decide(it, said, NOW, 2)
    if decision.change and decision.change.status is Status.down:
        speaking = [each for each in said if each.up is not None and NOW - each.checked_at <= fresh_for(60)]
        failing = [each for each in speaking if not each.up]
        assert len(failing) >= min(2, len(speaking))
        assert 2 * len(failing) >= len(speaking)
    if decision.change:
        assert decision.change.status is not status


@given(views, st.randoms())
def test_the_order_in_which_regions_are_listed_changes_nothing(said, shuffle):
    it = monitor(regions=REGIONS)
    other = list(said)
    shuffle.shuffle(other)
    one, two = decide(it, said, NOW, 2), decide(it, other, NOW, 2)
    assert (one.change and one.change.status) == (two.change and two.change.status)
    assert one.judge_at == two.judge_at


THREE = ("a", "b", "c")


def failing(it, *views, at=0.0, status=Status.up):
    return failing_regions(it, status, views, NOW + int(at * MICRO))


def test_region_that_fails_for_two_intervals_is_a_failing_one_though_the_monitor_is_up():
    it = monitor(regions=THREE)
    assert failing(it, view("a", up=False, since=-119), view("b")) == []
    assert failing(it, view("a", up=False, since=-120), view("b")) == ["a"]
    assert failing(monitor(regions=THREE, grace_period=5), view("a", up=False, since=-299)) == []
    assert failing(monitor(regions=THREE, grace_period=5), view("a", up=False, since=-300)) == ["a"]


def test_region_is_well_again_after_as_long_and_at_once_when_it_no_longer_speaks():
    it = monitor(regions=THREE, failing_regions=["a", "b"])
    assert failing(it, view("a", since=-119), view("b", since=-120)) == ["a"]
    assert failing(it, view("a", up=None, since=-500), view("c")) == ["a"]  # for reasons of ours
    assert failing(it, view("a", up=False, since=-500, checked=-131), view("b", since=-500)) == []
    assert failing(it, view("d", up=False, since=-500)) == []  # it probes no more


def test_no_region_fails_on_its_own_while_the_monitor_is_not_up():
    it = monitor(Status.down, regions=THREE, failing_regions=["a"])
    assert failing(it, view("a", up=False, since=-500), status=Status.down) == []
    assert failing(it, view("a", up=False, since=-500), view("b"), view("c"), status=Status.up) == ["a"]
