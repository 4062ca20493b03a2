"""Which reminder is due: each day once, the nearest only, and none after a nearer one."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from resource_cmd.expiry.reminder import DAY, due, sentence

EXPIRES = datetime(2026, 12, 31, 12, tzinfo=UTC)
days = st.lists(st.integers(1, 365), min_size=1, max_size=12, unique=True)
looks = st.lists(st.integers(-400 * 24, 10 * 24), max_size=60).map(sorted)


def history(days_before: list[int], hours: list[int]) -> list[tuple[int, datetime]]:
    """What is fired when somebody looks at these hours after the expiry."""
    fired: list[tuple[int, datetime]] = []
    for hour in hours:
        now = EXPIRES + timedelta(hours=hour)
        if (day := due(days_before, EXPIRES, [each for each, _ in fired], now)) is not None:
            fired.append((day, now))
    return fired


@settings(deadline=None)
@given(days, looks)
def test_no_day_fires_twice_or_early_and_a_later_one_is_never_after_a_nearer(days_before, hours):
    fired = [day for day, _ in history(days_before, hours)]

    assert fired == sorted(set(fired), reverse=True)
    assert all(now >= EXPIRES - day * DAY for day, now in history(days_before, hours))


@settings(deadline=None, max_examples=20)
@given(days)
def test_who_looks_each_hour_fires_every_day_in_its_hour(days_before):
    fired = history(days_before, list(range(-366 * 24, 24)))

    assert fired == [(day, EXPIRES - day * DAY) for day in sorted(days_before, reverse=True)]


@settings(deadline=None)
@given(days, st.integers(-400 * 24, 10 * 24))
def test_who_looks_late_fires_the_nearest_day_alone(days_before, hour):
    now = EXPIRES + timedelta(hours=hour)
    passed = [day for day in days_before if now >= EXPIRES - day * DAY]

    fired = history(days_before, [hour, hour, hour])

    assert [day for day, _ in fired] == ([min(passed)] if passed else [])


@settings(deadline=None)
@given(days, days, st.integers(-400 * 24, 10 * 24))
def test_only_a_nearer_or_the_same_day_that_was_fired_keeps_one_back(days_before, fired, hour):
    now = EXPIRES + timedelta(hours=hour)
    nearest = due(days_before, EXPIRES, [], now)

    kept_back = nearest is not None and min(fired) <= nearest
    assert due(days_before, EXPIRES, fired, now) == (None if kept_back else nearest)


def test_sentences():
    for left, words in ((7.5, "in 7 days"), (1.5, "in one day"), (0.5, "in hours")):
        assert sentence("It", EXPIRES, EXPIRES - timedelta(days=left)) == f"It expires {words}"
    assert sentence("It", EXPIRES, EXPIRES) == "It has expired"
