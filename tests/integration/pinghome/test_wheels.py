"""`make dist`: the wheels have all that the packages need, and run in an environment that knows no source tree."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UV = ROOT / ".venv/bin/uv"
LOADED = """
from importlib.metadata import distributions
for distribution in distributions():
    if distribution.metadata["Name"].startswith("pinghome"):
        for script in distribution.entry_points:
            function = script.load()
            assert "site-packages" in __import__(script.module).__path__[0]
            print(script.name)
"""


def ran(*command: str | Path, within: Path = ROOT, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PINGHOME_", "VIRTUAL_ENV"))}
    done = subprocess.run(  # noqa: S603  # uv, and what it has installed
        command, cwd=within, env=clean | environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheels of all packages."""
    folder = tmp_path_factory.mktemp("dist")
    ran(UV, "build", "--quiet", "--all-packages", "--wheel", "--out-dir", folder)
    return sorted(folder.glob("*.whl"))


def test_every_file_of_a_package_is_in_its_wheel(wheels: list[Path]):
    packages = [path.parent for pattern in ("libs/*", "services/*", "deploy/*") for path in ROOT.glob(f"{pattern}/src")]
    assert len(wheels) == len(packages)
    inside = {name for wheel in wheels for name in zipfile.ZipFile(wheel).namelist()}
    outside = {
        str(path.relative_to(package / "src"))
        for package in packages
        for path in (package / "src").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert outside - inside == set()


@pytest.mark.timeout(600)
def test_the_wheels_run_in_an_empty_environment(wheels: list[Path], tmp_path: Path):
    made, python = tmp_path / "venv", tmp_path / "venv/bin/python"
    locked = ("--frozen", "--no-dev", "--all-packages", "--no-install-workspace")
    ran(UV, "sync", "--quiet", *locked, UV_PROJECT_ENVIRONMENT=str(made))
    ran(UV, "pip", "install", "--quiet", "--python", python, "--no-index", "--no-deps", *wheels)
    ran(UV, "pip", "check", "--python", python)
    scripts = ran(python, "-I", "-c", LOADED, within=tmp_path).split()
    assert set(scripts) == {
        *("pinghome", "pinghome-agent", "prober", "data-gateway", "resource-cmd", "resource-query"),
        *("console", "statistic-query", "statuspage-cmd", "statuspage-query"),
    }
    for script in ("pinghome", "pinghome-agent"):
        assert "--help" in ran(made / "bin" / script, "--help", within=tmp_path)
