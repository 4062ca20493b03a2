"""Every example of pinghome-monitoring.txt on servers, sent as it stands there; the agent's token (contract G)."""

from uuid import uuid4

from contract.answers import but, paginated, refused
from contract.client import Client

COMMANDS = "https://resource-cmd.api.pinghome.io/v1"
RECORDS = "https://resource-query.api.pinghome.io/v1"

BODY = {
    "service_id": "ed45b14d-e3ea-4f40-9a4e-16c175afad98",
    "name": "Resource name",
    "description": "Resource description",
    "timezone": "Europe/Berlin",
    "chart_type_default": "line",
    "os": "ubuntu",
    "metric_types_basic": ["cpu-total-usage"],
    "metric_types_advanced": ["disk-io-unified"],
    "metric_types_complex": ["processes-unified"],
    "interval": 60,
    "enabled": True,
}


async def test_setup_server_for_monitoring_line_956(call: Client):
    answer = await call("POST", f"{COMMANDS}/server-resource", json=BODY)

    made = answer.json()
    assert answer.status_code == 201, answer.text
    assert set(made) == {"message", "server_resource", "id", "agent_token", "install"}
    assert BODY.items() <= made["server_resource"].items()
    assert made["server_resource"]["state"] == "pending"
    assert made["agent_token"] in made["install"]
    assert made["install"].startswith("curl -fsSL http")
    assert made["id"] in refused(await call("POST", f"{COMMANDS}/server-resource", json=BODY), 409)
    for field in ("service_id", "name"):
        refused(await call("POST", f"{COMMANDS}/server-resource", json=but(BODY, field)), 422, field)
    shown = await call.get(f"{RECORDS}/server-resource/{made['id']}")
    assert shown == made["server_resource"]
    assert made["agent_token"] not in str(shown)
    assert (await call("DELETE", f"{COMMANDS}/server-resource?id={made['id']}")).status_code == 200


async def test_delete_multiple_server_monitors_line_1003(call: Client):
    url = f"{COMMANDS}/server-resource?id=6766163a-568d-47b4-a1fa-91a0957e06d4&id=c03b02ec-244f-4d2c-8f68-3910071ed5c8"
    refused(await call("DELETE", url), 404)

    ids = [(await call.server())["id"] for _ in range(2)]
    answer = await call("DELETE", f"{COMMANDS}/server-resource?id={ids[0]}&id={ids[1]}")

    assert (answer.status_code, answer.json()) == (200, {"message": "Server resources deleted", "ids": ids})
    for id_ in ids:
        refused(await call("GET", f"{RECORDS}/server-resource/{id_}"), 404)


async def test_update_server_monitor_line_1049(call: Client):
    url = f"{COMMANDS}/server-resource/445a5c1f-c0eb-403a-96d7-3976e5dc74ed"
    assert refused(await call("PUT", url, json=BODY), 404) == "Server resource not found"

    it = await call.server(interval=3600)
    answer = await call("PUT", f"{COMMANDS}/server-resource/{it['id']}", json=BODY | {"name": str(uuid4())})

    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == it["id"]
    assert answer.json()["server_resource"]["interval"] == 60
    assert await call.get(f"{RECORDS}/server-resource/{it['id']}") == answer.json()["server_resource"]
    assert (await call("DELETE", f"{COMMANDS}/server-resource/{it['id']}")).status_code == 200


async def test_full_list_of_server_monitoring_records_line_1095(call: Client):
    url = f"{RECORDS}/service/906a3444-15ce-4410-8041-89a238e9e91f/server-resources?limit=50&page=1"
    assert isinstance(paginated(await call("GET", url)), list)

    service = str(uuid4())
    made = [await call.server(service_id=service) for _ in range(2)]
    rows = paginated(await call("GET", f"{RECORDS}/service/{service}/server-resources"))
    assert rows == made


async def test_get_specific_server_monitor_line_1122(call: Client):
    url = f"{RECORDS}/server-resource/445a5c1f-c0eb-403a-96d7-3976e5dc74ed"
    assert refused(await call("GET", url), 404) == "Server resource not found"


async def test_a_token_can_be_renewed_and_is_shown_once(client: Client):
    it = await client.server()
    url = f"{COMMANDS}/server-resource/{it['id']}/token"
    headers = {"Idempotency-Key": str(uuid4())}

    first = await client("POST", url, headers=headers)
    again = await client("POST", url, headers=headers)
    second = await client("POST", url)

    assert first.status_code == second.status_code == 201
    assert first.json()["agent_token"] != second.json()["agent_token"]
    assert again.json() == {"message": "Token renewed", "id": it["id"]}
    refused(await Client(client.http, second.json()["agent_token"])("GET", "resource-query/v1/services"), 401)


async def test_a_server_may_depend_on_a_monitor_and_a_monitor_on_a_server_but_never_in_a_circle(client: Client):
    monitor = await client.resource()
    server = await client.server(parent_id=monitor["id"])
    below = await client.resource(parent_id=server["id"])
    top = f"{COMMANDS}/resource/{monitor['id']}"

    refused(await client("PUT", top, json={"parent_id": below["id"]}), 422, "parent_id")
    refused(await client("PUT", top, json={"parent_id": server["id"]}), 422, "parent_id")
    refused(
        await client("PUT", f"{COMMANDS}/server-resource/{server['id']}", json={"parent_id": str(uuid4())}),
        422,
        "parent_id",
    )
    assert (await client("DELETE", top)).status_code == 200
    assert (await client.get(f"{RECORDS}/server-resource/{server['id']}"))["parent_id"] is None
    assert (await client("DELETE", f"{COMMANDS}/server-resource/{server['id']}")).status_code == 200
    assert (await client.get(f"{RECORDS}/resource/{below['id']}"))["parent_id"] is None


async def test_what_no_server_can_have_is_422_and_names_the_field(client: Client):
    threshold = {"type": "cpu-total-usage", "field": "total", "operator": "greater-than", "value": 90, "minutes": 5}
    wrong = {
        "timezone": ["Europe/Nowhere", "", 5],
        "chart_type_default": ["pie", None],
        "os": ["x" * 51, "a\0b"],
        "metric_types_basic": ["cpu-total-usage", ["cpu"], [None]],
        "interval": [9, 3601, "60", True],
        "enabled": ["true", 1],
        "description": ["x" * 1001, None],
        "thresholds": [5, [5]],
        "reboot_alert": ["yes"],
    }
    for field, values in wrong.items():
        for value in values:
            answer = await client(
                "POST", f"{COMMANDS}/server-resource", json={"name": "x", "service_id": str(uuid4())} | {field: value}
            )
            assert answer.status_code == 422, (field, value)
            assert all(each["field"].startswith(field) for each in answer.json()["errors"]), answer.text
    for part in ({"type": "processes-unified"}, {"field": "load1"}, {"operator": ">"}, {"minutes": -1}):
        body = {"name": "x", "service_id": str(uuid4()), "thresholds": [threshold | part]}
        assert (await client("POST", f"{COMMANDS}/server-resource", json=body)).status_code == 422, part
    it = await client.server(thresholds=[threshold])
    assert it["thresholds"] == [threshold | {"breached_since": None}]
