"""Reminders as pinghome-monitoring.txt shows them, in each of its path shapes; certificates, domains (A6 to A21)."""

from typing import Any
from uuid import uuid4

import pytest

from contract.answers import TIME, refused
from contract.client import Client
from contract.target import eventually

COMMANDS = "https://resource-cmd.api.pinghome.io/v1"
RECORDS = "https://resource-query.api.pinghome.io/v1"
SHAPES = ("resource/{}/{}/reminder", "{}/{}/reminder", "{1}/reminder/{0}")
DAYS: list[Any] = [
    None, [], {}, "1", 1, True, [True], [1, False], ["1"], [1.0], [1.5], [None], [[1]], [0], [-1], [366], [10**18],
    [1, 1], list(range(1, 367)), [1] * 10_000, {"1": 1},
]  # fmt: skip

kinds = pytest.mark.parametrize("kind", ["ssl", "tld"])
shapes = pytest.mark.parametrize("shape", SHAPES)


@pytest.mark.parametrize("line", ["309", "348", "383", "421", "460", "495"])
async def test_examples_of_unknown_monitors(call: Client, line: str):
    unknown, kind = "c03b02ec-244f-4d2c-8f68-3910071ed5c8", "tld" if int(line) < 400 else "ssl"
    method = {"309": "POST", "348": "PUT", "421": "POST", "460": "PUT"}.get(line, "DELETE")
    body = {"309": {"days_before": [1]}, "421": {"days_before": [1]}}.get(line, {"days_before": [1, 3, 7]})
    for shape in SHAPES:
        answer = await call(method, f"{COMMANDS}/{shape.format(unknown, kind)}", json=body)
        assert refused(answer, 404) == "Resource not found"


@kinds
@shapes
async def test_reminder_is_set_changed_and_removed(call: Client, kind: str, shape: str):
    it = await call.resource()
    url, shown = f"{COMMANDS}/{shape.format(it['id'], kind)}", f"{RECORDS}/resource/{it['id']}/{kind}/reminder"
    assert refused(await call("GET", shown), 404) == "Reminder not found"
    for method in ("PUT", "DELETE"):
        assert refused(await call(method, url, json={"days_before": [1]}), 404) == "Reminder not found"

    made = await call("POST", url, json={"days_before": [1]})
    assert (made.status_code, made.headers["etag"][:2]) == (201, '"v')
    reminder = {"id": it["id"], "type": kind, "days_before": [1]}
    assert made.json() == {"message": "Reminder created", "reminder": reminder, "id": it["id"]}
    assert await call.get(shown) == {"days_before": [1]}
    assert "already" in refused(await call("POST", url, json={"days_before": [2]}), 409)

    changed = await call("PUT", url, json={"days_before": [7, 1, 3], "unknown": 1})
    assert (changed.status_code, changed.json()["message"]) == (200, "Reminder updated")
    assert changed.json()["reminder"]["days_before"] == [1, 3, 7]
    assert await call.get(shown) == {"days_before": [1, 3, 7]}
    other = "tld" if kind == "ssl" else "ssl"
    refused(await call("GET", shown.replace(f"/{kind}/", f"/{other}/")), 404)

    assert (await call("DELETE", url)).json() == {"message": "Reminder deleted", "id": it["id"]}
    refused(await call("GET", shown), 404)
    refused(await call("DELETE", url), 404)
    assert (await call("POST", url, json={"days_before": [365]})).status_code == 201


@kinds
@shapes
async def test_days_that_are_none_are_refused_and_nothing_changes(client: Client, kind: str, shape: str):
    it = await client.resource()
    url = f"resource-cmd/v1/{shape.format(it['id'], kind)}"
    await client("POST", url, json={"days_before": [5]})
    for days in DAYS:
        for method in ("POST", "PUT"):
            answer = await client(method, url, json={"days_before": days})
            assert answer.status_code == 422, days
            assert all(each["field"].startswith("days_before") for each in answer.json()["errors"])
            assert len(answer.content) < 5000
    refused(await client("PUT", url, json={}), 422, "days_before")
    assert await client.get(f"resource-query/v1/resource/{it['id']}/{kind}/reminder") == {"days_before": [5]}


@kinds
@shapes
async def test_shapes_are_guarded_alike(client: Client, foreign: Client, reader: Client, kind: str, shape: str):
    it = await client.resource()
    url, body = f"resource-cmd/v1/{shape.format(it['id'], kind)}", {"days_before": [1]}
    await client("POST", url, json=body)
    for method in ("POST", "PUT", "DELETE"):
        theirs = await foreign(method, url, json=body)
        nobodys = await foreign(method, url.replace(it["id"], str(uuid4())), json=body)
        assert theirs.content == nobodys.content
        assert refused(theirs, 404) == "Resource not found"
        refused(await reader(method, url, json=body), 403)
        refused(await client(method, url.replace(it["id"], "x"), json=body), 422, "id")
        wanted = await client(method, url, json=body, headers={"If-Match": '"v99"'})
        assert wanted.status_code == 412
    assert await client.get(f"resource-query/v1/resource/{it['id']}/{kind}/reminder") == body


async def test_settings_that_change_keep_the_reminder(client: Client):
    it = await client.resource()
    await client("POST", f"resource-cmd/v1/resource/{it['id']}/ssl/reminder", json={"days_before": [3]})
    await client("PUT", f"resource-cmd/v1/resource/{it['id']}", json={"name": f"other {uuid4()}"})

    assert await client.get(f"resource-query/v1/resource/{it['id']}/ssl/reminder") == {"days_before": [3]}


async def test_domain_of_a_monitor_is_told_lines_608_and_635(call: Client):
    for what, words in (("ssl", "No certificate has been seen"), ("tld", "Nothing is known of the domain")):
        unknown = f"{RECORDS}/resource/906a3444-15ce-4410-8041-89a238e9e91f/{what}"
        assert refused(await call("GET", unknown), 404) == "Resource not found"
        it = await call.resource()
        assert refused(await call("GET", f"{RECORDS}/resource/{it['id']}/{what}"), 404) == words

    it = await call.resource(url="https://website-stage.ping-home.com")
    url = f"{RECORDS}/resource/{it['id']}/tld"
    answer = await eventually(lambda: call("GET", url), lambda answer: answer.status_code == 200)

    told = answer.json()
    assert list(told) == ["domain", "registrar", "created_at", "expires_at", "days_left", "checked_at"]
    assert (told["domain"], told["registrar"]) == ("ping-home.com", "GoDaddy.com, LLC")
    assert (told["created_at"], told["expires_at"]) == ("2021-03-09T12:10:05Z", "2030-03-09T12:10:05Z")
    assert 0 < told["days_left"] < 1300
    assert TIME.fullmatch(told["checked_at"])
