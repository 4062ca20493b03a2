"""Servers and services are killed; the scenarios are in four files to save time."""

import pytest

from faults.conftest import passed


@pytest.mark.first
@pytest.mark.timeout(1800)  # the first one plays them all
@pytest.mark.parametrize("scenario", ["f1", "f2", "f3"])
def test_nothing_is_lost_or_counted_twice_and_everything_comes_back(checks):
    passed(checks)
