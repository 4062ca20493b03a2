"""Servers and services are killed, frozen and away."""

from pathlib import Path

import pytest

SCENARIOS = sorted(path.stem for path in Path(__file__).parent.glob("scenarios/f*.py"))


@pytest.mark.first
@pytest.mark.timeout(1800)  # the first one plays them all
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_is_lost_or_counted_twice_and_everything_comes_back(checks):
    failed = [f"{it['name']}: {it['value']}, wanted {it['wanted']}" for it in checks if it["passed"] is False]
    assert not failed, f"seed {checks[0]['seed']}: {failed}"
    assert any(it["passed"] for it in checks)
