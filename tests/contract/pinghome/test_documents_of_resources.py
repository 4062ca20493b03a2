"""Every example of pinghome-monitoring.txt on uptime monitors, sent as it stands there, in all forms of address."""

from uuid import uuid4

import pytest

from contract.answers import TIME, done, paginated, refused
from contract.client import Client

COMMANDS = "https://resource-cmd.api.pinghome.io/v1"
RECORDS = "https://resource-query.api.pinghome.io/v1"
STATISTICS = "https://statistic-query.api.pinghome.io/v1"

# Lines 75 to 99.
NEW_RESOURCE = {
    "name": "Pinghome",
    "type": "http",
    "port": "",
    "data": "",
    "grace_period": 0,
    "recovery_period": 0,
    "maintenance_cron_expression": "*/8 * * * *",
    "maintenance_duration": 5,
    "skip_ssl_error": False,
    "not_follow_redirect": False,
    "method": "POST",
    "body": "param1=value1&param2=value2",
    "is_advanced": True,
    "headers": {"Authorization": "Bearer sometoken"},
    "service_id": "14ab74bf-87a0-4565-a291-ad5c9733c53f",
    "url": "https://website-stage.ping-home.com",
    "conditions": [
        {"values": ["pinghome"], "operator": "equal", "type": "response-json-check", "key": "groups.user[0].name"}
    ],
    "regions": ["eu-central-1"],
}
# Lines 254 to 269.
CHANGED_RESOURCE = {
    "name": "My website",
    "is_advanced": True,
    "method": "POST",
    "grace_period": 1,
    "recovery_period": 1,
    "maintenance_cron_expression": "*/8 * * * *",
    "maintenance_duration": 5,
    "skip_ssl_error": False,
    "body": "param1=value1&param2=value2",
    "headers": '{"Authorization": "Bearer sometoken"}',
    "data": "pinghome",
    "service_id": "cc7e4e8b-417d-4be0-9bde-85e353a20fa4",
    "conditions": [
        {"values": ["pinghome"], "operator": "contains", "key": "groups.user[0].name", "type": "response-json-check"}
    ],
    "regions": ["eu-central-1"],
}
MASK = "********"
STATES = {"up", "down", "pending", "paused", "maintenance", "unknown"}
STATE = dict.fromkeys(("state", "state_changed_at", "reason", "last_checked_at", "response_time"))


async def test_create_uptime_monitor_line_74(call: Client):
    made = done(await call("POST", f"{COMMANDS}/resource", json=NEW_RESOURCE), "resource", 201)

    told = {**NEW_RESOURCE, "headers": {"Authorization": MASK}, "body": MASK}
    assert told.items() <= made.items()
    assert made.keys() - told.keys() == {
        *(
            "id",
            "host",
            "max_redirects",
            "interval",
            "channels",
            "managed_by",
            "parent_id",
            "tags",
            "enabled",
            "state",
            "state_changed_at",
            "reason",
        ),
        *("last_checked_at", "response_time", "created_at", "updated_at"),
    }
    assert (made["interval"], made["enabled"]) == (60, True)
    read = (await call("GET", f"{RECORDS}/resource/{made['id']}")).json()
    assert {**read, **STATE} == {**made, **STATE}
    assert made["id"] in refused(await call("POST", f"{COMMANDS}/resource", json=NEW_RESOURCE), 409)
    assert (await call("DELETE", f"{COMMANDS}/resource/{made['id']}")).status_code == 200


@pytest.mark.parametrize("kind", ["resource", "heartbeat"])
async def test_delete_multiple_monitors_lines_133_and_1247(call: Client, kind: str):
    example = f"{COMMANDS}/{kind}?id=6766163a-568d-47b4-a1fa-91a0957e06d4&id=c03b02ec-244f-4d2c-8f68-3910071ed5c8"
    message = refused(await call("DELETE", example), 404)
    assert "6766163a-568d-47b4-a1fa-91a0957e06d4, c03b02ec-244f-4d2c-8f68-3910071ed5c8" in message

    for query in ("?id={}&id={}", "?id={},{}", "?id=['{}', '{}']"):  # the last as in lines 128 and 1242
        one, other = [(await getattr(call, kind)())["id"] for _ in range(2)]
        unknown = str(uuid4())
        assert unknown in refused(await call("DELETE", f"{COMMANDS}/{kind}" + query.format(one, unknown)), 404)
        assert (await call("GET", f"{RECORDS}/{kind}/{one}")).status_code == 200  # none, when one is missing

        answer = await call("DELETE", f"{COMMANDS}/{kind}" + query.format(one, other))

        assert answer.status_code == 200
        assert answer.json() == {"message": f"{kind.capitalize()}s deleted", "ids": [one, other]}
        for each in (one, other):
            refused(await call("GET", f"{RECORDS}/{kind}/{each}"), 404)
    refused(await call("DELETE", f"{COMMANDS}/{kind}"), 422, "id")


async def test_change_uptime_monitor_status_line_170(call: Client):
    url = f"{COMMANDS}/resource/c03b02ec-244f-4d2c-8f68-3910071ed5c8/status"
    assert refused(await call("PUT", url, json={"enabled": True}), 404) == "Resource not found"

    it = await call.resource()
    url = f"{COMMANDS}/resource/{it['id']}/status"
    for enabled, state in ((False, "paused"), (True, "pending")):
        changed = done(await call("PUT", url, json={"enabled": enabled}), "resource")
        assert (changed["enabled"], changed["state"]) == (enabled, state)
        assert (await call.get(f"{RECORDS}/resource/{it['id']}"))["enabled"] is enabled
    for body in ({}, {"enabled": "true"}, {"enabled": 1}, {"enabled": None}):
        refused(await call("PUT", url, json=body), 422, "enabled")


@pytest.mark.parametrize("kind", ["resource", "heartbeat"])
async def test_delete_monitor_lines_205_and_1280(call: Client, kind: str):
    url = f"{COMMANDS}/{kind}/c03b02ec-244f-4d2c-8f68-3910071ed5c8"
    assert refused(await call("DELETE", url), 404) == f"{kind.capitalize()} not found"

    it = await getattr(call, kind)()
    answer = await call("DELETE", f"{COMMANDS}/{kind}/{it['id']}")

    assert (answer.status_code, answer.json()) == (200, {"message": f"{kind.capitalize()} deleted", "id": it["id"]})
    refused(await call("GET", f"{RECORDS}/{kind}/{it['id']}"), 404)
    refused(await call("DELETE", f"{COMMANDS}/{kind}/{it['id']}"), 404)


async def test_update_uptime_monitor_line_253(call: Client):
    url = f"{COMMANDS}/resource/906a3444-15ce-4410-8041-89a238e9e91f"
    assert refused(await call("PUT", url, json=CHANGED_RESOURCE), 404) == "Resource not found"

    it = await call.resource(method="GET")
    url = f"{COMMANDS}/resource/{it['id']}"
    answer = await call("PUT", url, json=CHANGED_RESOURCE)

    changed = done(answer, "resource")
    assert answer.json()["message"] == "Resource updated"
    assert {**CHANGED_RESOURCE, "headers": {"Authorization": MASK}, "body": MASK}.items() <= changed.items()
    absent = ("url", "type", "port", "not_follow_redirect", "interval", "enabled", "created_at")
    assert {name: changed[name] for name in absent} == {name: it[name] for name in absent}
    assert changed["updated_at"] > it["updated_at"]
    refused(await call("PUT", url, json={"type": "tcp"}), 422, "type")
    assert (await call("DELETE", url)).status_code == 200


async def test_uptime_monitoring_records_collection_line_527(call: Client):
    url = f"{RECORDS}/service/cc7e4e8b-417d-4be0-9bde-85e353a20fa4/resources?page=1&limit=50"
    assert isinstance(paginated(await call("GET", url)), list)

    service = str(uuid4())
    made = [await call.resource(service_id=service) for _ in range(3)]
    url = f"{RECORDS}/service/{service}/resources"
    assert [row["id"] for row in paginated(await call("GET", url))] == [it["id"] for it in made]
    assert paginated(await call("GET", url + "?page=2&limit=2"), 2, 2)[0].keys() == made[2].keys()
    assert paginated(await call("GET", url + "?page=3&limit=2"), 3, 2) == []
    assert (await call("GET", url + "?page=3&limit=2")).json()["total"] == 3
    assert (await call("GET", f"{RECORDS}/service/{uuid4()}/resources")).json()["data"] == []


async def test_get_specific_uptime_monitor_line_554(call: Client):
    url = f"{RECORDS}/resource/906a3444-15ce-4410-8041-89a238e9e91f"
    assert refused(await call("GET", url), 404) == "Resource not found"

    it = await call.resource()
    answer = await call("GET", f"{RECORDS}/resource/{it['id']}")

    assert answer.json()["state"] in STATES
    assert (answer.status_code, answer.json().keys()) == (200, it.keys())
    assert answer.headers["etag"].startswith('"v')
    head = await call("HEAD", f"{RECORDS}/resource/{it['id']}")
    assert (head.status_code, head.content) == (200, b"")


async def test_get_uptime_monitor_regions_line_581(call: Client):
    url = f"{RECORDS}/resource/906a3444-15ce-4410-8041-89a238e9e91f/regions"
    assert refused(await call("GET", url), 404) == "Resource not found"

    it = await call.resource(regions=["us-east-1", "eu-central-1"])
    regions = (await call.get(f"{RECORDS}/resource/{it['id']}/regions"))["data"]

    assert [row["region"] for row in regions] == ["us-east-1", "eu-central-1"]
    assert {"region", "state", "last_checked_at", "response_time"} <= regions[0].keys()
    assert {row["state"] for row in regions} <= STATES


async def test_view_uptime_monitor_performance_report_line_721(call: Client):
    query = "?start_date=2022-04-03T21:00:00Z&end_date=2022-04-03T22:04:00Z&interval=minute&limit=4"
    url = f"{STATISTICS}/resource/47f84f9f-a742-4ef9-be40-e7d7a6fa4039/statistic"
    assert refused(await call("GET", url + query), 404) == "Resource not found"

    it = await call.resource()
    url = f"{STATISTICS}/resource/{it['id']}/statistic"
    past = (await call("GET", url + query)).json()
    assert past.keys() == {"summary", "interval", "data"}
    assert past["summary"].keys() == {"uptime", "downtime_seconds", "response_time", "checks", "failures"}
    assert (past["interval"], past["data"], past["summary"]["checks"]) == ("minute", [], 0)
    now = (await call.get(url, interval="minute", limit=4))["data"]
    assert now[0].keys() == {"received_at", "uptime", "response_time", "checks", "failures"}
    assert now[0]["response_time"].keys() == {"avg", "min", "max", "p50", "p95", "p99"}
    by_region = await call.get(url, interval="minute", limit=4, by="region")
    assert by_region.keys() == {"summary", "interval", "data", "regions"}
    for region in by_region["regions"]:
        assert region.keys() == {"region", "summary", "data"}
        assert region["summary"].keys() == {"response_time", "checks", "failures"}
        assert len(region["data"]) == len(by_region["data"])
    refused(await call("GET", f"{url}?by=country"), 422, "by")
    assert all(TIME.fullmatch(row["received_at"]) for row in now)


async def test_view_uptime_monitor_state_change_history_line_753(call: Client):
    query = "?start_date=2022-04-01T21:00:00Z&end_date=2022-04-07T22:04:00Z&limit=4"
    url = f"{STATISTICS}/resource/6fb4e64f-ad18-46e3-920c-92639adb137c/state-changed-logs"
    assert refused(await call("GET", url + query), 404) == "Resource not found"

    it = await call.resource()
    await call("PUT", f"{COMMANDS}/resource/{it['id']}/status", json={"enabled": False})
    url = f"{STATISTICS}/resource/{it['id']}/state-changed-logs"
    assert (await call("GET", url + query)).json() == {"data": []}
    newest = (await call.get(url, limit=1))["data"]
    assert len(newest) == 1
    assert newest[0].keys() == {
        "state",
        "previous_state",
        "reason",
        "status_code",
        "region",
        "created_at",
        "duration_seconds",
    }
    assert (newest[0]["state"], newest[0]["duration_seconds"]) == ("paused", None)
    older = (await call.get(url))["data"][1:]
    assert all(row["duration_seconds"] >= 0 for row in older)
