"""Monitors and jobs while targets, tenants and our own processes fail; a file of its own to save time."""

from pathlib import Path

import pytest

SCENARIOS = sorted(path.stem for path in Path(__file__).parent.glob("scenarios/[!_fns]*.py"))


@pytest.mark.first
@pytest.mark.timeout(1800)  # the first one plays them all
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_outage_is_told_and_nothing_else(checks):
    failed = [f"{it['name']}: {it['value']}, wanted {it['wanted']}" for it in checks if it["passed"] is False]
    assert not failed, f"seed {checks[0]['seed']}: {failed}"
    assert any(it["passed"] for it in checks)
