"""Schedules as cron expressions with a phase of their own."""

from collections import Counter
from typing import get_args
from uuid import UUID, uuid4

import pytest

from resource_cmd.api.pinghome.resource_body import INTERVALS, UpdateResource
from resource_cmd.scheduling.scheduler import cron

DAY = 86400


def fires(expression: str) -> list[int]:
    """The seconds of a day at which a six-field expression of ours fires."""
    second, minute, hour, *rest = expression.split()
    assert rest == ["*", "*", "*"]
    ranges = [_values(field, size) for field, size in ((second, 60), (minute, 60), (hour, 24))]
    return sorted(h * 3600 + m * 60 + s for s in ranges[0] for m in ranges[1] for h in ranges[2])


def _values(field: str, size: int) -> list[int]:
    if field == "*":
        return list(range(size))
    begin, _, step = field.partition("/")
    return list(range(int(begin), size, int(step))) if step else [int(begin)]


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_allowed_interval_is_kept_over_midnight(interval):
    for _ in range(20):
        at = fires(cron(uuid4(), interval))
        gaps = {(after - before) % DAY or DAY for before, after in zip(at, at[1:] + at[:1], strict=True)}
        assert gaps == {interval}


def test_phases_are_spread_evenly():
    begins = Counter(fires(cron(uuid4(), 60))[0] for _ in range(6000))
    assert len(begins) == 60
    assert max(begins.values()) < 200


def test_the_phase_stays_the_same():
    one = UUID(int=7)
    assert cron(one, 300) == cron(one, 300)


def test_the_documented_intervals_are_the_ones_accepted():
    assert get_args(UpdateResource.model_fields["interval"].annotation) == INTERVALS
