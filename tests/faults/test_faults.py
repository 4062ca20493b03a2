"""The short form of the fault harness; `make faults` plays the long one."""

# ruff: noqa: S603  # our own program

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCENARIOS = sorted(path.stem for path in (HERE / "scenarios").glob("[a-z]*.py"))


@pytest.fixture(scope="module")
def found(request, tmp_path_factory):
    """What the harness found, played once for all scenarios that were asked for; it tells its progress on stderr."""
    asked = [item.callspec.params["scenario"] for item in request.session.items if item.path == Path(__file__)]
    told = tmp_path_factory.mktemp("faults") / "found.json"
    done = subprocess.run(
        [sys.executable, HERE, "--short", "--json", told, *asked], check=False, stdout=subprocess.PIPE
    )
    print(done.stdout.decode())
    return json.loads(told.read_text())


@pytest.mark.timeout(900)  # the first one plays them all
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_is_lost_or_counted_twice_and_everything_comes_back(scenario, found):
    checks = [it for it in found["checks"] if it["scenario"] == scenario.upper()]
    failed = [f"{it['name']}: {it['value']}, wanted {it['wanted']}" for it in checks if it["passed"] is False]
    assert failed == [], f"seed {found['seed']}"
    assert any(it["passed"] for it in checks)
