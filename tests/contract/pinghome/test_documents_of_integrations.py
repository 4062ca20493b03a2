"""Every example of pinghome-monitoring.txt on integrations, sent as it stands there, in all forms of address."""

import re
from typing import Any
from uuid import uuid4

import pytest

from contract.answers import TIME, refused
from contract.client import CANARY, Client

COMMANDS = "https://resource-cmd.api.pinghome.io/v1"
RECORDS = "https://resource-query.api.pinghome.io/v1"
EXAMPLE = "c03b02ec-244f-4d2c-8f68-3910071ed5c8"
MASK = "********"
# Line 824.
NEW = {
    "name": "Incident name",
    "status": "Incident status",
    "integration": "r276xxt51c23",
    "type": "statuspageIo",
    "items": ["ggs24084vt79"],
}
# Line 867.
CHANGED = {
    "name": "Incident name",
    "status": "Incident status",
    "message": "Integration message",
    "items": ["ggs24084vt79"],
}


def done(answer: Any, status: int = 200) -> dict[str, Any]:
    """The integration in the answer to a create or an update; its id has 12 characters."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"message", "integration", "id"}
    assert re.fullmatch(r"[a-z0-9]{12}", body["id"])
    assert body["integration"]["id"] == body["id"]
    assert TIME.fullmatch(body["integration"]["created_at"])
    return body["integration"]


async def listed(call: Client, resource: str) -> list[dict[str, Any]]:
    return (await call.get(f"{RECORDS}/resource/{resource}/integrations"))["data"]


async def test_configure_integration_line_823(call: Client):
    refused(await call("POST", f"{COMMANDS}/resource/{EXAMPLE}/integration", json=NEW | {"token": "x"}), 404)
    it = await call.resource()
    url = f"{COMMANDS}/resource/{it['id']}/integration"

    made = done(await call("POST", url, json=NEW), 201)

    assert (NEW | {"token": "", "message": "", "resource_id": it["id"]}).items() <= made.items()
    assert "PINGHOME_STATUSPAGE_IO_TOKEN" in made["problem"]  # its deliveries wait
    assert await listed(call, it["id"]) == [made]
    made = done(await call("PUT", f"{url}/{made['id']}", json={"token": "x"}))
    assert (made["problem"], made["token"]) == ("", MASK)
    assert await listed(call, it["id"]) == [made]
    refused(await call("POST", url, json=NEW | {"token": "another"}), 409)  # the same type and integration
    done(await call("POST", url, json=NEW | {"token": "x", "integration": "otherpage"}), 201)
    assert len(await listed(call, it["id"])) == 2
    other = await call.resource()
    done(await call("POST", f"{COMMANDS}/resource/{other['id']}/integration", json=NEW | {"token": "x"}), 201)


@pytest.mark.parametrize("by", ["id", "integration"])
async def test_update_integration_line_866(call: Client, by: str):
    it = await call.resource()
    url = f"{COMMANDS}/resource/{it['id']}/integration"
    made = done(await call("POST", url, json=NEW | {"token": "x"}), 201)

    changed = done(await call("PUT", f"{url}/{made[by]}", json=CHANGED))

    assert changed == made | CHANGED | {"updated_at": changed["updated_at"]}
    assert await listed(call, it["id"]) == [changed]
    assert done(await call("PUT", f"{url}/{made[by]}", json={"message": ""}))["message"] == ""
    for unknown in ("nh29bqqsj2fv", "r276xxt51c24", "x" * 3000, "%00", "*", ">", "%0d%0a"):
        refused(await call("PUT", f"{url}/{unknown}", json=CHANGED), 404)
    refused(await call("PUT", f"{COMMANDS}/resource/{uuid4()}/integration/{made['id']}", json=CHANGED), 404)
    other = await call.resource()
    refused(await call("PUT", f"{COMMANDS}/resource/{other['id']}/integration/{made['id']}", json=CHANGED), 404)


@pytest.mark.parametrize("by", ["id", "integration"])
async def test_delete_integration_line_902(call: Client, by: str):
    refused(await call("DELETE", f"{COMMANDS}/resource/{EXAMPLE}/integration/nh29bqqsj2fv"), 404)
    it = await call.resource()
    url = f"{COMMANDS}/resource/{it['id']}/integration"
    made = done(await call("POST", url, json=NEW | {"token": "x"}), 201)

    answer = await call("DELETE", f"{url}/{made[by]}")

    assert (answer.status_code, answer.json()["id"]) == (200, made["id"])
    assert await listed(call, it["id"]) == []
    refused(await call("DELETE", f"{url}/{made[by]}"), 404)
    done(await call("POST", url, json=NEW | {"token": "x"}), 201)


async def test_get_integrations_line_781(call: Client):
    refused(await call("GET", f"{RECORDS}/resource/{EXAMPLE}/integrations"), 404)
    it = await call.resource()
    assert await listed(call, it["id"]) == []
    await call("POST", f"{COMMANDS}/resource/{it['id']}/integration", json=NEW | {"token": "x"})
    await call("DELETE", f"{COMMANDS}/resource/{it['id']}")
    refused(await call("GET", f"{RECORDS}/resource/{it['id']}/integrations"), 404)


WRONG: dict[str, list[Any]] = {
    "name": [True, 5, None, "", "x" * 256, "a\0b"],
    "type": [True, None, "", "statuspageio", "pagerduty", CANARY],
    "integration": [True, 5, None, "", "x" * 2049, "a\0b", "..", ".", "a/../b", "R276XXT51C23", "x" * 33, "r276x"],
    "status": [True, 5, None, "x" * 256, "a\0b"],
    "message": [True, 5, None, "x" * 4097, "a\0b"],
    "items": ["x", {}, None, [5], [""], [None], [["x"]], ["x"] * 101, [".."], ["ggs24084vt7/"]],
    "token": [True, 5, None, "x" * 256, "a\0b", MASK],
}


@pytest.mark.parametrize("field", WRONG)
async def test_field_that_cannot_be_is_refused_by_name(client: Client, field: str):
    it = await client.resource()
    url = f"{COMMANDS}/resource/{it['id']}/integration"
    for value in WRONG[field]:
        answer = await client("POST", url, json=NEW | {"token": "x"} | {field: value})
        assert answer.status_code == 422, f"{value!r:.50} {answer.text}"
        assert {each["field"].partition(".")[0] for each in answer.json()["errors"]} == {field}, f"{value!r:.50}"
        assert CANARY not in answer.text
    assert await listed(client, it["id"]) == []


async def test_urls_and_secrets_of_integrations_are_masked_and_addresses_are_judged(client: Client):
    it = await client.resource()
    url = f"{COMMANDS}/resource/{it['id']}/integration"
    secret = {"name": "x", "type": "slack", "integration": f"https://hooks.slack.com/services/{CANARY}"}
    assert done(await client("POST", url, json=secret), 201)["integration"] == f"https://hooks.slack.com/{MASK}"
    refused(await client("POST", url, json=secret), 409)
    webhook = done(await client("POST", url, json=secret | {"type": "webhook"}), 201)
    assert webhook["token"].startswith("whsec_")  # shown this once
    mail = done(await client("POST", url, json={"name": "x", "type": "email", "integration": "ops@example.com"}), 201)
    assert (mail["integration"], mail["token"]) == ("ops@example.com", "")
    shown = {each["type"]: each["token"] for each in await listed(client, it["id"])}
    assert shown == {"slack": "", "webhook": MASK, "email": ""}
    wrong = (("slack", "ftp://x"), ("email", "no address"), ("slack", "http://[::1/"), ("webhook", "http://[::1/"))
    for type_, value in (("webhook", "http://169.254.169.254/"), *wrong):
        refused(await client("POST", url, json={"name": "x", "type": type_, "integration": value}), 422, "integration")
