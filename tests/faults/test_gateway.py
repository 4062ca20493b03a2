"""Agents and jobs while the gateway is killed and away."""

import pytest

from faults.conftest import passed


@pytest.mark.first
@pytest.mark.timeout(1800)  # the first one plays them all
@pytest.mark.parametrize("scenario", ["a1", "m1"])
def test_every_sample_arrives_and_no_job_is_called_down(checks):
    passed(checks)
