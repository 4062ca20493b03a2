"""Every example of pinghome-monitoring.txt on heartbeats, sent as it stands there, in all forms of address."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from contract.answers import but, done, paginated, refused
from contract.client import Client

COMMANDS = "https://resource-cmd.api.pinghome.io/v1"
RECORDS = "https://resource-query.api.pinghome.io/v1"
STATISTICS = "https://statistic-query.api.pinghome.io/v1"


async def test_setup_heartbeat_monitor_line_1207(call: Client):
    body = {"service_id": "6766163a-568d-47b4-a1fa-91a0957e06d4", "name": "Pinghome", "interval": 60, "enabled": True}

    made = done(await call("POST", f"{COMMANDS}/heartbeat", json=body), "heartbeat", 201)

    assert body.items() <= made.items()
    assert made["state"] == "pending"
    assert made["url"].endswith(f"/v1/heartbeat/{made['id']}")
    assert made["id"] in refused(await call("POST", f"{COMMANDS}/heartbeat", json=body), 409)
    for field in ("service_id", "name", "interval"):
        refused(await call("POST", f"{COMMANDS}/heartbeat", json=but(body, field)), 422, field)
    assert (await call("DELETE", f"{COMMANDS}/heartbeat/{made['id']}")).status_code == 200


async def test_get_service_heartbeats_line_1312(call: Client):
    url = f"{RECORDS}/service/cc7e4e8b-417d-4be0-9bde-85e353a20fa4/heartbeats?page=1&limit=50"
    assert isinstance(paginated(await call("GET", url)), list)

    service = str(uuid4())
    made = [await call.heartbeat(service_id=service) for _ in range(2)]
    rows = paginated(await call("GET", f"{RECORDS}/service/{service}/heartbeats"))
    assert [row["id"] for row in rows] == [it["id"] for it in made]


async def test_update_heartbeat_monitor_line_1352(call: Client):
    body = {
        "name": "My heartbeat",
        "service_id": "cc7e4e8b-417d-4be0-9bde-85e353a20fa4",
        "methods": ["GET"],
        "interval": 60,
        "enabled": True,
    }
    url = f"{COMMANDS}/heartbeat/906a3444-15ce-4410-8041-89a238e9e91f"
    assert refused(await call("PUT", url, json=body), 404) == "Heartbeat not found"

    it = await call.heartbeat(interval=3600)
    url = f"{COMMANDS}/heartbeat/{it['id']}"
    changed = done(await call("PUT", url, json=body), "heartbeat")

    assert body.items() <= changed.items()
    assert await call.get(f"{RECORDS}/heartbeat/{it['id']}") == changed
    assert (await call("DELETE", url)).status_code == 200


async def test_get_specific_heartbeat_information_line_1387(call: Client):
    url = f"{RECORDS}/heartbeat/445a5c1f-c0eb-403a-96d7-3976e5dc74ed"
    assert refused(await call("GET", url), 404) == "Heartbeat not found"

    it = await call.heartbeat()

    assert await call.get(f"{RECORDS}/heartbeat/{it['id']}") == it


async def test_view_heartbeat_statistics_line_1420(call: Client):
    query = "?interval=7d&start_date=2022-04-03T21:00:00Z&end_date=2022-04-03T22:04:00Z"
    url = f"{STATISTICS}/heartbeat/47f84f9f-a742-4ef9-be40-e7d7a6fa4039/statistic"
    assert refused(await call("GET", url + query), 404) == "Heartbeat not found"

    it = await call.heartbeat()
    url = f"{STATISTICS}/heartbeat/{it['id']}/statistic"
    assert (await call("GET", url + query)).json() == {"data": []}
    now = (await call.get(url, interval="1h"))["data"]
    assert now[-1].keys() == {"received_at", "tick_count", "run_count", "complete_count", "fail_count"}
    refused(await call("GET", url, params={"interval": "minute"}), 422, "interval")


async def test_get_heartbeat_event_history_line_1452(call: Client):
    query = "?limit=10&last_received_at=2023-03-27T09:57:54Z"
    url = f"{STATISTICS}/heartbeat/47f84f9f-a742-4ef9-be40-e7d7a6fa4039/events"
    assert refused(await call("GET", url + query), 404) == "Heartbeat not found"

    it = await call.heartbeat()

    assert (await call("GET", f"{STATISTICS}/heartbeat/{it['id']}/events{query}")).json() == {"data": []}


async def test_submit_heartbeat_event_line_1481(call: Client):
    call = replace(call, token=None)
    tick = {"result": "tick", "message": "Tick event sent"}
    url = "https://data-gateway.api.pinghome.io/v1/heartbeat/{id}"
    assert refused(await call("GET", url, params=tick), 404) == "Heartbeat not found"


async def test_submitted_heartbeat_event_of_line_1481_is_told_by_the_history_of_line_1452(call: Client):
    it = await call.heartbeat()
    tick = {"result": "tick", "message": "Tick event sent"}

    answer = await replace(call, token=None)("GET", f"data-gateway/v1/heartbeat/{it['id']}", params=tick)

    assert (answer.status_code, answer.json()) == (200, {"message": "OK"})
    event = (await call.get(f"{STATISTICS}/heartbeat/{it['id']}/events"))["data"][0]
    assert tick.items() <= event.items()
    assert (event["method"], event["remote_addr"]) == ("GET", "127.0.0.1")
    since = (datetime.now(UTC) - datetime.fromisoformat(event["received_at"])).total_seconds()
    assert -1 < since < 10
