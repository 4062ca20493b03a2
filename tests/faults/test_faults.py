"""Servers and services are killed, frozen and away."""

from pathlib import Path

import pytest

SCENARIOS = sorted(path.stem for path in Path(__file__).parent.glob("scenarios/f*.py"))


@pytest.mark.first
@pytest.mark.timeout(900)  # the first one plays them all
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_is_lost_or_counted_twice_and_everything_comes_back(checks):
    assert [it for it in checks if it["passed"] is False] == []
    assert any(it["passed"] for it in checks)
