"""Damping and digests: nothing is lost, nobody is flooded."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from pinghome_delivery.throttling import (
    A_MINUTE,
    AN_HOUR,
    DAMPED,
    HOUR,
    LARGEST,
    MINUTE,
    SUMMED_UP,
    PastMessage,
    Waiting,
    backoff,
    one_by_one,
    plan,
)

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def monitor(number):
    return UUID(int=1000 + number)


def waiting(*abouts):
    return [Waiting(id=UUID(int=place), about=monitor(about)) for place, about in enumerate(abouts)]


def told(*minutes, about=0):
    return [PastMessage(at=START - timedelta(minutes=each), abouts=frozenset([monitor(about)])) for each in minutes]


class Channel:
    """A channel that takes everything at once, in a time of its own."""

    def __init__(self):
        self.now, self.told, self.sent, self.waiting = START, [], [], []

    def look(self):
        found = plan(self.waiting, self.told, self.now)
        of = {it.id: it.about for it in self.waiting}
        assert Counter([id_ for ids in found.messages for id_ in ids] + list(found.held)) == Counter(list(of))
        assert all(held.until > self.now for held in found.held.values())
        for ids in found.messages:
            self.told.append(PastMessage(at=self.now, abouts=frozenset(of[id_] for id_ in ids)))
            self.sent.append((self.now, [(id_, of[id_]) for id_ in ids]))
        self.waiting = [it for it in self.waiting if it.id in found.held]
        return min((held.until for held in found.held.values()), default=None)

    def live(self, transitions):
        """Each is (seconds after the start, monitor); then until nothing waits any more."""
        again = None
        for place, (second, about) in enumerate(sorted(transitions)):
            at = START + timedelta(seconds=second)
            while again and again <= at:
                self.now = again
                again = self.look()
            self.now = at
            self.waiting.append(Waiting(id=UUID(int=place), about=monitor(about)))
            again = self.look()
        while again:
            self.now = again
            again = self.look()


TRANSITIONS = st.lists(
    st.tuples(st.integers(0, 4 * 3600) | st.integers(0, 90), st.integers(0, 8)), min_size=1, max_size=120
)


@settings(max_examples=300, deadline=None)
@given(TRANSITIONS)
def test_everything_is_told_once_in_its_order_and_within_the_limits(transitions):
    channel = Channel()
    channel.live(transitions)

    said = [each for _, ids in channel.sent for each in ids]
    assert sorted(id_.int for id_, _ in said) == list(range(len(transitions)))
    for about in {about for _, about in said}:
        mine = [id_.int for id_, of in said if of == about]
        assert mine == sorted(mine)
        times = [at for at, ids in channel.sent if about in {of for _, of in ids}]
        assert most_within(times, HOUR) <= AN_HOUR
    assert most_within([at for at, _ in channel.sent], MINUTE) <= A_MINUTE


def most_within(times, span):
    return max((sum(1 for at in times if first <= at < first + span) for first in times), default=0)


def test_a_monitor_that_flaps_for_six_hours_is_told_twice_an_hour_and_completely():
    channel = Channel()
    channel.live([(each * 300, 0) for each in range(72)])

    assert sum(len(ids) for _, ids in channel.sent) == 72
    assert len(channel.sent) <= 14
    assert [len(ids) for _, ids in channel.sent[:3]] == [1, 1, 10]  # the third is the digest of what was held back
    assert channel.sent[2][0] == START + HOUR


def test_the_third_within_an_hour_waits_until_the_hour_is_over():
    found = plan(waiting(0), told(50, 10), START)

    assert found.messages == []
    held = found.held[UUID(int=0)]
    assert (held.until, held.reason) == (START + timedelta(minutes=10), DAMPED)


def test_another_monitor_is_not_damped():
    assert plan(waiting(1), told(50, 10), START).messages == [[UUID(int=0)]]


def test_an_hour_later_it_may_be_told_again():
    assert plan(waiting(0), told(60, 10), START).messages == [[UUID(int=0)]]


def test_what_waits_about_one_monitor_is_one_message():
    assert plan(waiting(0, 0, 1), [], START).messages == [[UUID(int=0), UUID(int=1)], [UUID(int=2)]]


def test_five_a_minute_come_alone_and_six_as_one_summary():
    assert len(plan(waiting(*range(5)), [], START).messages) == 5
    assert plan(waiting(*range(6)), [], START).messages == [[UUID(int=each) for each in range(6)]]


def test_a_mass_outage_is_a_summary_now_and_one_a_minute_later():
    channel = Channel()
    channel.live([(0, each) for each in range(3)] + [(5 + each / 100, 3 + each) for each in range(400)])

    assert len(channel.sent) <= A_MINUTE + 1
    assert sum(len(ids) for _, ids in channel.sent) == 403
    assert channel.sent[0][0] == START


def test_a_summary_has_a_largest_size():
    found = plan(waiting(*range(4 * LARGEST)), [], START)

    assert [len(ids) for ids in found.messages] == [LARGEST] * 4
    more = plan(waiting(*range(6 * LARGEST)), [], START)
    assert len(more.messages) == A_MINUTE
    assert {held.reason for held in more.held.values()} == {SUMMED_UP}
    assert len(more.held) == LARGEST


def test_a_follower_gets_every_change_by_itself_one_after_another():
    assert one_by_one(waiting(0, 0, 1)).messages == [[UUID(int=0)], [UUID(int=2)]]


def test_backoff_doubles_from_a_second_to_a_quarter_of_an_hour():
    seconds = [backoff(attempts).total_seconds() for attempts in range(1, 200)]
    assert seconds[:11] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900]
    assert set(seconds[11:]) == {900}
    assert sum(seconds[:100]) > 20 * 3600  # a day has about a hundred attempts
