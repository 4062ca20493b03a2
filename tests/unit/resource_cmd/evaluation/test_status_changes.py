"""Which changes of status are told, and how."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinghome_common.clock import micros
from pinghome_common.events.heartbeat import Heartbeat, RuntimeState, take
from pinghome_common.events.heartbeat import Status as Beat
from pinghome_common.events.ping import Kind, Ping
from pinghome_common.events.resource import Change, Resource, Status
from pinghome_common.text import one_line
from resource_cmd.evaluation.status_changes import duration, is_told, of_heartbeat, of_monitor

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def lived(*statuses):
    """What is told of a monitor that passes through these, a minute each."""
    it = Resource(
        id=uuid4(), organisation=uuid4(), service_id=uuid4(), name="Shop", type="http", url="https://shop.test/",
        regions=["eu-central-1"], created_at=START, updated_at=START,
        change=Change(status=Status.pending, previous=None, at=START, version=1),
    )  # fmt: skip
    said = []
    for minute, status in enumerate(statuses, 1):
        at = START + timedelta(minutes=minute)
        change = Change(
            status=Status(status), previous=it.change.status, at=at, version=minute + 1, reason="refused", region="eu-1"
        )
        if status in ("paused", "pending"):  # commands say nothing
            it = replace(it, change=change)
            continue
        it, notices = of_monitor(it, change, minute + 1)
        said += notices
    return said


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        (["up"], []),
        (["down"], ["down"]),
        (["up", "down", "up"], ["down", "up"]),
        (["up", "unknown", "up"], []),
        (["up", "maintenance", "up"], []),
        (["unknown", "down"], ["down"]),
        (["maintenance", "down"], ["down"]),
        (["down", "unknown", "up"], ["down", "up"]),
        (["down", "unknown", "down"], ["down"]),
        (["down", "maintenance", "down", "up"], ["down", "up"]),
        (["down", "maintenance", "unknown", "up"], ["down", "up"]),
        (["up", "paused", "pending", "up"], []),
        (["down", "paused", "pending", "up"], ["down", "up"]),
        (["down", "paused", "pending", "down"], ["down", "down"]),
        (["down", "up", "up", "down"], ["down", "up", "down"]),
    ],
)
def test_what_is_told_of_a_life(statuses, told):
    assert [notice.what for notice in lived(*statuses)] == told


@given(st.lists(st.sampled_from(["up", "down", "unknown", "maintenance"]), max_size=30))
def test_down_and_up_alternate_and_begin_with_down(statuses):
    told = [notice.what for notice in lived(*statuses)]

    assert told == ["down", "up"] * (len(told) // 2) + ["down"] * (len(told) % 2)
    assert bool(told) is ("down" in statuses)


@pytest.mark.parametrize("new", ["pending", "paused", "unknown", "maintenance", "new"])
@pytest.mark.parametrize("told", [True, False])
def test_nothing_else_is_told(new, told):
    assert not is_told("down", new, told=told)


def test_the_words_say_what_where_why_and_how_long():
    down, up = lived("down", "unknown", "up")

    assert (down.title, down.version, down.at) == ("Shop is down", 2, START + timedelta(minutes=1))
    assert down.text == "Shop (https://shop.test/) is down since 2026-11-21 12:01:00 UTC: refused from eu-1."
    assert (up.title, up.version) == ("Shop is up again", 4)
    assert up.text == "Shop (https://shop.test/) is up again since 2026-11-21 12:03:00 UTC, after 2 min."


def test_a_heartbeat_is_told_in_the_same_way():
    it = Heartbeat(
        id=uuid4(), organisation=uuid4(), service_id=uuid4(), name="Backup", period=60, methods=["GET"],
        created_at=START, updated_at=START,
    )  # fmt: skip
    said = []
    for minute, status in enumerate([Beat.up, Beat.down, Beat.up, Beat.down], 1):
        vitals = RuntimeState(status=status, changed_at=micros(START + timedelta(minutes=minute)), reason="it failed")
        it, notices = of_heartbeat(it, vitals, minute)
        said += notices
    assert [(notice.what, notice.noun) for notice in said] == [(what, "heartbeat") for what in ("down", "up", "down")]
    assert said[0].text == "Backup is down since 2026-11-21 12:02:00 UTC: it failed."
    assert it.down_since == START + timedelta(minutes=4)


def test_a_name_cannot_add_lines_to_a_subject():
    assert one_line("Shop\r\nBcc: all@example.com\x00\x1b[31m") == "Shop Bcc: all@example.com [31m"


PERSIAN, HEBREW, HINDI = (
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\u200e\u05e2\u05d1",
    "\u0915\u094d\u200d\u0937",
)
FAMILY, FLAG = "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f3f4\U000e0067\U000e007f"


@pytest.mark.parametrize("name", [PERSIAN, HEBREW, HINDI, FAMILY, FLAG])
def test_what_joins_the_letters_of_a_name_stays(name):
    assert one_line(f"{name}\n") == name


def failed(**said):
    """What is told of a heartbeat whose job sent that."""
    it = Heartbeat(
        id=uuid4(), organisation=uuid4(), service_id=uuid4(), name="Backup", period=60, methods=["GET"],
        vitals=RuntimeState(status=Beat.up), created_at=START, updated_at=START,
    )  # fmt: skip
    ping = Ping(id=b"", heartbeat=b"", at=micros(START), kind=Kind.fail, **said)
    _, (notice,) = of_heartbeat(it, take(it, it.vitals, ping, 1), 2, ping)
    assert notice.title == "Backup is down"
    start = "Backup is down since 2026-11-21 12:00:00 UTC: the job reported a failure"
    assert notice.text.startswith(start)
    return notice.text.removeprefix(start)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "."),
        ({"message": "disk full"}, ": disk full."),
        ({"message": "disk full."}, ": disk full."),
        ({"exit_status": 0}, " with exit status 0."),
        ({"exit_status": 3, "message": "no\r\nspace"}, " with exit status 3: no space."),
        ({"body": b"line 1\r\nline 2\n"}, ".\n\nline 1\nline 2"),
        ({"body": b"\x1b[31mred\0\xff\x1b[0m"}, ".\n\n[31mred\ufffd[0m"),
        ({"body": b"\0 \n"}, "."),
        ({"body": b"Received: by x", "scheme": "email"}, "."),
        ({"message": "m" * 9999}, ": " + "m" * 500 + "."),
        ({"body": b"b" * 9999}, ".\n\n" + "b" * 1000 + "\n\u2026"),
    ],
)
def test_a_failure_says_what_the_job_said_bounded_and_clean(said, told):
    assert failed(**said) == told


@given(st.text(), st.binary(), st.none() | st.integers())
def test_whatever_a_job_says_can_be_kept_and_told(message, body, exit_status):
    """A lone surrogate may come out of an older gateway's stream."""
    text = failed(message=message + "\ud800\0", body=body, exit_status=exit_status)
    assert set(text.encode().decode()).isdisjoint(map(chr, (*range(9), *range(11, 32), 127)))
    assert len(text) < 2000


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (3900, "1 h 5 min"), (90000, "1 d 1 h"), (-5, "0 s")],
)
def test_durations(seconds, words):
    assert duration(timedelta(seconds=seconds)) == words
