"""A client's list of checks is current exactly as long as it is what the client would get."""

from datetime import UTC, datetime
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from pinghome_common.clock import micros
from pinghome_common.dialects.healthchecks_documents import CheckRenderer, render_settings
from pinghome_common.events.heartbeat import MICRO, Heartbeat, RuntimeState, Status, due
from resource_query.api.healthchecks.entity_tag import current, entity_tag, next_change

BEGIN = datetime(2026, 11, 27, 12, tzinfo=UTC)
VIEW = "0123456789abcdef"
CHANGED = 5


def arguments(status=Status.up, last_ping=None, last_start=None, period=60, grace=30):
    """A check as lists have it; times are in seconds after the beginning."""
    first, last = (None if at is None else micros(BEGIN) + at * MICRO for at in (last_start, last_ping))
    vitals = RuntimeState(status=status, last_ping=last, last_start=first, n_pings=1)
    it = Heartbeat(
        id=uuid4(), organisation=uuid4(), service_id=uuid4(), name="job", period=period, grace=grace,
        methods=["GET"], vitals=vitals, created_at=BEGIN, updated_at=BEGIN,
    )  # fmt: skip
    return render_settings(it), status.value, due(it, vitals), last, first, None, 1


def shown(found, second, version):
    """The list at a second after the beginning."""
    check = CheckRenderer("", version, micros(BEGIN) + second * MICRO, read_only=False).check
    return [check(*each) for each in found]


def statuses(found, version):
    """What a client sees that asks each second with the tag of what it has; it must be what it would get anew."""
    tag, has, seen = "", [], []
    for second in range(200):
        now = micros(BEGIN) + second * MICRO
        if current(tag, CHANGED, VIEW, now) is None:
            tag, has = entity_tag(CHANGED, next_change(found, now), VIEW), shown(found, second, version)
            seen.append(second)
        assert has == shown(found, second, version), (second, version)
    return seen


def test_clock_moves_a_check_from_up_by_grace_to_down():
    found = [arguments(last_ping=0)]
    for version in (1, 2, 3):
        assert statuses(found, version) == [0, 60, 90]


def test_clock_ends_a_run():
    found = [arguments(last_ping=0, last_start=10)]
    for version in (1, 2, 3):
        assert {0, 40} <= set(statuses(found, version))


def test_what_awaits_nothing_stays_as_it_is():
    found = [arguments(status) for status in (Status.new, Status.paused, Status.down)]
    assert statuses(found, 1) == [0]


SECONDS = st.none() | st.integers(-100, 100)
CHECKS = st.lists(
    st.builds(arguments, st.sampled_from(Status), SECONDS, SECONDS, st.integers(1, 60), st.integers(1, 60)), max_size=4
)


@given(CHECKS, st.sampled_from([1, 2, 3]))
def test_what_is_current_is_what_one_would_get(found, version):
    statuses(found, version)


def test_tag_of_another_change_or_view_or_of_nobody_is_not_current():
    tag = entity_tag(CHANGED, 0, VIEW)
    assert current(tag, CHANGED, VIEW, 0) == tag
    assert current(f'"x", W/{tag}', CHANGED, VIEW, 0) == tag
    assert current(tag, CHANGED + 1, VIEW, 0) is None
    assert current(tag, CHANGED, "f" * 16, 0) is None
    for wrong in ("", "*", '"', tag[1:-1], '"5-0-"', '"-5-0-0123456789abcdef"'):
        assert current(wrong, CHANGED, VIEW, 0) is None
