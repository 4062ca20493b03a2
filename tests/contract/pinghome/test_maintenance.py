"""Maintenance, single and recurring: routes of ours (contract H)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contract.answers import done, paginated, refused
from contract.client import Client
from contract.target import eventually

COMMANDS = "https://statuspage-cmd.api.pinghome.io/v1/statuspage"
RECORDS = "https://statuspage-query.api.pinghome.io/v1/statuspage"
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
BODY: dict[str, Any] = {"title": "Upgrade", "message": "Read-only meanwhile.", "scheduled_for": SOON.isoformat()}


@pytest.fixture
def client(quiet: Client) -> Client:
    """Whose pages these are."""
    return quiet


@pytest.fixture
async def own(client: Client) -> dict[str, Any]:
    """A page with a component that is set by hand."""
    return await client.page()


def z(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def status(client: Client, own: dict[str, Any]) -> str:
    return (await client.get(f"{RECORDS}/{own['id']}/components"))["data"][0]["status"]


async def test_maintenance_is_announced_begun_and_ended_by_hand(call: Client, foreign: Client, own: dict[str, Any]):
    url, component = f"{COMMANDS}/{own['id']}/maintenance", own["components"][0]["id"]
    body = BODY | {"components": [component], "ends_at": z(SOON + timedelta(hours=2)), "silence_alerts": False}
    it = done(await call("POST", url, json=body), "maintenance", 201)
    expected = body | {"scheduled_for": z(SOON), "status": "scheduled", "started_at": None, "notify": True}
    assert it | expected == it
    assert await call.get(f"{RECORDS}/{own['id']}/maintenances/{it['id']}") == it
    later = done(await call("PUT", f"{url}/{it['id']}", json={"duration": 30, "title": "Short"}), "maintenance")
    assert (later["ends_at"], later["title"]) == (z(SOON + timedelta(minutes=30)), "Short")
    refused(await call("POST", f"{url}/{it['id']}/end"), 409)
    assert await status(call, own) == "operational"

    begun = done(await call("POST", f"{url}/{it['id']}/start"), "maintenance")
    assert (begun["status"], begun["started_at"] is None) == ("in_progress", False)
    assert await status(call, own) == "maintenance"
    refused(await call("POST", f"{url}/{it['id']}/start"), 409)
    refused(await call("PUT", f"{url}/{it['id']}", json={"scheduled_for": z(SOON - timedelta(hours=1))}), 409)

    ended = done(await call("POST", f"{url}/{it['id']}/end"), "maintenance")
    assert (ended["status"], ended["started_at"]) == ("completed", begun["started_at"])
    assert await status(call, own) == "operational"
    refused(await call("PUT", f"{url}/{it['id']}", json={"duration": 600}), 409)
    assert [each["id"] for each in paginated(await call("GET", f"{RECORDS}/{own['id']}/maintenances"))] == [it["id"]]
    refused(await foreign("GET", f"{RECORDS}/{own['id']}/maintenances"), 404)
    assert (await call("DELETE", f"{url}/{it['id']}")).json() == {"message": "Maintenance deleted", "id": it["id"]}
    refused(await call("POST", f"{url}/{it['id']}/start"), 404)


async def test_maintenance_begins_and_ends_by_the_clock(client: Client, own: dict[str, Any]):
    component = own["components"][0]["id"]
    now = datetime.now(UTC)
    times = {"scheduled_for": z(now + timedelta(seconds=2)), "ends_at": z(now + timedelta(seconds=5))}
    it = await client.tells(own["id"], "maintenance", components=[component], **times, duration=None)
    url = f"{RECORDS}/{own['id']}/maintenances/{it['id']}"
    after = await eventually(lambda: client.get(url), lambda seen: seen["status"] == "in_progress")
    assert after["started_at"] == times["scheduled_for"]
    after = await eventually(lambda: client.get(url), lambda seen: seen["status"] == "completed")
    assert after["ended_at"] == times["ends_at"]
    assert await status(client, own) == "operational"


async def test_maintenance_that_should_have_begun_is_in_progress_at_once(client: Client, own: dict[str, Any]):
    component = own["components"][0]["id"]
    past = z(datetime.now(UTC) - timedelta(minutes=10))
    it = await client.tells(own["id"], "maintenance", components=[component], scheduled_for=past)
    assert (it["status"], it["started_at"]) == ("in_progress", past)
    assert await status(client, own) == "maintenance"
    await client.tells(own["id"], "incident", components=[{"id": component, "status": "degraded"}])
    assert await status(client, own) == "degraded"  # an incident is never hidden


async def test_commands_and_the_clock_do_not_wait_for_each_other(client: Client, own: dict[str, Any]):
    component = own["components"][0]["id"]
    now = datetime.now(UTC)
    made = []
    for tenth in range(30):
        begin = now + timedelta(seconds=5 + tenth / 10)
        times = {"scheduled_for": z(begin), "ends_at": z(begin + timedelta(seconds=2))}
        it = await client.tells(own["id"], "maintenance", components=[component], **times, duration=None)
        made.append(f"/maintenance/{it['id']}")
    rule = await client.tells(own["id"], "maintenance", **BODY, rrule="FREQ=WEEKLY")
    made.append(f"/maintenance/{rule['id']}")
    ended: list[bool] = []

    async def change(path: str) -> None:
        while not ended:
            answer = await client("PUT", f"{COMMANDS}/{own['id']}{path}", json={"title": "x", "name": "x"})
            assert answer.status_code == 200, answer.text

    async def completed() -> int:
        rows = paginated(await client("GET", f"{RECORDS}/{own['id']}/maintenances?limit=100"), limit=100)
        return sum(each["status"] == "completed" for each in rows)

    async with asyncio.TaskGroup() as changing:
        for path in made[::3]:
            changing.create_task(change(path))
        changing.create_task(change(""))
        try:
            await eventually(completed, lambda count: count == 30, 90)
        finally:
            ended.append(True)


async def test_recurring_maintenance_is_made_30_days_ahead_in_its_zone(client: Client, own: dict[str, Any]):
    url = f"{COMMANDS}/{own['id']}/maintenance"
    body = BODY | {"rrule": "FREQ=DAILY", "timezone": "Europe/Berlin", "duration": 30, "silence_alerts": True}
    rule = done(await client("POST", url, json=body), "maintenance", 201)
    assert rule | body | {"scheduled_for": z(SOON)} == rule
    assert await client.get(f"{RECORDS}/{own['id']}/maintenances/{rule['id']}") == rule
    rules = paginated(await client("GET", f"{RECORDS}/{own['id']}/maintenances?recurring=true"))
    assert rules == [rule]

    async def made() -> list[dict[str, Any]]:
        found = paginated(await client("GET", f"{RECORDS}/{own['id']}/maintenances"))
        return sorted(found, key=lambda each: each["scheduled_for"])

    first = await made()
    assert 29 <= len(first) <= 30
    assert {(each["recurrence"], each["silence_alerts"]) for each in first} == {(rule["id"], True)}
    zone = ZoneInfo("Europe/Berlin")
    local = {datetime.fromisoformat(each["scheduled_for"]).astimezone(zone).time() for each in first}
    assert local == {SOON.astimezone(zone).time()}

    await client("DELETE", f"{url}/{first[0]['id']}")
    done(await client("PUT", f"{url}/{rule['id']}", json={"title": "Restart", "silence_alerts": False}), "maintenance")
    second = await made()
    assert not any(each["silence_alerts"] for each in second)
    assert [each["id"] for each in second] == [each["id"] for each in first[1:]]
    assert {each["title"] for each in second} == {"Restart"}

    done(await client("PUT", f"{url}/{rule['id']}", json={"rrule": "FREQ=DAILY;COUNT=3"}), "maintenance")
    third = await made()
    assert [each["scheduled_for"] for each in third] == [each["scheduled_for"] for each in first[:3]]
    await client("POST", f"{url}/{third[0]['id']}/start")
    assert (await client("DELETE", f"{url}/{rule['id']}")).json()["id"] == rule["id"]
    assert [each["id"] for each in await made()] == [third[0]["id"]]  # which is in progress
    assert paginated(await client("GET", f"{RECORDS}/{own['id']}/maintenances?recurring=true")) == []


async def test_another_rule_makes_the_same_occurrences_anew(client: Client, own: dict[str, Any]):
    rule = await client.tells(own["id"], "maintenance", **BODY, rrule="FREQ=DAILY;COUNT=2", duration=30)
    for text in ("FREQ=WEEKLY;COUNT=1", "FREQ=DAILY;COUNT=2", "FREQ=DAILY;COUNT=2;INTERVAL=2"):
        url = f"{COMMANDS}/{own['id']}/maintenance/{rule['id']}"
        done(await client("PUT", url, json={"rrule": text}), "maintenance")
    made = paginated(await client("GET", f"{RECORDS}/{own['id']}/maintenances"))
    assert sorted(each["scheduled_for"] for each in made) == [z(SOON), z(SOON + timedelta(days=2))]


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("title", {"title": ""}), ("scheduled_for", {"scheduled_for": "soon"}),
        ("scheduled_for", {"scheduled_for": None}),
        ("ends_at", {"ends_at": BODY["scheduled_for"]}), ("ends_at", {"ends_at": "2020-01-01T00:00:00Z"}),
        ("ends_at", {"scheduled_for": "2020-01-01T00:00:00Z", "ends_at": "2020-01-02T00:00:00Z"}),
        ("ends_at", {"ends_at": z(SOON + timedelta(days=91))}), ("ends_at", {"duration": 5, "ends_at": z(SOON)}),
        ("ends_at", {}), ("duration", {"duration": 0}), ("duration", {"duration": 44_641}),
        ("timezone", {"duration": 5, "timezone": "Europe/Paris"}), ("timezone", {"duration": 5, "timezone": "Mars"}),
        ("components", {"duration": 5, "components": ["6766163a-568d-47b4-a1fa-91a0957e06d4"]}),
        ("silence_alerts", {"duration": 5, "silence_alerts": "yes"}), ("duration", {"rrule": "FREQ=DAILY"}),
        ("ends_at", {"rrule": "FREQ=DAILY", "duration": 5, "ends_at": z(SOON)}),
        *[("rrule", {"duration": 5, "rrule": rule}) for rule in (
            "DAILY", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=3", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;FREQ=WEEKLY", "x" * 501,
            "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;UNTIL=20200101", "FREQ=DAILY;UNTIL=20209999T000000Z",
            "FREQ=DAILY\nEXDATE:20200101", "INTERVAL=2", "FREQ=WEEKLY;BYDAY=XX", "FREQ=MONTHLY;BYDAY=0MO",
        )],
    ],
)  # fmt: skip
async def test_bad_settings_of_maintenance_are_refused_at_their_field(
    client: Client, own: dict[str, Any], field: str, more: dict[str, Any]
):
    answer = await client("POST", f"{COMMANDS}/{own['id']}/maintenance", json=BODY | more)
    named = [each["field"] for each in answer.json()["errors"]]
    assert {each.partition(".")[0] for each in named} == {field}, answer.text
    refused(answer, 422, *named)
