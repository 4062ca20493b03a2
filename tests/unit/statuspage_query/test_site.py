"""What each path of a public page answers: HTML, JSON for tools, feeds, and the badge."""

import json
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from materials import NOW, affected, component, group, incident, maintenance, material, resolved, update
from pinghome_common.events.incident import IncidentStatus
from pinghome_common.events.statuspage import ComponentStatus
from statuspage_query.public import site
from statuspage_query.public.languages import LANGUAGES
from statuspage_query.public.material import Material
from statuspage_query.public.render import Place
from statuspage_query.public.view import view
from statuspage_query.statuses import Since

URL = "https://status.example.com"
HERE = Place(root="", url=URL, language="en")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ATOM = "{http://www.w3.org/2005/Atom}"


def answer(it: Material, path: str, at: Place = HERE):
    return site.found(path, view(it, NOW), it.timelines, at)


def body(it: Material, path: str, at: Place = HERE) -> str:
    found = answer(it, path, at)
    assert found, path
    return found.body.decode()


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  # our own


def api(it: Material, name: str):
    return json.loads(body(it, f"/api/v2/{name}.json"))


@pytest.fixture
def whole() -> Material:
    """A page with one of everything."""
    eu = group("Europe")
    web, api_ = component("Website", description="All pages"), component("API", group=eu.id)
    now = incident("API is slow", opened_with=[affected(api_, "partial-outage")], message="<p>We look &amp; see</p>")
    now.components, now.status = [affected(api_, "degraded")], IncidentStatus.identified
    better = update(now, "identified", "<p>Found</p><ul><li>one</li><li>two</li></ul>", components=now.components)
    over = resolved("Website was down", 3 * DAY, message="<p>Down</p>", opened_with=[affected(web, "major-outage")])
    over.postmortem, over.postmortem_at = "<p>A disk</p>", NOW - DAY
    ended = update(over, "resolved", "<p>Up</p>", 3 * DAY - HOUR, components=[affected(web, "operational")])
    return material(
        [web, api_],
        [eu],
        incidents=[now, over],
        updates={now.id: [better], over.id: [ended]},
        maintenances=[
            maintenance("Next week", 7 * DAY, components=[web.id], message="<p>New disks</p>"),
            maintenance("Now", -HOUR, 2 * HOUR, components=[web.id]),
            maintenance("Before", -5 * DAY, components=[web.id]),
        ],
    )


PAGE = {"id", "name", "url", "time_zone", "updated_at"}
COMPONENT = {
    "id", "name", "status", "created_at", "updated_at", "position", "description", "showcase", "start_date", "group_id",
    "page_id", "group", "only_show_if_degraded",
}  # fmt: skip
INCIDENT = {
    "id", "name", "status", "created_at", "updated_at", "monitoring_at", "resolved_at", "impact", "shortlink",
    "started_at", "page_id", "incident_updates", "components",
}  # fmt: skip
UPDATE = {
    "id", "status", "body", "incident_id", "created_at", "updated_at", "display_at", "affected_components",
    "deliver_notifications",
}  # fmt: skip


def test_json_for_tools_has_exactly_the_known_fields(whole: Material):
    found = api(whole, "summary")

    assert set(found) == {"page", "status", "components", "incidents", "scheduled_maintenances"}
    assert set(found["page"]) == PAGE
    assert found["page"]["url"] == URL
    assert found["status"] == {"indicator": "major", "description": "Partial System Outage"}
    website, europe, of_europe = found["components"]
    assert set(website) == set(of_europe) == COMPONENT
    assert set(europe) == COMPONENT | {"components"}
    assert (europe["group"], europe["components"], of_europe["group_id"]) == (True, [of_europe["id"]], europe["id"])
    assert (website["group"], website["group_id"], website["description"]) == (False, None, "All pages")
    (unresolved,) = found["incidents"]
    assert set(unresolved) == INCIDENT
    assert (unresolved["status"], unresolved["impact"], unresolved["resolved_at"]) == ("identified", "major", None)
    assert unresolved["shortlink"] == f"{URL}/incidents/{unresolved['id']}"
    newest, opening = unresolved["incident_updates"]
    assert set(newest) == set(opening) == UPDATE
    assert (newest["body"], opening["body"]) == ("Found\none\ntwo", "We look & see")
    assert newest["affected_components"] == [
        {
            "code": of_europe["id"],
            "name": "API",
            "old_status": "partial_outage",
            "new_status": "degraded_performance",
        }
    ]
    assert [each["id"] for each in unresolved["components"]] == [of_europe["id"]]
    running, upcoming = found["scheduled_maintenances"]
    assert set(running) == set(upcoming) == INCIDENT | {"scheduled_for", "scheduled_until"}
    assert (running["status"], upcoming["status"], running["impact"]) == ("in_progress", "scheduled", "maintenance")


def test_json_for_tools_at_its_eight_paths(whole: Material):
    def names(name: str) -> list[str]:
        found = api(whole, name)
        assert set(found.pop("page")) == PAGE
        ((key, listed),) = found.items()
        assert key == name.partition("/")[0].replace("-", "_")
        return [each["name"] for each in listed]

    assert set(api(whole, "status")) == {"page", "status"}
    assert names("components") == ["Website", "Europe", "API"]
    assert names("incidents") == ["API is slow", "Website was down"]
    assert names("incidents/unresolved") == ["API is slow"]
    assert names("scheduled-maintenances") == ["Next week", "Now", "Before"]
    assert names("scheduled-maintenances/upcoming") == ["Next week"]
    assert names("scheduled-maintenances/active") == ["Now"]
    assert api(whole, "incidents")["incidents"][1]["status"] == "postmortem"
    assert answer(whole, "/api/v2/nothing.json") is None


@pytest.mark.parametrize(
    ("status", "indicator", "description", "component"),
    [
        ("operational", "none", "All Systems Operational", "operational"),
        ("unknown", "none", "All Systems Operational", "operational"),
        ("degraded", "minor", "Partially Degraded Service", "degraded_performance"),
        ("partial-outage", "major", "Partial System Outage", "partial_outage"),
        ("major-outage", "critical", "Major System Outage", "major_outage"),
        ("unavailable", "critical", "Major System Outage", "major_outage"),
        ("maintenance", "maintenance", "Service Under Maintenance", "under_maintenance"),
    ],
)
def test_words_of_the_json_for_tools(status: str, indicator: str, description: str, component: str):
    found = api(material({"one": status}), "summary")

    assert found["status"] == {"indicator": indicator, "description": description}
    assert found["components"][0]["status"] == component


def test_lists_of_the_json_for_tools_end_after_fifty():
    told = [resolved(f"no. {place}", timedelta(days=place)) for place in range(60)]

    listed = api(material({"a": "operational"}, incidents=told), "incidents")["incidents"]

    assert [each["name"] for each in listed] == [each.title for each in told[:50]]


def test_programs_of_other_sites_may_read_what_is_for_them_and_only_that(whole: Material):
    for path in site.PATHS:
        head = dict(answer(whole, path).headers)
        ours = path in ("", "/history", "/widget", "/icon.svg", "/card.png")
        assert (head.get(b"access-control-allow-origin") == b"*") is not ours, path


def test_rss_has_stable_guids_and_links_on_the_pages_own_address(whole: Material):
    channel = parsed(body(whole, "/history.rss"))[0]

    items = channel.findall("item")
    assert channel.findtext("link") == URL
    assert channel.find(f"{ATOM}link").get("href") == f"{URL}/history.rss"
    assert {each.findtext("title") for each in items} == {
        "API is slow",
        "Website was down",
        "Next week",
        "Now",
        "Before",
    }
    of_incident = next(each for each in items if each.findtext("title") == "API is slow")
    assert of_incident.findtext("guid") == f"urn:uuid:{whole.incidents[0].id}"
    assert of_incident.find("guid").get("isPermaLink") == "false"
    assert of_incident.findtext("link") == f"{URL}/incidents/{whole.incidents[0].id}"
    assert parsedate_to_datetime(of_incident.findtext("pubDate")) == whole.incidents[0].created_at
    assert "<p>Found</p>" in of_incident.findtext("description")
    for each in items:
        assert answer(whole, each.findtext("link").removeprefix(URL)), "the link leads somewhere"
    assert body(whole, "/rss") == body(whole, "/history.rss")


def test_atom_and_json_feed_say_the_same(whole: Material):
    feed, listed = parsed(body(whole, "/history.atom")), json.loads(body(whole, "/feed.json"))

    assert feed.findtext(f"{ATOM}id") == f"urn:uuid:{whole.page.id}"
    entries = [
        (*(it.findtext(ATOM + name) for name in ("id", "title", "content")), it.find(f"{ATOM}link").get("href"))
        for it in feed.findall(f"{ATOM}entry")
    ]
    assert entries == [(it["id"], it["title"], it["content_html"], it["url"]) for it in listed["items"]]
    assert len(entries) == 5
    assert body(whole, "/atom") == body(whole, "/history.atom")


def test_feeds_stay_well_formed_whatever_is_written():
    odd = incident("a\x0b\x00<&>]]>\ud7ff😀", message="<p>\x08 &amp;</p>")

    for path in ("/rss", "/atom"):
        assert parsed(body(material({"a": "operational"}, incidents=[odd]), path)) is not None


def test_badge_and_widget_say_the_banner_in_the_pages_language():
    it = material({"a": "degraded"})

    assert "Degraded performance" in body(it, "/badge.svg")
    assert "Eingeschränkte Leistung" in body(it, "/badge.svg", replace(HERE, language="de"))
    assert parsed(body(it, "/badge.svg")).tag.endswith("svg")
    assert b"frame-ancestors *" in dict(answer(it, "/widget").headers)[b"content-security-policy"]
    for path in ("", "/history"):
        assert b"frame-ancestors 'none'" in dict(answer(it, path).headers)[b"content-security-policy"]


def test_tracking_adds_exactly_its_hosts_to_what_a_page_may_load():
    it = material({"a": "operational"})

    policy = dict(answer(it, "").headers)[b"content-security-policy"].decode()

    assert "http" not in policy
    assert "unsafe" not in policy
    it.page.ga_tracking = "G-ABCD1234"
    tracked = dict(answer(it, "").headers)[b"content-security-policy"].decode()
    hosts = {word.rstrip(";").removeprefix("https://") for word in tracked.split() if word.startswith("https://")}
    assert hosts == {
        "www.googletagmanager.com",
        "*.google-analytics.com",
        "*.analytics.google.com",
        "*.googletagmanager.com",
    }


@pytest.mark.parametrize("name", ["Acme", "A" * 300, "状态 😀"])
def test_card_for_chats_is_a_picture_whatever_the_name(name: str):
    it = material({"a": "degraded"}, page_name=name)

    picture = Image.open(BytesIO(answer(it, "/card.png").body))

    assert (picture.format, picture.size) == ("PNG", (1200, 630))
    assert f'<meta property="og:image" content="{URL}/card.png">' in body(it, "")


def test_history_goes_back_by_month():
    told = [resolved(f"in month {back}", timedelta(days=30 * back)) for back in range(6)]
    it = material({"a": "operational"}, incidents=told)

    first = body(it, "/history")

    assert [f"in month {back}" in first for back in range(6)] == [True, True, True, False, False, False]
    assert 'href="/history/2026-08"' in first
    older = body(it, "/history/2026-08")
    assert [f"in month {back}" in older for back in range(6)] == [False, False, False, True, False, False]
    assert 'href="/history/2026-07" rel="next"' in older
    assert 'href="/history" rel="prev"' in older
    assert answer(it, "/history/2025-01") is None
    assert answer(it, "/history/2026-13") is None


def test_each_incident_component_and_maintenance_has_a_page_of_its_own(whole: Material):
    for noun, told in (("incidents", whole.incidents), ("maintenances", whole.maintenances)):
        for each in told:
            assert each.title in body(whole, f"/{noun}/{each.id}")
            assert answer(whole, f"/{'maintenances' if noun == 'incidents' else 'incidents'}/{each.id}") is None
    website = whole.page.components[0]
    shown = body(whole, f"/components/{website.id}")
    for word in ("Website", "All pages", "Website was down", "24 hours", "100"):
        assert word in shown
    assert "API is slow" not in shown


class Elements(HTMLParser):
    """All elements of a document, and the values of their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{70001*70003}}"


def test_no_text_becomes_a_part_of_the_page():
    one = component(EVIL, description=EVIL, group=(eu := group(EVIL)).id)
    eu.description = EVIL
    told = incident(EVIL, opened_with=[affected(one, "degraded")])
    told.components = told.opened_with
    settings = {"name": EVIL, "description": EVIL, "page_name": EVIL, "support_url": f"https://x.test/{EVIL}"}
    it = material(
        [one],
        [eu],
        incidents=[told, resolved(EVIL, DAY)],
        maintenances=[maintenance(EVIL, DAY, components=[one.id])],
        subscription_enabled=True,
        robots_meta_contents=[EVIL],
        **settings,
    )

    paths = [*site.PATHS, f"/components/{one.id}", f"/incidents/{told.id}", "/history/2026-11"]
    for path in paths:
        if any(word in path for word in ("json", "rss", "atom", "png")):
            continue
        for tag, attributes in Elements(body(it, path)).found:
            assert tag != "img", path
            assert not [name for name in attributes if name.startswith("on")], path
            assert tag != "script" or attributes["src"].startswith("/static/page-"), path
            assert "4900280003" not in str(attributes.get("content")), path


def test_pages_have_no_style_or_script_in_them_and_ask_no_other_host(whole: Material):
    whole.page.accent_color = "#aa3366"
    for path in ("", "/history", f"/components/{whole.page.components[0].id}", f"/incidents/{whole.incidents[0].id}"):
        for tag, attributes in Elements(body(whole, path)).found:
            assert tag != "style"
            assert "style" not in attributes
            source = attributes.get("src") or (attributes.get("href") if tag == "link" else None)
            assert source is None or source.startswith(("/", URL)), (tag, attributes)


def test_a_page_with_forty_components_and_an_open_incident_is_light():
    groups = [group(f"Region {place}") for place in range(5)]
    listed = [component(f"Service {place}", group=groups[place % 5].id) for place in range(40)]
    told = incident("Five days of trouble", 5 * DAY, opened_with=[affected(each, "degraded") for each in listed[:9]])
    updates = [update(told, "identified", f"<p>{'Words that matter. ' * 20}</p>") for _ in range(30)]
    it = material(listed, groups, incidents=[told], updates={told.id: updates})
    for place, each in enumerate(listed):
        for back in range(80, place % 7, -5):
            at = NOW - timedelta(days=back, minutes=97 * place % 1000)
            it.timelines[each.id].append(Since(at, ComponentStatus.major_outage))
            it.timelines[each.id].append(Since(at + timedelta(minutes=7 + place), ComponentStatus.operational))

    found = answer(it, "")

    assert len(found.zipped) < 50_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word(language: str, whole: Material):
    assert LANGUAGES[language].words.keys() == LANGUAGES["en"].words.keys()
    for path in site.PATHS:
        assert answer(whole, path, replace(HERE, language=language)).body
