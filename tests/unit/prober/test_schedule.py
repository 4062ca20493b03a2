"""The schedule that a prober keeps: the slots in which the broker would fire, on disk as it travels."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from croniter import croniter

from pinghome_common.events.probe import Job
from pinghome_common.secret import seal
from prober.schedule import MISSED, Schedule, Slots
from resource_cmd.scheduling.scheduler import cron

NOW = datetime(2026, 11, 21, 12, 34, 56, tzinfo=UTC).timestamp()


def fires(job: Job, begin: float, end: float) -> list[int]:
    """The seconds at which the broker fires, by the expression that it is given."""
    expression = cron(job.resource, job.interval)
    found = croniter(expression, begin - 1, second_at_beginning=True)
    times = []
    while (at := int(found.get_next(float))) <= end:
        times.append(at)
    return times


@pytest.mark.parametrize("interval", [5, 15, 60, 300, 3600, 7200, 86400])
def test_slots_are_those_of_the_broker_each_once(interval):
    jobs = {it: Job(resource=it, type="http", interval=interval) for it in (uuid4() for _ in range(5))}
    span, step = 3 * interval, max(interval / 7, 1)
    slots, seen, at = Slots(jobs, NOW), [], NOW
    while at < NOW + span:
        seen += [(job.resource, slot) for job, slot in slots.due(at)]
        at += step
    last = at - step
    for resource, job in jobs.items():
        expected = list(fires(job, int(NOW - MISSED) + 1, last))
        found = [slot for each, slot in seen if each == resource]
        assert found == expected[len(expected) - len(found) :]
        assert {slot for slot in expected if slot > NOW} <= set(found)


def test_after_a_long_pause_only_the_newest_slot_is_due():
    job = Job(resource=UUID(int=7), type="http", interval=5)
    slots = Slots({job.resource: job}, NOW)
    ((_, slot),) = slots.due(NOW + 3600)
    assert NOW + 3595 < slot <= NOW + 3600
    assert list(slots.due(NOW + 3600)) == []


def test_it_comes_back_from_disk_with_its_secrets_sealed(tmp_path):
    path, key = tmp_path / "0" / "schedule", bytes(32)
    sealed = seal(key, json.dumps([{"Authorization": "Bearer hush"}, "hush"]).encode())
    job = Job(resource=uuid4(), type="http", interval=60, url="http://example.com/", sealed=sealed)
    schedule = Schedule(path)
    assert schedule.jobs == {}
    schedule.jobs[job.resource], schedule.lead = job, 3600.0
    schedule.save()
    assert b"hush" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    again = Schedule(path)
    assert (again.jobs, again.lead) == ({job.resource: job}, 3600.0)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x80\x80", b"\x82\xa4lead\xcb"])
def test_a_file_that_cannot_be_read_is_an_empty_schedule(tmp_path, data):
    path = tmp_path / "schedule"
    path.write_bytes(data)
    assert Schedule(path).jobs == {}
