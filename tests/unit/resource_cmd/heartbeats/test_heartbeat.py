"""What commands make of a heartbeat."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from pinghome_common.clock import micros
from pinghome_common.events.heartbeat import Heartbeat, RuntimeState, Status
from resource_cmd.heartbeats.heartbeat import enable, halt

STAMP = datetime(2026, 11, 22, tzinfo=UTC)


def running(status: Status) -> Heartbeat:
    """A heartbeat with a run under way."""
    vitals = RuntimeState(status=status, last_ping=1, last_event=2, last_start=2, run_id=uuid4(), n_pings=2, position=2)
    return Heartbeat(
        id=uuid4(), organisation=uuid4(), service_id=uuid4(), name="job", period=60, methods=["GET"],
        vitals=vitals, created_at=STAMP, updated_at=STAMP,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "before", "after", "last_ping"),
    [
        (lambda it: enable(it, 2, STAMP, enabled=False), Status.up, Status.paused, None),
        (lambda it: enable(it, 2, STAMP, enabled=True), Status.paused, Status.new, None),
        (lambda it: halt(it, Status.paused, 2, STAMP), Status.up, Status.paused, 1),
        (lambda it: halt(it, Status.new, 2, STAMP), Status.paused, Status.new, None),
    ],
    ids=["disabled", "enabled", "paused", "resumed"],
)
def test_command_that_stops_or_starts_a_heartbeat_ends_its_run(command, before, after, last_ping):
    it = command(running(before))

    assert it.vitals == RuntimeState(
        status=after, changed_at=micros(STAMP), last_ping=last_ping, last_event=2, n_pings=2, position=2
    )
    assert (it.previous, it.changed_version) == (before, 2)


def test_heartbeat_that_is_enabled_already_is_left_alone():
    it = running(Status.up)
    assert enable(it, 2, STAMP, enabled=True) is it
