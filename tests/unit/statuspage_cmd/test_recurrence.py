"""Maintenance that comes again: at the same time of the day in summer and winter, as RFC 5545 says."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from pinghome_common.errors import Invalid
from pinghome_common.events.incident import MaintenanceStatus, Recurrence
from statuspage_cmd.maintenance import recurrence
from unit.statuspage_cmd.made import page

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def rule(text: str, start: datetime, zone: str = "Europe/Berlin", **more: Any) -> Recurrence:
    settings = {"title": "x", "rrule": text, "scheduled_for": start, "timezone": zone, "duration": 60} | more
    return recurrence.create(uuid4(), page(), settings, "Jo", NOW)


def begins(it: Recurrence, count: int = 1000, since: datetime | None = None) -> list[str]:
    found = recurrence.starts(it, since or it.scheduled_for)
    return [
        f"{at.astimezone(ZoneInfo(it.timezone)):%d.%m. %H:%M%z}" for at, _ in zip(found, range(count), strict=False)
    ]


def test_occurrences_keep_their_time_of_the_day_over_the_change_of_clocks():
    it = rule("FREQ=WEEKLY;BYDAY=SU", datetime(2026, 3, 22, 22, tzinfo=BERLIN))
    assert begins(it, 3) == ["22.03. 22:00+0100", "29.03. 22:00+0200", "05.04. 22:00+0200"]
    it = rule("FREQ=DAILY", datetime(2026, 10, 24, 22, tzinfo=BERLIN))
    assert begins(it, 2) == ["24.10. 22:00+0200", "25.10. 22:00+0100"]


def test_time_that_the_clock_skips_is_moved_and_one_that_comes_twice_is_the_first():
    it = rule("FREQ=DAILY", datetime(2026, 3, 28, 2, 30, tzinfo=BERLIN))
    assert begins(it, 3) == ["28.03. 02:30+0100", "29.03. 03:30+0200", "30.03. 02:30+0200"]
    it = rule("FREQ=DAILY", datetime(2026, 10, 24, 2, 30, tzinfo=BERLIN))
    assert begins(it, 3) == ["24.10. 02:30+0200", "25.10. 02:30+0200", "26.10. 02:30+0100"]


@pytest.mark.parametrize("zone", ["Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca"])
def test_every_day_of_two_years_begins_at_the_same_time_of_the_day(zone: str):
    it = rule("FREQ=DAILY;COUNT=731", datetime(2026, 1, 1, 12, tzinfo=ZoneInfo(zone)), zone)
    assert {each.split()[1][:5] for each in begins(it)} == {"12:00"}
    assert len(begins(it)) == 731


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", ["27.03. 09:00+0100", "24.04. 09:00+0200"]),
        ("RRULE:FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2", ["31.03. 09:00+0200", "31.05. 09:00+0200"]),
        ("FREQ=DAILY;UNTIL=20260322", ["20.03. 09:00+0100", "21.03. 09:00+0100", "22.03. 09:00+0100"]),
        ("FREQ=DAILY;UNTIL=20260321T080000Z", ["20.03. 09:00+0100", "21.03. 09:00+0100"]),
        ("FREQ=DAILY;UNTIL=20260321T075959Z", ["20.03. 09:00+0100"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=1", ["31.03. 09:00+0200"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=1", ["29.02. 09:00+0100"]),
    ],
)
def test_rules_are_those_of_the_rfc(text: str, expected: list[str]):
    assert begins(rule(text, datetime(2026, 3, 20, 9, tzinfo=BERLIN))) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "FREQ=", "FREQ=SECONDLY", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=DAILY;BYMONTH=13", "FREQ=WEEKLY;BYMONTH=4;BYMONTHDAY=31", "FREQ=DAILY;UNTIL=20200101",
        "FREQ=DAILY;COUNT=0", "freq=daily", "FREQ=DAILY;;", "FREQ=DAILY;BYEASTER=0",
        "FREQ=DAILY;BYSETPOS=0", "FREQ=DAILY;UNTIL=20261399", "FREQ=DAILY;BYDAY=" + ",".join(["MO"] * 400),
    ],
)  # fmt: skip
def test_rule_that_is_none_or_never_comes_true_is_refused_soon(text: str):
    began = time.process_time()
    with pytest.raises(Invalid):
        rule(text, datetime(2026, 3, 20, 9, tzinfo=BERLIN))
    assert time.process_time() - began < 3  # of CPU; 0.1 s where it was measured, without the trick 15


def test_plan_goes_30_days_ahead_and_on_from_there_without_gap_or_double():
    it = rule("FREQ=DAILY", NOW - timedelta(minutes=30))
    made, following = recurrence.plan(it, NOW - timedelta(hours=1), 1, NOW)
    assert [each.status for each in made[:2]] == [MaintenanceStatus.in_progress, MaintenanceStatus.scheduled]
    assert len(made) == 31
    assert made[0].started_at == it.scheduled_for
    later = NOW + timedelta(days=1)
    assert following
    more, _ = recurrence.plan(it, following, 1, later)
    assert [each.scheduled_for for each in more] == [following]
    assert len({each.id for each in made + more}) == 32
    again, _ = recurrence.plan(it, NOW - timedelta(hours=1), 2, NOW)
    assert not {each.id for each in made} & {each.id for each in again}  # of another generation


def test_plan_after_a_long_absence_leaves_out_what_is_over_and_ends_with_the_rule():
    it = rule("FREQ=DAILY;COUNT=40", NOW)
    made, following = recurrence.plan(it, NOW, 1, NOW + timedelta(days=38, minutes=-30))
    assert [each.status for each in made] == [MaintenanceStatus.in_progress, MaintenanceStatus.scheduled]
    assert following is None


def test_occurrences_say_what_their_rule_says():
    it = rule("FREQ=DAILY", NOW)
    first = recurrence.plan(it, NOW, 1, NOW)[0][1]
    changed = recurrence.with_texts(first, replace(it, title="y", notify=True), NOW)
    assert (changed.title, changed.notify, changed.scheduled_for) == ("y", True, first.scheduled_for)
