"""What a check looks like in Healthchecks' words, at the edges of its states (contract B.2, B.4)."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from pinghome_common.dialects.healthchecks_documents import CheckRenderer
from pinghome_common.events.heartbeat import MICRO, Heartbeat, RuntimeState, Status, unique_key

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOW = int(AT.timestamp()) * MICRO


def check(renderer: CheckRenderer, **vitals: Any) -> dict[str, Any]:
    it = Heartbeat(
        id=UUID(int=1), organisation=UUID(int=2), service_id=UUID(int=3), name="n", period=60, grace=30,
        methods=["GET"], channels=[], created_at=AT, updated_at=AT, vitals=RuntimeState(**vitals),
    )  # fmt: skip
    return json.loads(renderer.whole(it))


def seen(after: float, version: int = 1, **vitals: Any) -> tuple[str, bool, str | None]:
    """Status, started and next ping some seconds after noon."""
    found = check(CheckRenderer("http://x", version, NOW + int(after * MICRO), read_only=False), **vitals)
    return found["status"], found["started"], found["next_ping"]


@pytest.mark.parametrize(
    ("id_", "key"),
    [
        ("31365bce-8da9-4729-8ff3-aaa71d56b712", "a6c7b0a8a66bed0df66abfdab3c77736861703ee"),
        ("803f680d-e89b-492b-82ef-2be7b774a92d", "124f983e0e3dcaeba921cfcef46efd084576e783"),
    ],
)
def test_unique_key_is_that_of_the_document(id_: str, key: str):
    assert unique_key(UUID(id_)) == key


def test_up_becomes_grace_and_down_at_the_very_moment():
    up: dict[str, Any] = {"status": Status.up, "last_ping": NOW}
    due = "2026-11-21T12:01:00+00:00"
    for after, status in ((0, "up"), (59.999999, "up"), (60, "grace"), (89.999999, "grace"), (90, "down")):
        assert seen(after, **up) == (status, False, due)


@pytest.mark.parametrize("stored", list(Status))
def test_started_shows_whatever_the_stored_status_until_the_run_is_too_long(stored: Status):
    vitals: dict[str, Any] = {"status": stored, "last_start": NOW, "last_ping": NOW - MICRO}
    following = None if stored is Status.down else "2026-11-21T12:00:00+00:00"
    assert seen(0, **vitals) == ("started", True, following)
    assert seen(29.9, **vitals)[0] == "started"
    assert seen(30, **vitals)[0] == "down"
    for version in (2, 3):
        assert seen(0, version, **vitals) == (stored.value, True, following)
        assert seen(30, version, **vitals)[0] == "down"


@pytest.mark.parametrize("stored", [Status.new, Status.down, Status.paused])
def test_nothing_is_expected_unless_up_or_started(stored: Status):
    assert seen(0, status=stored, last_ping=NOW) == (stored.value, False, None)


def test_host_of_a_request_cannot_break_the_document():
    renderer = CheckRenderer('http://x"\\', 1, NOW, read_only=False)
    safe = replace(renderer, site=json.dumps(renderer.site)[1:-1])
    assert check(safe)["ping_url"].startswith('http://x"\\/ping/')


def test_duration_is_whole_seconds_and_only_there_when_known():
    renderer = CheckRenderer("http://x", 1, NOW, read_only=True)
    assert "last_duration" not in check(renderer)
    assert check(renderer, last_duration=2.9)["last_duration"] == 2
