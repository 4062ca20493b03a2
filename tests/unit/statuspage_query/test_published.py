"""Answers are made once, and again when the page has changed or time has passed."""

import asyncio
from datetime import timedelta

import pytest

from materials import NOW, affected, component, incident, material
from pinghome_common.events.statuspage import ComponentStatus
from pinghome_web.language import chosen
from statuspage_query.public import colors
from statuspage_query.public.languages import LANGUAGES
from statuspage_query.public.published import ANSWERS, Published
from statuspage_query.public.render import Place
from statuspage_query.statuses import Since

HERE = Place(root="", url="https://status.example.com", language="en")
MINUTE = timedelta(minutes=1)


def test_answer_is_the_same_bytes_until_the_page_changes():
    it = Published(material({"one": "operational"}))

    first = it.answer("", HERE, NOW)

    assert it.answer("", HERE, NOW + MINUTE) is first
    changed = asyncio.Event()
    it.watchers.add(changed)
    it.become(material({"two": "operational"}))
    assert changed.is_set()
    assert b"two" in it.answer("", HERE, NOW + MINUTE).body


def test_outage_that_goes_on_moves_the_percentage_each_minute():
    one = component("one")
    it = material([one])
    it.timelines[one.id].append(Since(NOW - MINUTE, ComponentStatus.major_outage))
    shown = Published(it)

    first = shown.answer("", HERE, NOW).body

    assert shown.answer("", HERE, NOW + 0.5 * MINUTE).body is first
    assert "Major outage, 1\N{NO-BREAK SPACE}min down" in first.decode()
    assert "Major outage, 2\N{NO-BREAK SPACE}min down" in shown.answer("", HERE, NOW + MINUTE).body.decode()


def test_days_roll_over_at_midnight_of_the_pages_zone():
    it = Published(material({"one": "operational"}, timezone="Asia/Kolkata"))  # midnight is at 18:30
    before = NOW.replace(hour=18, minute=29)

    assert b'data-first="2026-08-30"' in it.answer("", HERE, before).body
    assert b'data-first="2026-08-31"' in it.answer("", HERE, before + MINUTE).body


def test_answers_that_are_kept_are_bounded():
    it = Published(material({"one": "operational"}))

    for place in range(3 * ANSWERS):
        it.answer("", Place(root="", url=f"https://{place}.example", language="en"), NOW)

    assert len(it._answers) <= ANSWERS


def test_incident_is_gone_from_every_answer_when_it_is_deleted():
    one = component("one")
    told = incident("Slow", opened_with=[affected(one, "degraded")])
    it = Published(material([one], incidents=[told]))
    path = f"/incidents/{told.id}"
    assert it.answer(path, HERE, NOW)

    it.become(material([one]))

    assert it.answer(path, HERE, NOW) is None


@pytest.mark.parametrize(
    "accent", ["#000000", "#ffffff", "#ffcc00", "#777777", "#7b7b7b", "#7c7c80", "#3056d3", "#0f766e", "#ff00ff"]
)
def test_accent_colour_can_be_read_everywhere(accent: str):
    sheet = colors.sheet(accent)

    def value(name: str, part: str) -> str:
        return part.split(f"--{name}:")[1][:7]

    light, dark = sheet.split(":root[data-theme=dark]")[0], sheet.split(":root[data-theme=dark]")[1]
    assert colors._contrast(value("accent", light), value("on-accent", light)) >= colors.READABLE
    assert colors._contrast(value("link", light), colors.LIGHT_GROUND) >= colors.READABLE
    assert colors._contrast(value("link", dark), colors.DARK_GROUND) >= colors.READABLE


@pytest.mark.parametrize(
    ("seconds", "english", "german"),
    [
        (0, "0 s", "0 Sek."),
        (59, "59 s", "59 Sek."),
        (61, "1 min", "1 Min."),
        (3661, "1 h 1 min", "1 Std. 1 Min."),
        (86_400, "1 d", "1 T."),
        (5 * 86_400 + 3600, "5 d 1 h", "5 T. 1 Std."),
    ],
)
def test_durations(seconds: float, english: str, german: str):
    said = [LANGUAGES[code].duration(seconds).replace("\N{NO-BREAK SPACE}", " ") for code in ("en", "de")]

    assert said == [english, german]


@pytest.mark.parametrize(
    ("value", "shown"), [(100.0, "100"), (99.9999, "99.99"), (99.9, "99.9"), (0.0, "0"), (33.3333, "33.33")]
)
def test_percentage_is_rounded_down(value: float, shown: str):
    assert LANGUAGES["en"].percent(value) == f"{shown}\N{NARROW NO-BREAK SPACE}%"
    assert LANGUAGES["de"].percent(value).startswith(shown.replace(".", ","))


def test_language_of_the_page_wins_over_the_visitors():
    assert chosen("de", "en", LANGUAGES) == "de"
    assert chosen("auto", "de-CH, en;q=0.9", LANGUAGES) == "de"
    assert chosen("auto", "fr", LANGUAGES) == "en"
