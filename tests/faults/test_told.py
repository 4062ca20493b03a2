"""Monitors, channels and subscribers while targets, tenants and our own processes fail."""

import pytest

from faults.conftest import passed


@pytest.mark.first
@pytest.mark.timeout(1800)  # the first one plays them all
@pytest.mark.parametrize("scenario", ["h1", "m0", "n1", "n2", "n3", "s1", "s2"])
def test_every_change_is_told_and_nothing_else(checks):
    passed(checks)
