"""Metrics on public pages: what is drawn and said of them, below zero too, and nothing of what is not shown."""

import re
from dataclasses import replace
from uuid import uuid4

import pytest

from materials import LONG_AGO, NOW, material
from pinghome_common.events.page_metric import CustomMetric, Metric
from pinghome_common.events.statuspage import ComponentStatus
from statuspage_query.public import chart, site
from statuspage_query.public.chart import Figures
from statuspage_query.public.languages import LANGUAGES
from statuspage_query.public.material import Material, Series, Values, decode, encode
from statuspage_query.public.render import Place
from statuspage_query.public.view import view
from statuspage_query.statuses import Since

HERE = Place(root="", url="https://status.example.com", language="en")
ENGLISH, GERMAN = LANGUAGES["en"], LANGUAGES["de"]


def series(*recent: float | None) -> Series:
    return Series(NOW, [*[None] * (288 - len(recent)), *recent], [*[None] * (90 - len(recent)), *recent])


def custom(it: Material, name: str = "Errors", suffix: str = "per minute") -> CustomMetric:
    return CustomMetric(
        id=uuid4(), organisation=it.page.organisation, page=it.page.id, name=name, suffix=suffix, created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )  # fmt: skip


def pinged(it: Material, *, uptime: bool, times: bool) -> Metric:
    return Metric(
        id=uuid4(), organisation=it.page.organisation, page=it.page.id, name="API", page_name="Acme",
        url="https://api.example.com/secret-path", regions=["r"], shows_uptime=uptime, shows_response_time=times,
        created_at=LONG_AGO, updated_at=LONG_AGO,
    )  # fmt: skip


def body(it: Material, at: Place = HERE) -> str:
    found = site.found("", view(it, NOW), it.timelines, at)
    assert found
    return found.body.decode()


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\N{NO-BREAK SPACE}", " ").split())


def test_custom_metric_shows_its_newest_value_figures_and_both_charts():
    it = material({"Shop": "operational"})
    metric = custom(it)
    values = Values(series=series(3, 11.6, 12.1), newest=12.1, lately=True, average=8.9, least=3, most=12.1)
    it = replace(it, custom_metrics=[metric], values={metric.id: values})
    html = body(it)
    [article] = re.findall(r'<article class="card padded metric".*?</article>', html, re.DOTALL)
    assert article.count("<figure") == 2
    said = text(article)
    assert said.startswith("Errors 12.1 per minute")
    for words in ("Average, 24 hours 8.9 per minute", "Minimum, 24 hours 3 per minute", "Maximum, 24 hours 12.1"):
        assert words in said
    assert "Errors in the last 24 hours: 8.9 per minute on average, from 3 per minute to 12.1 per minute" in article
    german = text(body(it, replace(HERE, language="de")))
    assert "Errors 12,1 per minute" in german
    assert "Kennzahlen" in german
    assert decode(encode(it)).values == it.values


def test_metric_without_points_says_so_and_a_page_without_metrics_nothing():
    it = material({"Shop": "operational"})
    assert "Metrics" not in body(it)
    assert "There are no values yet." in body(replace(it, custom_metrics=[custom(it)]))


@pytest.mark.parametrize(
    ("uptime", "times", "figures", "bars"), [(True, True, 2, 1), (True, False, 0, 1), (False, True, 2, 0)]
)
def test_metric_with_a_url_shows_what_it_says(uptime: bool, times: bool, figures: int, bars: int):
    it = material({"Shop": "operational"})
    metric = pinged(it, uptime=uptime, times=times)
    it = replace(
        it,
        metrics=[metric],
        timelines=it.timelines | {metric.id: [Since(LONG_AGO, ComponentStatus.operational)]},
        response_times={metric.id: series(100, 120)},
    )
    html = body(it)
    [article] = re.findall(r'<article class="card padded metric".*?</article>', html, re.DOTALL)
    assert (article.count("<figure"), article.count('class="bar"')) == (figures, bars)
    assert "secret-path" not in html
    assert metric.id in it.names()


def test_what_is_written_is_text():
    it = material({"Shop": "operational"})
    metric = custom(it, "<i>x</i>", "<b>&</b>")
    values = Values(series=series(1), newest=1, lately=False, average=1, least=1, most=1)
    html = body(replace(it, custom_metrics=[metric], values={metric.id: values}))
    assert "<i>x" not in html
    assert "<b>&</b>" not in html
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in html


@pytest.mark.parametrize(
    ("values", "top", "bottom"),
    [
        ([0], 1e-9, 0), ([0.03], 0.04, 0), ([-3, 5], 6, -4), ([-3, -1], 0, -4), ([1e300, -1e300], 1e300, -1e300),
        ([5e-324], 1e-9, 0),
    ],
)  # fmt: skip
def test_axis_of_any_values_has_round_ends(values: list[float | None], top: float, bottom: float):
    it = chart.figures(values, chart.SMALLEST)
    assert it
    assert (it.top, it.bottom) == (pytest.approx(top), pytest.approx(bottom))
    assert isinstance(it, Figures)


def test_line_below_zero_is_filled_towards_zero():
    unit = chart.of_metric("", ENGLISH)
    drawn = chart.draw("x", "", [10, -10], "", "", unit, ENGLISH)
    assert 'class="line" d="M0 0l1 100"' in drawn
    assert 'class="area" d="M0 0l1 100V50H0z"' in drawn
    assert "<span>10</span><span>0</span><span>\N{MINUS SIGN}10</span>" in drawn


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"), (1, "1"), (12.1, "12.1"), (1234.56, "1235"), (999_999, "999999"), (0.5, "0.5"), (1 / 3, "0.3333"),
        (1e6, "1e+06"), (0.00001, "1e-05"), (-2.5, "-2.5"), (1e300, "1e+300"), (100, "100"), (-0.0, "0"),
    ],
)  # fmt: skip
def test_numbers(value: float, written: str):
    assert ENGLISH.number(value).replace("\N{MINUS SIGN}", "-") == written
    assert GERMAN.number(12.5) == "12,5"
