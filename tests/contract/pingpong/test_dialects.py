"""A project is a status page: what is written in one dialect is there in the other, and on the public page."""

from uuid import UUID

from contract.pinghome.watched import watched
from contract.pingpong.conftest import Project
from contract.pingpong.test_incidents import at, gives, ours
from contract.target import eventually, listening
from pinghome_common.dialects.pingpong import short


async def test_what_pingpong_writes_pinghome_and_the_page_show(empty: Project):
    group = await empty.create("component-groups", name="System", description="All of it")
    component = await empty.create("components", name="API", description="Ours", group=group["id"])
    loose = await empty.create("components", name="Loose", showcased=False)
    unified = await empty.ours("/unified")
    assert [(each["id"], each["showcased"]) for each in unified["components"]] == [(ours(loose), False)]
    [shown] = unified["groups"]
    assert (shown["id"], shown["name"], shown["description"]) == (ours(group), "System", "All of it")
    assert [(each["id"], each["type"]) for each in shown["components"]] == [(ours(component), "manual")]
    incident = await gives(
        empty, component, "Major issues", title="Pong", message="<i>On</i> it", notify_subscribers=True
    )
    update = await empty.create(f"incidents/{incident['id']}/updates", status="Verifying", message="Nearly")
    seen = await empty.ours(f"/incidents/{ours(incident)}")
    assert (seen["title"], seen["message"], seen["status"], seen["notify"]) == (
        "Pong",
        "<i>On</i> it",
        "monitoring",
        True,
    )
    assert (seen["impact"], seen["components"]) == ("major", [{"id": ours(component), "status": "partial-outage"}])
    assert [(each["id"], each["message"], each["notify"]) for each in seen["updates"]] == [
        (ours(update), "Nearly", True)
    ]
    work = await empty.create("maintenance", title="Work", affected_components=[component["id"]])
    seen = await empty.ours(f"/maintenances/{ours(work)}")
    assert (seen["title"], seen["status"], seen["components"]) == ("Work", "scheduled", [ours(component)])
    page = (await empty.http.get(f"/status/{empty.page['subdomain']}")).text
    assert all(word in page for word in ("System", "API", "Pong", "Nearly", "Work"))
    assert "Loose" not in page
    summary = (await empty.http.get(f"/status/{empty.page['subdomain']}/api/v2/summary.json")).json()
    assert summary["incidents"][0]["id"] == ours(incident)
    assert await empty.get(f"component-groups/{group['id']}") == component["group"]


async def test_what_pinghome_writes_pingpong_shows(empty: Project):
    url = f"statuspage-cmd/v1/statuspage/{empty.page['id']}"
    body = {"name": "Renamed " + "x" * 60, "components": [{"name": "By hand", "type": "manual", "status": "offline"}],
            "groups": [{"name": "Group", "components": [{"name": "In it", "type": "manual"}]}]}  # fmt: skip
    page = (await empty.owner("PUT", url, json=body)).json()["statuspage"]
    hand, grouped = await empty.get("components")
    assert hand["project"] == body["name"][:50]
    assert (hand["id"], hand["status"]) == (short(UUID(page["components"][0]["id"])), "Critical state")
    assert (grouped["name"], grouped["group"]["name"]) == ("In it", "Group")
    given = [{"id": ours(grouped), "status": "degraded"}]
    made = await empty.owner.tells(empty.page["id"], "incident", title="Ping", components=given, status="identified")
    it = await empty.get(f"incidents/{short(UUID(made['id']))}")
    assert (it["title"], it["status"], it["message"], it["updates"]) == ("Ping", "In progress", "<div></div>", [])
    assert [(each["name"], each["status"]) for each in it["affected_components"]] == [("In it", "Minor issues")]
    for status, word in (("monitoring", "Verifying"), ("resolved", "Resolved")):
        await empty.owner.tells(empty.page["id"], f"incident/{made['id']}/update", status=status, message="Text")
        it = await empty.get(f"incidents/{it['id']}")
        assert (it["status"], it["updates"][-1]["status"], it["updates"][-1]["message"]) == (
            word,
            word,
            "<div>Text</div>",
        )
    postmortem = {"message": "Learnt"}
    await empty.owner("PUT", f"{url}/incident/{made['id']}/postmortem", json=postmortem)
    assert (await empty.get(f"incidents/{it['id']}"))["status"] == "Resolved"
    rule = {"rrule": "FREQ=DAILY", "scheduled_for": at(3600), "duration": 30, "title": "Each day"}
    made = await empty.owner.tells(empty.page["id"], "maintenance", **rule)
    assert {each["name"] for each in await empty.get("maintenance")} == {"Each day"}
    assert (await empty("GET", f"maintenance/{short(UUID(made['id']))}")).status_code == 404
    removed = await empty.owner("DELETE", f"{url}/incident/{ours(it)}")
    assert removed.status_code == 200
    assert await empty.get("incidents") == []


async def test_component_that_follows_a_monitor_keeps_following_it(empty: Project):
    async with listening() as site:
        monitor = await watched(empty.owner, site)
        url = f"statuspage-cmd/v1/statuspage/{empty.page['id']}"
        follows = {"name": "Site", "type": "resource", "resource_id": monitor.id}
        await empty.owner("PUT", url, json={"components": [follows]})
        [component] = await empty.get("components")
        path = f"components/{component['id']}"
        await eventually(lambda: empty.get(path), lambda it: it["status"] == "Operational")
        assert (await empty.change(path, name="Renamed", status="Minor issues"))["status"] == "Minor issues"
        for follow in ("Operational", None):
            assert (await empty.change(path, status=follow))["status"] == "Operational"
            assert (await empty.change(path, status="Unavailable"))["status"] == "Unavailable"
        await empty.change(path, status=None)
        await site.stop()
        await monitor.until("down")
        await eventually(lambda: empty.get(path), lambda it: it["status"] == "Critical state")
        assert (await empty.change(path, status=None))["status"] == "Critical state"
