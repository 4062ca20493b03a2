"""The charts of response times: where they stand, what they draw and say, and where there are none."""

import re
from dataclasses import replace

import pytest

from materials import NOW, component, material
from pinghome_common.events.statuspage import Followed
from statuspage_query.public import chart, site
from statuspage_query.public.languages import LANGUAGES
from statuspage_query.public.material import Material, Series, decode, encode
from statuspage_query.public.render import FEW, Place
from statuspage_query.public.view import view

HERE = Place(root="", url="https://status.example.com", language="en")
ENGLISH, GERMAN = LANGUAGES["en"], LANGUAGES["de"]
MS = chart.milliseconds(ENGLISH)


def times(*recent: float | None) -> Series:
    """The last averages of five minutes, and the same of days."""
    return Series(NOW, [*[None] * (288 - len(recent)), *recent], [*[None] * (90 - len(recent)), *recent])


def measured(count: int) -> Material:
    listed = [component(f"Service {place}") for place in range(count)]
    return replace(material(listed), response_times={each.id: times(100, 120, 80) for each in listed})


def body(it: Material, path: str, at: Place = HERE) -> str:
    found = site.found(path, view(it, NOW), it.timelines, at)
    assert found, path
    return found.body.decode()


def paths(svg: str, kind: str) -> list[str]:
    return re.findall(rf'<path class="{kind}" d="([^"]*)"', svg)


def test_component_has_its_day_and_its_days_with_axes_and_words():
    it = measured(1)
    html = body(it, f"/components/{it.page.components[0].id}")

    assert html.count("<figure") == 2
    labels = re.findall(r'<div class="plot" role="img" aria-label="([^"]*)"', html)
    ms = "\N{NO-BREAK SPACE}ms"
    figures = f"100{ms} on average, from 80{ms} to 120{ms}"
    assert labels == [
        f"Response time of Service 0 in the last {window}: {figures}" for window in ("24 hours", "90 days")
    ]
    assert (
        re.findall(r'<div class="axis">(.*?)</div>', html)
        == [f"<span>200{ms}</span><span>100{ms}</span><span>0{ms}</span>"] * 2
    )
    assert "24 hours ago" in html
    german = body(it, f"/components/{it.page.components[0].id}", replace(HERE, language="de"))
    assert "Antwortzeit von Service 0, 24 Stunden: im Mittel 100" in german


def test_page_of_few_components_shows_a_line_of_each_and_a_large_one_none():
    assert body(measured(FEW), "").count('class="pace"') == FEW
    assert "Response time" not in body(measured(FEW + 1), "")


@pytest.mark.parametrize("has_any", [False, True])
def test_component_without_response_times_has_no_chart(has_any: bool):
    it = material({"a": "operational"})
    if has_any:  # but not lately
        it.response_times = {it.page.components[0].id: Series(NOW, [None] * 288, [5.0, *[None] * 89])}
    assert "Response time" not in body(it, "")
    assert body(it, f"/components/{it.page.components[0].id}").count("<figure") == has_any


def test_hidden_component_has_no_trace_of_its_response_times():
    listed = [component("Seen"), component("Hidden", showcased=False, type=Followed.resource)]
    it = replace(material(listed), response_times={listed[1].id: times(4711)})
    for path in (*site.PATHS, f"/components/{listed[0].id}"):
        assert b"4711" not in site.found(path, view(it, NOW), it.timelines, HERE).body
    assert site.found(f"/components/{listed[1].id}", view(it, NOW), it.timelines, HERE) is None


def test_line_is_cut_where_nothing_was_measured_and_one_value_is_a_dot():
    drawn = chart.draw("x", "", [10, 20, None, 5, None, 0, 10], "", "", MS, ENGLISH)

    assert paths(drawn, "line") == ["M0 50l1 -50M3 75h0M5 100l1 -50"]
    assert paths(drawn, "area") == ["M0 50l1 -50V100H0zM3 75h0V100H3zM5 100l1 -50V100H5z"]
    assert chart.draw("x", "", [None, None], "", "", MS, ENGLISH) == ""


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 1), (0.4, 1), (1, 1), (1.1, 2), (87, 100), (100, 100), (101, 200), (250, 400), (6001, 8000), (9e5, 1e6)],
)
def test_axis_ends_at_a_round_number(highest: float, top: float):
    assert chart.figures([highest]).top == top


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (0, "0 ms", "0 ms"),
        (0.44, "0.4 ms", "0,4 ms"),
        (9.96, "10 ms", "10 ms"),
        (123.4, "123 ms", "123 ms"),
        (9999, "9999 ms", "9999 ms"),
        (12_345, "12.3 s", "12,3 Sek."),
    ],
)
def test_milliseconds(value: float, english: str, german: str):
    for language, expected in ((ENGLISH, english), (GERMAN, german)):
        assert language.milliseconds(value).replace("\N{NO-BREAK SPACE}", " ") == expected


def test_names_are_text():
    assert "<b>" not in chart.spark("<b>\"'", times(1), ENGLISH).replace("<b>1", "")
    assert "<i>" not in chart.draw("<i>", "", [1.0], "", "", MS, ENGLISH)


def test_snapshot_keeps_them_and_one_of_before_has_none():
    it = measured(1)
    assert decode(encode(it)).response_times == it.response_times
    old = encode(it).replace(b"response_times", b"of_old")
    assert decode(old).response_times == {}
