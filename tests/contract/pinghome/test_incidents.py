"""Incidents with their updates, and templates: routes of ours (contract H)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contract.answers import done, paginated, refused
from contract.client import Client

COMMANDS = "https://statuspage-cmd.api.pinghome.io/v1/statuspage"
RECORDS = "https://statuspage-query.api.pinghome.io/v1/statuspage"


@pytest.fixture
def client(quiet: Client) -> Client:
    """Whose pages these are."""
    return quiet


@pytest.fixture
async def own(client: Client) -> dict[str, Any]:
    """A page with two components that are set by hand."""
    return await client.page(components=[{"name": name, "type": "manual"} for name in ("shop", "bank")])


def ids(own: dict[str, Any]) -> list[str]:
    return [each["id"] for each in own["components"]]


async def shown(client: Client, own: dict[str, Any]) -> list[str]:
    return [each["status"] for each in (await client.get(f"{RECORDS}/{own['id']}/components"))["data"]]


async def test_incident_is_opened_updated_resolved_and_reopened(call: Client, foreign: Client, own: dict[str, Any]):
    shop, bank = ids(own)
    url = f"{COMMANDS}/{own['id']}/incident"
    body = {"title": "Payments fail", "message": "We look into it.", "components": [{"id": shop, "status": "degraded"}]}
    it = done(await call("POST", url, json=body), "incident", 201)
    assert it | body | {"status": "investigating", "impact": "minor", "notify": True, "automatic": False} == it
    assert it["reported_by"]
    assert await shown(call, own) == ["degraded", "operational"]

    affected = [{"id": shop, "status": "partial-outage"}, {"id": bank, "status": "offline"}]
    sent = {"status": "monitoring", "message": "A fix is out.", "components": affected, "notify": False}
    first = done(await call("POST", f"{url}/{it['id']}/update", json=sent), "update", 201)
    assert first | sent == first
    assert await shown(call, own) == ["partial-outage", "offline"]
    after = await call.get(f"{RECORDS}/{own['id']}/incidents/{it['id']}")
    assert (after["status"], after["impact"], after["components"]) == ("monitoring", "critical", affected)
    assert (after["monitoring_at"], after["resolved_at"]) == (first["created_at"], None)
    assert after["updates"] == [first]

    resolved = done(await call("POST", f"{url}/{it['id']}/update", json={"status": "resolved"}), "update", 201)
    assert resolved["components"] == affected
    assert await shown(call, own) == ["operational", "operational"]
    after = await call.get(f"{RECORDS}/{own['id']}/incidents/{it['id']}")
    assert (after["resolved_at"], after["monitoring_at"]) == (resolved["created_at"], first["created_at"])

    answer = await call("DELETE", f"{url}/{it['id']}/update/{resolved['id']}")
    assert answer.json() == {"message": "Update deleted", "id": resolved["id"]}
    after = await call.get(f"{RECORDS}/{own['id']}/incidents/{it['id']}")
    assert (after["status"], after["resolved_at"], len(after["updates"])) == ("monitoring", None, 1)
    assert await shown(call, own) == ["partial-outage", "offline"]
    listed = paginated(await call("GET", f"{RECORDS}/{own['id']}/incidents"))
    assert [each["id"] for each in listed] == [it["id"]]
    refused(await foreign("GET", f"{RECORDS}/{own['id']}/incidents/{it['id']}"), 404)


async def test_edits_are_honoured_from_their_own_time_on(client: Client, own: dict[str, Any]):
    shop, _ = ids(own)
    url = f"{COMMANDS}/{own['id']}/incident"
    it = await client.tells(own["id"], "incident", components=[{"id": shop, "status": "offline"}])
    first = await client.tells(own["id"], f"incident/{it['id']}/update", status="identified")
    second = await client.tells(own["id"], f"incident/{it['id']}/update", status="resolved")
    edited = {"message": "<b>Found</b>", "components": [{"id": shop, "status": "degraded"}]}
    done(await client("PUT", f"{url}/{it['id']}/update/{first['id']}", json=edited), "update")
    assert (await client.get(f"{RECORDS}/{own['id']}/incidents/{it['id']}"))["status"] == "resolved"
    done(await client("PUT", f"{url}/{it['id']}/update/{second['id']}", json={"status": "monitoring"}), "update")
    after = await client.get(f"{RECORDS}/{own['id']}/incidents/{it['id']}")
    assert (after["status"], after["resolved_at"]) == ("monitoring", None)
    assert after["updates"][0] | edited == after["updates"][0]
    await client("DELETE", f"{url}/{it['id']}/update/{second['id']}")
    assert await shown(client, own) == ["degraded", "operational"]
    days = (await client.get(f"statuspage-query/v1/component/{shop}/statistics", days=1))["days"]
    assert days[-1]["status"] == "offline"  # as it was opened
    refused(await client("PUT", f"{url}/{it['id']}/update/{uuid4()}", json={}), 404)
    assert (await client("DELETE", f"{url}/{it['id']}")).json() == {"message": "Incident deleted", "id": it["id"]}
    assert await shown(client, own) == ["operational", "operational"]
    shown_now = await client.get(f"statuspage-query/v1/component/{shop}/statistics", days=1)
    assert (shown_now["days"][-1]["status"], shown_now["open_incidents"]) == ("operational", [])


async def test_another_status_or_other_components_are_an_update(client: Client, own: dict[str, Any]):
    shop, bank = ids(own)
    it = await client.tells(own["id"], "incident", components=[{"id": shop, "status": "offline"}])
    url = f"{COMMANDS}/{own['id']}/incident/{it['id']}"
    answer = await client("PUT", url, json={"title": "Bank fails", "components": [{"id": bank, "status": "degraded"}]})
    assert (done(answer, "incident")["title"], answer.headers["etag"]) == ("Bank fails", '"v2"')
    assert await shown(client, own) == ["operational", "degraded"]
    done(await client("PUT", url, json={"status": "resolved", "impact": "none"}), "incident")
    after = await client.get(f"{RECORDS}/{own['id']}/incidents/{it['id']}")
    assert [(each["status"], each["message"]) for each in after["updates"]] == [("investigating", ""), ("resolved", "")]
    assert (after["impact"], after["resolved_at"] is None) == ("none", False)
    done(await client("PUT", url, json={"status": "resolved"}), "incident")  # nothing new: no update
    assert len((await client.get(f"{RECORDS}/{own['id']}/incidents/{it['id']}"))["updates"]) == 2
    refused(await client("PUT", url, headers={"If-Match": '"v1"'}, json={"title": "x"}), 412)


async def test_postmortem_is_published_and_taken_back(client: Client, own: dict[str, Any]):
    it = await client.tells(own["id"], "incident")
    url = f"{COMMANDS}/{own['id']}/incident/{it['id']}/postmortem"
    after = done(await client("PUT", url, json={"message": "<p>Learnt</p>"}), "incident")
    assert (after["postmortem"], after["postmortem_at"] is None) == ("<p>Learnt</p>", False)
    after = done(await client("PUT", url, json={"message": ""}), "incident")
    assert (after["postmortem"], after["postmortem_at"]) == ("", None)


async def test_component_shows_its_open_incidents_and_one_that_is_dropped_leaves_them(
    client: Client, own: dict[str, Any]
):
    shop, bank = ids(own)
    affected = [{"id": shop, "status": "degraded"}, {"id": bank, "status": "offline"}]
    began = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    it = await client.tells(own["id"], "incident", components=affected, occurred_at=began)
    statistics = await client.get(f"statuspage-query/v1/component/{bank}/statistics", days=1)
    assert [each["id"] for each in statistics["open_incidents"]] == [it["id"]]
    assert statistics["status"] == "offline"
    over = await client.tells(own["id"], "incident", components=affected)
    await client.tells(own["id"], f"incident/{over['id']}/update", status="resolved")
    kept = {"components": [{"id": shop, "name": "shop", "type": "manual"}]}
    await client("PUT", f"{COMMANDS}/{own['id']}", json=kept)
    after = await client.get(f"{RECORDS}/{own['id']}/incidents/{it['id']}")
    assert after["components"] == affected[:1]
    await client.tells(own["id"], f"incident/{it['id']}/update", status="monitoring")
    assert await shown(client, own) == ["degraded"]
    assert (await client.get(f"{RECORDS}/{own['id']}/incidents/{over['id']}"))["components"] == affected
    reopened = await client.tells(own["id"], f"incident/{over['id']}/update", status="identified")
    assert reopened["components"] == affected[:1]


async def test_html_is_cleaned_and_plain_text_stays(client: Client, own: dict[str, Any]):
    for sent, kept in (
        ("Rates & fees: 5 > 4\n\nSorry!", "Rates & fees: 5 > 4\n\nSorry!"),
        ('<p onclick="x()">a <strikethrough>b</strikethrough><script>x()</script></p>', "<p>a <s>b</s></p>"),
        ('<a href="javascript:x()">a</a><img src=x onerror=x()>', '<a rel="noopener noreferrer">a</a>'),
        ("5 < 6", "5 &lt; 6"),
    ):
        assert (await client.tells(own["id"], "incident", message=sent))["message"] == kept


async def test_template_is_kept(call: Client, foreign: Client, own: dict[str, Any]):
    url = f"{COMMANDS}/{own['id']}/template"
    shop, _ = ids(own)
    body = {"name": "Bank", "title": "Payments fail", "message": "<b>x</b>", "status": "identified", "impact": None}
    body |= {"components": [{"id": shop, "status": "degraded"}]}
    it = done(await call("POST", url, json=body), "template", 201)
    assert it | body == it
    after = done(await call("PUT", f"{url}/{it['id']}", json={"impact": "major"}), "template")
    assert after | body | {"impact": "major"} == after
    assert await call.get(f"{RECORDS}/{own['id']}/templates/{it['id']}") == after
    assert after in paginated(await call("GET", f"{RECORDS}/{own['id']}/templates"))
    refused(await foreign("GET", f"{RECORDS}/{own['id']}/templates"), 404)
    assert (await call("DELETE", f"{url}/{it['id']}")).json() == {"message": "Template deleted", "id": it["id"]}
    refused(await call("GET", f"{RECORDS}/{own['id']}/templates/{it['id']}"), 404)


async def test_what_is_of_another_page_is_not_found(client: Client, foreign: Client, own: dict[str, Any]):
    other = await client.page()
    theirs = await foreign.page()
    for noun, listed in (("incident", "incidents"), ("maintenance", "maintenances"), ("template", "templates")):
        ours = (await client.tells(own["id"], noun))["id"]
        missing = f"{noun.capitalize()} not found"
        assert refused(await client("PUT", f"{COMMANDS}/{other['id']}/{noun}/{ours}", json={}), 404) == missing
        assert refused(await client("DELETE", f"{COMMANDS}/{other['id']}/{noun}/{ours}"), 404) == missing
        assert refused(await foreign("PUT", f"{COMMANDS}/{theirs['id']}/{noun}/{ours}", json={}), 404) == missing
        assert refused(await foreign("DELETE", f"{COMMANDS}/{theirs['id']}/{noun}/{ours}"), 404) == missing
        assert refused(await client("GET", f"{RECORDS}/{other['id']}/{listed}/{ours}"), 404) == missing
        assert refused(await foreign("GET", f"{RECORDS}/{theirs['id']}/{listed}/{ours}"), 404) == missing
        refused(await client("GET", f"{RECORDS}/{own['id']}/{listed}/x"), 400, noun)
        refused(await client("PUT", f"{COMMANDS}/{own['id']}/{noun}/x", json={}), 422, noun)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("title", ""), ("title", "x" * 256), ("title", 7), ("message", "x" * 20_001), ("message", "a\x00b"),
        ("status", "fine"), ("impact", "huge"), ("notify", 1), ("components", [{"id": "x", "status": "offline"}]),
        ("components", [{"id": str(uuid4()), "status": "offline"}]), ("components", "all"),
        ("occurred_at", "2999-01-01T00:00:00Z"), ("occurred_at", "yesterday"), ("occurred_at", 5),
        ("occurred_at", "2150-01-01T00:00:00Z"), ("occurred_at", "0001-01-01T00:00:00+14:00"),
    ],
)  # fmt: skip
async def test_bad_settings_of_incidents_are_refused_at_their_field(
    client: Client, own: dict[str, Any], field: str, bad: Any
):
    answer = await client("POST", f"{COMMANDS}/{own['id']}/incident", json={"title": "x", field: bad})
    named = [each["field"] for each in answer.json()["errors"]]
    assert {each.partition(".")[0] for each in named} == {field}
    refused(answer, 422, *named)


@pytest.mark.timeout(600)
async def test_incident_has_at_most_500_updates_and_a_page_100_open_incidents(client: Client):
    own = await client.page()
    it = await client.tells(own["id"], "incident")
    for number in range(500):
        await client.tells(own["id"], f"incident/{it['id']}/update", message=str(number))
    answer = await client("POST", f"{COMMANDS}/{own['id']}/incident/{it['id']}/update", json={"status": "resolved"})
    assert "500" in refused(answer, 422, "message")
    for _ in range(99):
        await client.tells(own["id"], "incident")
    answer = await client("POST", f"{COMMANDS}/{own['id']}/incident", json={"title": "x"})
    assert "100" in refused(answer, 422, "title")
    assert len(paginated(await client("GET", f"{RECORDS}/{own['id']}/incidents?limit=500"), limit=500)) == 100
