"""What is drawn, and what is said of it."""

from console import charts


def test_single_point_is_a_point_and_others_are_lines():
    alone = charts.lines([("average", [None, 4.0, None], "")], 10)
    assert 'class="line average point" d="M300.0 60.0h0"' in alone
    assert 'class="area"' not in alone
    drawn = charts.lines([("average", [None, 4.0, 2.0], "")], 10)
    assert 'class="line average" d="M300.0 60.0l300.0 20.0"' in drawn
    assert "point" not in drawn


def test_what_is_said_is_no_markup():
    drawn = charts.lines([("r0", [1.0], "")], 1, ['"><script>', "two"])
    assert "<script>" not in drawn
    assert "&gt;&lt;script&gt;" in drawn
