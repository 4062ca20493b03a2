"""The short form of the fault harness, for the tests; `make faults` plays the long one."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import forking
from running import prepared

CODE = f"import runpy; runpy.run_path({str(Path(__file__).parent)!r}, run_name='__main__')"
"""The harness, in a process that has imported the platform."""


@pytest.fixture(scope="module")
def found(request, tmp_path_factory) -> dict[str, Any]:
    """What the harness found, played once for all scenarios of a file; it tells its progress on stderr."""
    asked = [item.callspec.params["scenario"] for item in request.session.items if item.path == request.path]
    told = tmp_path_factory.mktemp("faults") / "found.json"
    asyncio.run(prepared(told.with_name("prepared")))  # which the platforms under test copy
    progress = sys.__stderr__.buffer
    harness = forking.fork(CODE, "--short", "--json", str(told), *asked, env=os.environ, out=progress, err=progress)
    asyncio.run(harness.wait())
    return json.loads(told.read_text())


@pytest.fixture
def checks(scenario: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of one scenario, with the seed of the run."""
    return [it | {"seed": found["seed"]} for it in found["checks"] if it["scenario"] == scenario.upper()]


def passed(checks: list[dict[str, Any]]) -> None:
    """Nothing of a scenario failed, and something was judged."""
    failed = [f"{it['name']}: {it['value']}, wanted {it['wanted']}" for it in checks if it["passed"] is False]
    assert not failed, f"seed {checks[0]['seed']}: {failed}"
    assert any(it["passed"] for it in checks)
