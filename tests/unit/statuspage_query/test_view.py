"""What a public page shows of what is known of it."""

from dataclasses import replace
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest

from materials import LONG_AGO, NOW, affected, component, group, incident, maintenance, material, resolved, update
from pinghome_common.events.incident import Impact
from pinghome_common.events.statuspage import Component, ComponentStatus
from statuspage_query.public.view import view
from statuspage_query.statuses import Since

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("statuses", "banner"),
    [
        (["operational", "operational"], "none"),
        (["operational", "unknown"], "none"),
        (["unknown", "unknown"], "unknown"),
        ([], "unknown"),
        (["operational", "degraded"], "minor"),
        (["degraded", "degraded"], "minor"),
        (["operational", "partial-outage"], "major"),
        (["partial-outage", "partial-outage"], "major"),
        (["major-outage", "operational"], "major"),
        (["major-outage", "unknown"], "major"),
        (["major-outage", "unavailable"], "critical"),
        (["maintenance", "operational"], "maintenance"),
        (["maintenance", "unknown"], "maintenance"),
        (["maintenance", "degraded"], "minor"),
        (["maintenance", "major-outage"], "major"),
    ],
)
def test_banner_is_the_worst_of_what_components_show(statuses, banner):
    named = {f"c{place}": status for place, status in enumerate(statuses)}

    assert view(material(named), NOW).indicator == banner


def test_banner_knows_the_impact_of_open_incidents_and_no_maintenance_hides_it():
    running = maintenance("Disks", -HOUR, 2 * HOUR)
    it = material({"a": "operational"}, incidents=[incident("Slow", impact=Impact.critical)], maintenances=[running])

    assert view(it, NOW).indicator == "critical"
    it.incidents = [resolved("Slow", 3 * HOUR, impact=Impact.critical)]
    assert view(it, NOW).indicator == "maintenance"
    it.maintenances = []
    assert view(it, NOW).indicator == "none"


def test_impact_is_the_worst_that_the_incident_has_given_unless_somebody_said():
    one = component("one")
    open_ = incident("Down", opened_with=[affected(one, "major-outage")], components=[affected(one, "degraded")])
    better = update(open_, "monitoring", components=[affected(one, "degraded")])
    it = material([one], incidents=[open_], updates={open_.id: [better]})

    assert view(it, NOW).open[0].impact is Impact.critical
    open_.impact = Impact.minor
    assert view(it, NOW).open[0].impact is Impact.minor


def test_ninety_days_with_today_in_the_pages_zone_and_the_uptime_of_all_of_them():
    one = component("one")
    changes = [Since(LONG_AGO, ComponentStatus.operational)]
    changes += [
        Since(NOW - 26 * HOUR, ComponentStatus.major_outage),
        Since(NOW - 25 * HOUR, ComponentStatus.operational),
    ]
    it = material([one], timelines={one.id: changes}, timezone="Pacific/Auckland")

    shown = view(it, NOW).components[0]

    assert len(shown.days) == 90
    assert shown.days[-1][0] == "2026-11-28"  # it is tomorrow there
    assert [date for date, span in shown.days if span.downtime] == ["2026-11-26"]
    assert shown.uptime == 99.9537  # one hour of 2160


def test_sections_are_those_without_a_group_then_the_groups_in_order_without_empty_ones():
    first, empty, second = group("first"), group("empty"), group("second")
    listed = [component("in second", group=second.id), component("alone"), component("in first", group=first.id)]

    shown = view(material(listed, [first, empty, second]), NOW)

    assert [(each.group and each.group.name, each.components[0].name) for each in shown.sections] == [
        (None, "alone"),
        ("first", "in first"),
        ("second", "in second"),
    ]


def test_what_fails_comes_first_when_the_page_says_so():
    statuses = {"a": "operational", "b": "degraded", "c": "unknown", "d": "major-outage"}

    named = [each.name for each in view(material(statuses, failing_first=True), NOW).components]

    assert named == ["d", "b", "a", "c"]
    assert [each.name for each in view(material(statuses), NOW).components] == ["a", "b", "c", "d"]


def test_timeline_is_newest_first_and_ends_with_the_opening_then_the_postmortem_leads():
    one = component("one")
    over = resolved("Down", 5 * HOUR, message="<p>Oh</p>", opened_with=[affected(one, "major-outage")])
    over.postmortem, over.postmortem_at = "<p>Why</p>", NOW
    told = [update(over, "monitoring", "<p>Better</p>", components=[affected(one, "degraded")])]
    told.append(update(over, "resolved", "<p>Done</p>", components=[affected(one, "operational")]))

    shown = view(material([one], incidents=[over], updates={over.id: told}), NOW).incidents[0]

    assert [each.status for each in shown.updates] == ["postmortem", "resolved", "monitoring", "investigating"]
    assert [(each.before, each.status) for entry in shown.updates for each in entry.components] == [
        ("degraded", "operational"),
        ("major-outage", "degraded"),
        ("operational", "major-outage"),
    ]
    assert [(each.name, each.status) for each in shown.components] == [("one", "major-outage")]


def test_maintenance_is_under_way_ahead_or_over():
    told = [maintenance(name, begins * DAY) for name, begins in (("far", 9), ("soon", 2), ("last", -2), ("old", -20))]
    told.append(maintenance("now", -HOUR, 2 * HOUR))

    shown = view(material({"a": "operational"}, maintenances=told), NOW)

    assert [each.title for each in shown.upcoming] == ["soon", "far"]
    assert [each.title for each in shown.running] == ["now"]
    assert [each.title for each in shown.recent] == ["last"]
    assert [(month, [each.title for each in found]) for month, found in shown.history] == [
        ("2026-11", ["now", "last", "old"])
    ]


def test_history_is_by_month_of_the_pages_zone():
    told = [resolved("a", NOW - LONG_AGO.replace(year=2026, month=11, day=1, hour=3)), resolved("b", 40 * DAY)]

    shown = view(material({"a": "operational"}, incidents=told, timezone="America/New_York"), NOW)

    assert [month for month, _ in shown.history] == ["2026-10"]


def test_hidden_components_count_nowhere_and_leave_no_trace():
    seen, hidden = component("seen"), component("canary", showcased=False, description="canary")
    alone = group("canary")
    grouped = component("canary", showcased=False, group=alone.id)
    down = [Since(LONG_AGO, ComponentStatus.major_outage)]
    of_both = incident("Both", opened_with=[affected(seen, "degraded"), affected(hidden, "major-outage")])
    of_both.components = of_both.opened_with
    of_hidden = incident("canary", opened_with=[affected(hidden, "major-outage")])
    it = material(
        [seen, hidden, grouped],
        [alone],
        incidents=[of_both, of_hidden],
        maintenances=[
            maintenance("canary", -HOUR, 2 * HOUR, components=[hidden.id]),
            maintenance("Both", DAY, components=[hidden.id, seen.id]),
        ],
    )
    it.timelines |= {hidden.id: down, grouped.id: down}

    shown = view(it, NOW)

    shown.page.components, shown.page.groups = [], []  # what is drawn are the views
    assert "canary" not in repr(shown)
    assert str(hidden.id) not in repr(shown)
    assert shown.indicator == "minor"
    assert [each.impact for each in shown.open] == [Impact.minor]


def test_what_the_clock_has_said_names_only_what_is_shown_now():
    listed = [component(name) for name in ("Shop", "Bank", "Mail & More")]
    shop, bank, mail = listed
    down = [affected(each, "major-outage") for each in listed]
    said = "Our monitoring reports that Shop and Bank are down."
    own = {"automatic": True, "reported_by": "", "composed": ["title", "message"]}
    it = incident("Shop and Bank are down", opened_with=down[:2], components=down, message=said, **own)
    updates = [
        update(it, "investigating", "Mail & More is down, too.", components=down, composed=["message"]),
        update(it, "resolved", "All that was affected works again.", components=down, composed=["message"]),
        update(it, "investigating", "Shop is down again.", components=down[:1], composed=["message"]),
    ]

    def told(*hidden: Component) -> list[str]:
        shown = [replace(each, showcased=each not in hidden) for each in listed]
        found = view(material(shown, incidents=[it], updates={it.id: updates}), NOW).incidents
        said = [words for each in found for words in (each.title, *(entry.message for entry in each.updates[::-1]))]
        return [unescape(words.removeprefix("<p>").removesuffix("</p>")) for words in said]

    again = "All that was affected works again."
    assert told() == [it.title, it.message, *(each.message for each in updates)]
    assert told(bank) == ["Shop is down", "Shop is down.", "Mail & More is down.", again, "Shop is down again."]
    assert told(mail) == [it.title, it.message, "", again, "Shop is down again."]
    assert told(shop, bank) == ["Mail & More is down", "", "Mail & More is down.", again, ""]
    assert told(*listed) == []
    it.composed, it.title = ["message"], "As somebody has put it"
    assert told(bank)[:2] == ["As somebody has put it", "Shop is down."]


def test_what_the_clock_has_said_of_a_component_that_is_gone_goes_with_it():
    it = incident("Shop is down", opened_with=[affected(uuid4(), "major-outage")], composed=["title", "message"])
    assert view(material({"Bank": "operational"}, incidents=[it]), NOW).incidents == []
