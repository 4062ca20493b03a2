"""Servers and services are killed; the scenarios are in four files to save time."""

from pathlib import Path

import pytest

from faults.conftest import passed

SCENARIOS = sorted(path.stem for path in Path(__file__).parent.glob("scenarios/f[!45]*.py"))


@pytest.mark.first
@pytest.mark.timeout(1800)  # the first one plays them all
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_is_lost_or_counted_twice_and_everything_comes_back(checks):
    passed(checks)
