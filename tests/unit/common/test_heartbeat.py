"""The rules of a heartbeat's status."""

from datetime import UTC, datetime
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from pinghome_common.events.heartbeat import MICRO, Heartbeat, RuntimeState, Status, alert_after, shown, take
from pinghome_common.events.ping import Kind, Ping, position
from resource_cmd.evaluation.deadlines import miss

AT = 1_000_000 * MICRO
STAMP = datetime(2026, 11, 21, tzinfo=UTC)


def heartbeat(status=Status.new, **settings):
    settings = {"period": 60, **settings}
    return Heartbeat(
        id=uuid4(), organisation=uuid4(), service_id=uuid4(), name="job", methods=["GET"],
        vitals=RuntimeState(status=status), created_at=STAMP, updated_at=STAMP, **settings,
    )  # fmt: skip


def ping(kind, at, run_id=b""):
    return Ping(id=b"", heartbeat=b"", at=at, kind=kind, run_id=run_id)


def after(it, *pings):
    """The vitals after pings given as (kind, seconds)."""
    vitals = it.vitals
    for index, (kind, at) in enumerate(pings):
        vitals = take(it, vitals, ping(kind, AT + int(at * MICRO)), index + 1)
    return vitals


def test_a_tick_makes_a_new_heartbeat_up_and_awaits_the_next():
    it = heartbeat(grace=10)
    vitals = after(it, (Kind.tick, 0))
    assert vitals.status is Status.up
    assert alert_after(it, vitals) == AT + 70 * MICRO


def test_a_failure_is_down_at_once_and_awaits_nothing():
    it = heartbeat()
    vitals = after(it, (Kind.tick, 0), (Kind.fail, 1))
    assert (vitals.status, vitals.reason) == (Status.down, "the job reported a failure")
    assert alert_after(it, vitals) is None


def test_a_run_is_shown_as_running_until_it_takes_too_long():
    it = heartbeat()
    vitals = after(it, (Kind.run, 0))
    assert shown(it, vitals, AT + 59 * MICRO) == "running"
    assert shown(it, vitals, AT + 60 * MICRO) == "down"
    assert alert_after(it, vitals) == AT + 60 * MICRO


def test_completion_tells_how_long_the_run_took():
    vitals = after(heartbeat(), (Kind.run, 0), (Kind.complete, 2.5))
    assert (vitals.status, vitals.last_duration, vitals.last_start) == (Status.up, 2.5, None)


def test_a_paused_heartbeat_counts_pings_and_nothing_else():
    it = heartbeat(Status.paused, manual_resume=True)
    vitals = after(it, (Kind.tick, 0), (Kind.fail, 1))
    assert (vitals.status, vitals.n_pings, alert_after(it, vitals)) == (Status.paused, 2, None)


def test_a_pause_that_need_not_be_ended_by_hand_ends_with_a_ping():
    assert after(heartbeat(Status.paused, manual_resume=False), (Kind.tick, 0)).status is Status.up


def test_a_log_changes_no_status():
    vitals = after(heartbeat(), (Kind.log, 0))
    assert (vitals.status, vitals.n_pings, vitals.last_event) == (Status.new, 1, AT)


def test_silence_is_down_at_the_deadline_with_its_cause():
    vitals = miss(after(heartbeat(), (Kind.tick, 0)), AT + 60 * MICRO)
    assert (vitals.status, vitals.changed_at) == (Status.down, AT + 60 * MICRO)
    assert vitals.reason == "no check-in arrived in time"


pings = st.lists(st.tuples(st.sampled_from(list(Kind)), st.integers(0, 10**6)), max_size=20)


@given(pings, st.data())
def test_pings_that_come_again_change_nothing(found, data):
    it = heartbeat()
    once = twice = it.vitals
    for index, (kind, at) in enumerate(found):
        once = take(it, once, ping(kind, AT + at), position(5, index))
        twice = take(it, twice, ping(kind, AT + at), position(5, index))
        again = data.draw(st.integers(0, index))
        twice = take(it, twice, ping(found[again][0], AT + found[again][1]), position(5, again))
    assert once == twice
    assert once.n_pings == len(found)


@given(pings)
def test_a_ping_that_comes_late_is_counted_but_does_not_speak_for_the_present(found):
    it = heartbeat()
    vitals = after(it, *found, (Kind.tick, 2))
    late = take(it, vitals, ping(Kind.fail, AT + MICRO), 1000)
    assert late.n_pings == vitals.n_pings + 1
    assert (late.status, late.last_ping, late.last_event) == (vitals.status, vitals.last_ping, vitals.last_event)


def test_positions_grow_with_message_and_place_and_fit_a_bigint():
    now_in_100_us = 18_000_000_000_000  # the year 2027
    assert position(now_in_100_us, 0) < position(now_in_100_us, 1) < position(now_in_100_us + 1, 0) < 2**63
