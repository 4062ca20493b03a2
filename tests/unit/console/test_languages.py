"""Every text of the console is in every language, and no language has a text that nobody says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from console import conditions
from console.language import LANGUAGES
from console.nouns import HEARTBEAT, MONITOR, SERVER
from console.pages import announcing, heartbeats, monitors, operating, outside, servers, statuspages
from console.pages.alerts import KINDS, STATES
from console.pages.overview import HOURS

SOURCE = Path(__file__).parents[3] / "services/console/src/console"
TEXT = r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\''
CALL = re.compile(rf"\bt\((?:{TEXT})")
MANY = re.compile(rf"\bt\.many\([^,]*(?:\([^)]*\))?[^,]*,\s*(?:{TEXT}),\s*(?:{TEXT})")


def said() -> Iterator[str]:
    """All texts, in English."""
    for path in [*SOURCE.glob("templates/*.html"), *SOURCE.rglob("*.py")]:
        text = path.read_text()
        for match in (*CALL.finditer(text), *MANY.finditer(text)):
            yield from filter(None, match.groups())
        if path.suffix == ".py":
            yield from of_calls(ast.parse(text))
    options = [
        *monitors.TYPES, *servers.BOUNDS, *servers.CHARTS.items(), *KINDS, *operating.KINDS, *operating.SCOPES,
        *announcing.STATUSES, *announcing.IMPACTS, *announcing.AFFECTED, *statuspages.TYPES, *statuspages.THEMES,
        *statuspages.LANGUAGES, *statuspages.PICTURES.items(), *servers.SHAPES, *outside.TYPES,
        *conditions.TYPES, *conditions.OPERATORS,
    ]  # fmt: skip
    yield from (label for _, label in options)
    for noun in (MONITOR, HEARTBEAT, SERVER):
        yield from (noun.one, noun.several, f"New {noun.one.lower()}", *(label for _, label in noun.sorts))
        for state in noun.states:
            yield from (state, state.capitalize())
    yield from (each.capitalize() for each in (*STATES, "scheduled", "in progress", "completed", "silent"))
    yield from (f"by {each}" for each in operating.BY)
    yield from ("ready", "not ready", "away")
    yield from (*monitors.WINDOWS, *HOURS, *(f"phase.{each}" for each in monitors.PHASES))
    yield from (label for of in servers.VALUES.values() for _, _, label in of if label)
    yield from ("tick", "run", "complete", "fail", "log", "ign")
    assert heartbeats.PINGS


def of_calls(tree: ast.AST) -> Iterator[str]:
    """What fields are called and explained by, and what pages of errors say."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name == "Field":
                yield from texts([*node.args[1:2], *node.args[3:4]])
                yield from texts(each.value for each in node.keywords if each.arg in ("hint", "unit"))
            elif name in ("_error", "_form", "ask"):
                yield from texts(node.args)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("about", "_ANY", "_DAYS", "hint"):
            yield from texts([node.value])


def texts(nodes) -> Iterator[str]:
    for node in nodes:
        parts = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
        yield from (
            each.value
            for each in parts
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value
        )


SAID = {text for each in said() if not (text := each.replace('\\"', '"')).endswith((" ", "phase."))}
"""Without what is put together from two."""


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_language_says_everything_and_nothing_else(code):
    texts = LANGUAGES[code]._texts
    assert sorted(SAID - texts.keys()) == []
    assert sorted(texts.keys() - SAID) == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_language_keeps_the_places_of_values(code):
    language = LANGUAGES[code]
    for text in SAID:
        assert set(re.findall(r"{\w+}", language._texts.get(text, text))) == set(re.findall(r"{\w+}", text)), text
