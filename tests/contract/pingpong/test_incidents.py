"""How incidents and maintenance behave: statuses, what components are given, updates, who is told (contract C.2, I)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.pinghome.test_subscribers_told import ledger, mailed, subscribed
from contract.pingpong.conftest import Project
from contract.target import eventually
from mail_sink import MailSink

SECOND = "%Y-%m-%dT%H:%M:%SZ"


def at(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime(SECOND)


async def shown(project: Project, component: dict[str, Any]) -> str:
    return (await project.get(f"components/{component['id']}"))["status"]


async def gives(project: Project, component: dict[str, Any], status: str, **fields: Any) -> dict[str, Any]:
    """An incident that gives a component a status."""
    affected = [{"id": component["id"], "status": status}]
    return await project.create("incidents", affected_components=affected, **fields)


@pytest.mark.parametrize(
    ("status", "color", "ours"),
    [
        ("Unknown", "gray", "unknown"),
        ("Operational", "green", "operational"),
        ("Minor issues", "orange", "degraded"),
        ("Major issues", "orange", "partial-outage"),
        ("Critical state", "red", "offline"),
        ("Maintenance mode", "gray", "maintenance"),
        ("Unavailable", "red", "offline"),
    ],
)
async def test_status_of_a_component_has_a_colour_and_a_word_of_ours(
    project: Project, status: str, color: str, ours: str
):
    it = await project.create("components", name=status, status=status.upper())
    assert (it["status"], it["status_color"]) == (status, color)
    changed = await project("PUT", f"components/{it['id']}/status", json={"status": status.lower()})
    assert changed.json() == {"id": it["id"], "status": status, "status_color": color}
    seen = {each["name"]: each["status"] for each in (await project.ours("/components"))["data"]}
    assert seen[status] == ours


async def test_status_of_null_is_unknown(project: Project):
    it = await project.create("components", status=None)
    assert (it["status"], it["status_color"]) == ("Unknown", "gray")
    assert (await project.create("components"))["status"] == "Operational"


async def test_incident_overrides_a_status_and_gives_it_back_when_it_is_resolved(empty: Project):
    component = await empty.create("components", status="Minor issues")
    incident = await gives(empty, component, "Critical state")
    assert incident["affected_components"][0]["status"] == "Critical state"
    assert await shown(empty, component) == "Critical state"
    changed = await empty("PUT", f"components/{component['id']}/status", json={"status": "Operational"})
    assert changed.json()["status"] == "Critical state"
    worse = await gives(empty, component, "Minor issues")
    assert await shown(empty, component) == "Critical state"
    update = await empty.create(f"incidents/{incident['id']}/updates", status="resolved", message="Fixed")
    assert await shown(empty, component) == "Minor issues"
    assert [each["id"] for each in await empty.get("incidents/ongoing")] == [worse["id"]]
    assert [each["id"] for each in (await empty.get("live"))["incidents"]] == [worse["id"]]
    seen = await empty.get(f"incidents/{incident['id']}")
    assert (seen["status"], seen["updates"]) == ("Resolved", [update])
    await empty("DELETE", f"incidents/{incident['id']}/updates/{update['id']}")
    assert await shown(empty, component) == "Critical state"
    assert (await empty.get(f"incidents/{incident['id']}"))["status"] == "In progress"
    await empty.create(f"incidents/{incident['id']}/updates", status="Resolved")
    await empty.create(f"incidents/{worse['id']}/updates", status="Resolved")
    assert await shown(empty, component) == "Operational"


async def test_other_components_of_an_incident_are_no_update_and_change_no_status(empty: Project):
    one, another = [await empty.create("components", name=name) for name in "ab"]
    incident = await gives(empty, one, "Minor issues")
    path = f"incidents/{incident['id']}"
    changed = await empty.change(path, affected_components=[{"id": another["id"], "status": "Unavailable"}])
    assert (changed["status"], changed["updates"]) == ("In progress", [])
    assert [each["id"] for each in changed["affected_components"]] == [another["id"]]
    assert (await shown(empty, one), await shown(empty, another)) == ("Operational", "Unavailable")
    first = await empty.create(f"{path}/updates", status="Identified")
    changed = await empty.change(path, affected_components=[{"id": one["id"], "status": "Major issues"}])
    assert (changed["status"], changed["updates"]) == ("Identified", [first])
    silent = (await empty.ours(f"/incidents/{ours(incident)}"))["updates"][-1]
    assert (silent["status"], silent["message"]) == ("identified", "")
    first = await empty.change(f"{path}/updates/{first['id']}", status="Verifying")
    assert await empty.get(path) == changed | {"status": "Verifying", "updates": [first]}
    assert (await empty.ours(f"/incidents/{ours(incident)}"))["status"] == "monitoring"
    assert (await empty("DELETE", f"{path}/updates/{first['id']}")).status_code == 204
    seen = await empty.get(path)
    assert (seen["status"], seen["updates"]) == ("In progress", [])
    assert await shown(empty, one) == "Major issues"
    assert (await empty.ours(f"/incidents/{ours(incident)}"))["status"] == "investigating"


def ours(it: dict[str, Any]) -> str:
    """The id by which PingHome knows something."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    value = 0
    for each in it["id"]:
        value = value * 62 + digits.index(each)
    found = f"{value:032x}"
    return "-".join((found[:8], found[8:12], found[12:16], found[16:20], found[20:]))


async def test_occurred_at_null_is_now_and_times_without_an_offset_are_utc(project: Project):
    it = await project.create("incidents", occurred_at=None)
    assert it["occurred_at"] == it["created_at"]
    path = f"incidents/{it['id']}"
    assert (await project.change(path, occurred_at="2026-01-02T03:04:05+02:00"))[
        "occurred_at"
    ] == "2026-01-02T01:04:05Z"
    assert (await project.change(path, occurred_at="2026-01-02T03:04:05.5"))["occurred_at"] == "2026-01-02T03:04:05Z"
    assert (await project.change(path, occurred_at=None))["occurred_at"] == it["created_at"]


async def test_maintenance_follows_the_clock(empty: Project):
    component = await empty.create("components", status="Major issues")
    ids = [component["id"]]
    it = await empty.create("maintenance", scheduled_for=at(3600), ends_at=at(7200), affected_components=[component])
    path = f"maintenance/{it['id']}"
    assert (it["status"], it["affected_components"]) == ("Upcoming", [component])
    assert (await empty.get("live"))["maintenance"] == []
    begins, ends = at(2), at(5)
    assert (await empty.change(path, scheduled_for=begins, ends_at=ends, affected_components=ids))["ends_at"] == ends
    await eventually(lambda: empty.get(path), lambda seen: seen["status"] == "In progress")
    assert await shown(empty, component) == "Maintenance mode"
    answer = await empty("PATCH", path, json={"scheduled_for": at(60), "ends_at": at(90)})
    assert (answer.status_code, answer.json()) == (
        409,
        {"detail": "The maintenance has begun; only its end may change."},
    )
    await eventually(lambda: empty.get(path), lambda seen: seen["status"] == "Complete")
    assert await shown(empty, component) == "Major issues"
    assert (await empty.change(path, name="What it was"))["name"] == "What it was"


async def test_subscribers_are_told_when_it_is_said_and_of_the_updates_of_what_they_were_told(
    mails: MailSink, empty: Project
):
    await empty.owner("PUT", f"statuspage-cmd/v1/statuspage/{empty.page['id']}", json={"subscription_enabled": True})
    address, _ = await subscribed(empty.owner, empty.page)
    component = await empty.create("components")
    hushed = await empty.create("incidents", title="Hushed")
    await empty.create(f"incidents/{hushed['id']}/updates", status="Resolved")
    told = await empty.create("incidents", title="Told", message="<b>Down</b>", notify_subscribers=True)
    await empty.create(f"incidents/{told['id']}/updates", status="Identified", message="Found it")
    await empty.change(f"incidents/{told['id']}", title="Told, edited", notify_subscribers=True)
    await empty.create("maintenance", title="Hushed work")
    await empty.create("maintenance", title="Work", notify_subscribers=True, affected_components=[component["id"]])
    _, *told_of = await mailed(mails, address, 4)  # the first asks whether it wants
    subjects = [str(each["Subject"]) for each in told_of]
    assert [word in each for word, each in zip(("Told", "Told", "Work"), subjects, strict=True)] == [True] * 3
    assert not any("Hushed" in each or "edited" in each for each in subjects)


async def test_team_is_told_of_what_a_token_publishes(stranger: dict[str, Any], other: Project):
    channel = await other.owner.channel(service_id=stranger["service_id"])
    await other.create("incidents", title="The team must know")

    async def notices() -> list[dict[str, Any]]:
        return await ledger(other.owner, other.page, channel["id"])

    await eventually(notices, lambda seen: len(seen) == 1)


HTML = [
    ("plain & simple", "plain &amp; simple"),
    ("AT&amp;T", "AT&amp;T"),
    ("<b>a</b><br>b", "<b>a</b><br>b"),
    ("<div>a</div>", "a"),
    ("<div>a</div><div>b</div>", "<div>a</div><div>b</div>"),
    ("<div><div>a</div>b</div>", "<div>a</div>b"),
    ("<strikethrough>a</strikethrough>", "<s>a</s>"),
    ("&lt;script&gt;alert(1)&lt;/script&gt;", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
    ('<p onclick="x()" class="y">a</p><script>alert(1)</script>', "<p>a</p>"),
    ('<img src=x onerror="alert(1)">', ""),
    ("<svg/onload=alert(1)>", ""),
    ('<a href="javascript:alert(1)">a</a>', '<a rel="noopener noreferrer">a</a>'),
    ('<a href="https://example.com/" onmouseover=x>a</a>',
     '<a href="https://example.com/" rel="noopener noreferrer">a</a>'),
    ('<iframe srcdoc="<script>x()</script>"></iframe>', ""),
    ("<div><style>*{}</style><form action=x><input></form>", ""),
    ("</div></div><b>a", "<b>a</b>"),
    ('<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">', None),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "kept"), HTML, ids=lambda it: str(it)[:30])
async def test_html_is_cleaned_and_stands_in_just_one_div(empty: Project, sent: str, kept: str | None):
    component = await empty.create("components")
    incident = await gives(empty, component, "Minor issues", message=sent)
    times = {"scheduled_for": at(-60), "ends_at": at(3600)}
    maintenance = await empty.create("maintenance", message=sent, **times)
    update = await empty.create(f"incidents/{incident['id']}/updates", message=sent)
    found = {each["message"] for each in (incident, maintenance, update)}
    assert len(found) == 1
    message = found.pop()
    if kept is not None:
        assert message == f"<div>{kept}</div>"
    for path, it in ((f"incidents/{incident['id']}", incident), (f"maintenance/{maintenance['id']}", maintenance)):
        assert (await empty.get(path))["message"] == it["message"]
        assert (await empty.change(path, message=it["message"]))["message"] == it["message"]  # and so for ever
    live = await empty.get("live")
    [shown] = live["incidents"]
    inner = message.removeprefix("<div>").removesuffix("</div>")
    assert [shown["message"], shown["updates"][0]["message"], live["maintenance"][0]["message"]] == [inner] * 3
    page = (await empty.http.get(f"/status/{empty.page['subdomain']}")).text
    for text in (str(live), page):
        assert not re.search(r"<(img src=x|script>|svg/|iframe|form action|math)|onclick=|onerror=|javascript:", text)
