"""A prober whose clock is wrong drops no job that is in time."""

import pytest

from prober.lateness import WINDOW, Lateness


@pytest.mark.parametrize("skew", [0.0, 3600.0, -3600.0, 300.0])
def test_only_what_is_late_by_any_clock_is_late(skew):
    lateness = Lateness("somewhere")
    for second in range(100):
        assert lateness.of(second, second + 0.01 + skew, second) < 0.02
    assert lateness.of(100, 160 + skew, 160) == pytest.approx(59.99)
    assert lateness.of(170, 170.2 + skew, 170) == pytest.approx(0.19)


def test_a_clock_that_is_set_is_believed_after_a_while():
    lateness = Lateness("somewhere")
    lateness.of(0, 0, 0)
    assert lateness.of(1, 3601, 1) == 3600
    for second in (WINDOW + 1, 2 * WINDOW + 2):
        lateness.of(second, second + 3600, second)
    assert lateness.of(700, 4300, 700) == 0
