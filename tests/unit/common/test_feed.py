"""What is kept of changes, and who has to begin anew; `test_replicas` and `test_changes` are about the real stream."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from pinghome_common.clock import micros, now
from pinghome_common.events import Event, encode
from pinghome_common.feed import KEPT, Feed, Following, said
from pinghome_common.stream import Message

OURS, THEIRS = uuid4(), uuid4()


def message(seq: int, organisation: UUID = OURS, ago: timedelta = timedelta(0)) -> Message:
    event = Event(type="service.created", time=now(), subject=uuid4(), organisation=organisation, version=1, actor="x",
                  data={})  # fmt: skip
    return Message(seq, event.address(), encode(event), micros(now() - ago))


@pytest.fixture
def feed() -> Feed:
    """One that has read all of a stream of 100 messages, of which none is a change."""
    it = Feed(None, "EVENTS", [], lambda event: said(event, None), "x", None, None)
    it._caught_up(100)
    return it


def ids(text: bytes) -> list[int]:
    return [int(line.removeprefix(b"id: ")) for line in text.split(b"\n") if line.startswith(b"id: ")]


def test_own_changes_in_order_and_the_position_moves_with_those_of_others(feed: Feed):
    it = Following(feed, OURS, 100)
    assert it.hello() == b"id: 100\n: still here\n\n"
    feed._add([message(103), message(104, THEIRS), message(109), Message(110, "x", b"{", micros(now()))])
    assert ids(it.hello()) == [103, 109]
    assert it.life() == b"id: 110\n: still here\n\n"
    feed._add([message(112, THEIRS)])
    assert it.hello() == b"id: 112\n: still here\n\n"


def test_more_than_is_said_at_once_loses_nothing(feed: Feed):
    feed._add([message(101 + n, OURS if n % 2 else THEIRS) for n in range(3000)])
    it, heard = Following(feed, OURS, 100), []
    while (found := ids(it.hello())) != [3100]:
        heard += found
    assert heard == [*range(102, 3100, 2)] + ([3100] if heard[-1] == 3100 else [])
    assert len(set(heard)) == len(heard)


def test_who_is_farther_behind_than_is_kept_begins_anew(feed: Feed):
    feed._add([message(101 + n) for n in range(KEPT + 5)])
    assert Following(feed, OURS, 104).hello().startswith(b"event: reset\nid: %d\n" % feed.position)
    assert ids(Following(feed, OURS, 105).hello())[0] == 106


def test_what_is_older_than_an_hour_is_forgotten(feed: Feed):
    feed._add([message(101, ago=timedelta(minutes=61)), message(102, ago=timedelta(minutes=59))])
    assert Following(feed, OURS, 100).hello().startswith(b"event: reset")
    assert ids(Following(feed, OURS, 101).hello()) == [102]


def test_rebuild_has_everybody_begin_anew_once(feed: Feed):
    it = Following(feed, OURS, 100)
    feed.generation += 1
    assert it.hello().startswith(b"event: reset\nid: 100\n")
    assert it.hello() == b"id: 100\n: still here\n\n"
