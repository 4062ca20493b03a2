"""Monitors, channels and subscribers while targets, tenants and our own processes fail."""

from pathlib import Path

import pytest

from faults.conftest import passed

SCENARIOS = sorted({path.stem for path in Path(__file__).parent.glob("scenarios/[!_af]*.py")} - {"m1"})


@pytest.mark.first
@pytest.mark.timeout(1800)  # the first one plays them all
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_change_is_told_and_nothing_else(checks):
    passed(checks)
