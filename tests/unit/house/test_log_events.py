"""Log events are stable snake_case keys; what varies is in their fields."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
PLACES = ("libs/*/src", "services/*/src", "deploy/*/src")


def events() -> Iterator[tuple[Path, int, ast.expr]]:
    for path in sorted(path for place in PLACES for folder in ROOT.glob(place) for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"log.{level}" for level in LEVELS}:
                yield path, node.lineno, node.args[0]


def test_log_events_are_snake_case_keys() -> None:
    found = [
        f"{path}:{line}"
        for path, line, event in events()
        if not (isinstance(event, ast.Constant) and re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", str(event.value)))
    ]
    assert found == []


def test_events_are_found() -> None:
    assert len(list(events())) > 10
