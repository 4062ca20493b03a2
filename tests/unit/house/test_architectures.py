"""Everything that is locked runs on arm64, too, without a compiler."""

import tomllib
from importlib.metadata import files
from pathlib import Path

LOCK = tomllib.loads((Path(__file__).parents[3] / "uv.lock").read_text("utf-8"))
PYTHONS = ("cp311", "cp313")
"""The oldest one that is supported, and that of the image."""

PURE = {"oncalendar"}
"""Published as source alone, which is Python alone."""


def runs(wheel: str, python: str) -> bool:
    """True if a wheel, by its file name, installs with CPython on Linux on arm64."""
    tag, abi, platform = wheel.removesuffix(".whl").split("-")[-3:]
    fits = python in tag or "py3" in tag or (abi == "abi3" and int(tag.removeprefix("cp3")) <= int(python[3:]))
    return fits and (
        platform == "any" or any(each.endswith("_aarch64") and "manylinux" in each for each in platform.split("."))
    )


def test_every_package_has_a_wheel_for_arm64():
    for python in PYTHONS:
        missing = {
            package["name"]
            for package in LOCK["package"]
            if "registry" in package["source"]
            and not any(runs(wheel["url"].rpartition("/")[2], python) for wheel in package.get("wheels", ()))
        }
        assert missing == PURE, python


def test_what_is_source_alone_is_python_alone():
    for name in PURE:
        assert not [path for path in files(name) or () if path.suffix == ".so"], name
