"""The platform in containers, once for all tests; they need a Docker engine and say so."""

# ruff: noqa: S603  # docker, wherever it is

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from compose.stack import Stack, Target, build, remove

MISSING = "`make compose-test` needs a Docker engine with `docker compose`: "


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make compose-test ARGS=--cut=600` is what a release has to pass."""
    parser.addoption("--cut", type=float, default=120, help="seconds for which a region is cut off; default: 120")


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Ends the run where there is none."""
    if not shutil.which("docker"):
        pytest.exit(MISSING + "there is no `docker` here", 1)
    for command in (("docker", "compose", "version"), ("docker", "info")):
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            pytest.exit(f"{MISSING}`{' '.join(command)}` says: {done.stdout.strip()}", 1)


@pytest.fixture(scope="session")
def target(engine: None) -> Iterator[Target]:  # noqa: ARG001  # first
    """What is monitored."""
    remove()
    yield Target()
    remove()


@pytest.fixture(scope="session")
def stack(target: Target) -> Iterator[Stack]:  # noqa: ARG001  # whose network it is in
    """The platform, up for the first time."""
    print(f"\nimages built in {build():.1f} s")
    folder = Path(tempfile.mkdtemp(prefix="pinghome-compose-"))
    made = Stack(folder / "deploy")
    said = made.up()
    assert "New keys, which are not shown again:" in said
    yield made
    shutil.rmtree(folder)
