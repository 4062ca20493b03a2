"""A row counts when its median passes and no round is more than 20 % worse (targets.md)."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

spec = spec_from_file_location("figures", Path(__file__).with_name("figures.py"))
figures = module_from_spec(spec)
spec.loader.exec_module(figures)


@pytest.mark.parametrize(
    ("target", "rounds", "verdict"),
    [
        (figures.at_least(0.40, 0.60), [0.41, 0.33, 0.45], "pass"),
        (figures.at_least(0.40, 0.60), [0.41, 0.31, 0.45], "FAIL"),
        (figures.at_least(0.40, 0.60), [0.39, 0.39, 0.90], "FAIL"),
        (figures.at_least(0.40, 0.60), [0.61, 0.33, 0.65], "goal"),
        (figures.at_least(0.40), [9.0], "pass"),
        (figures.at_most(80, 40), [79, 95, 20], "pass"),
        (figures.at_most(80, 40), [79, 97, 20], "FAIL"),
        (figures.at_most(80, 40), [81, 81, 20], "FAIL"),
        (figures.at_most(80, 40), [39, 95, 40], "goal"),
        (None, [1.0], ""),
    ],
)
def test_verdict(target, rounds, verdict):
    assert figures.Figure("row", "figure", target, rounds).verdict == verdict


def test_table_lines_up():
    found = [
        figures.Figure("a", "rate", figures.at_least(0.25, 0.35), [0.2, 0.3]),
        figures.Figure("bb", "ms", None, [1234.5]),
    ]

    assert figures.table(found).splitlines() == [
        "row  figure  median  must    goal    verdict  rounds",
        "a    rate    0.25    ≥ 0.25  ≥ 0.35  pass     0.2 0.3",
        "bb   ms      1234                             1234",
    ]
