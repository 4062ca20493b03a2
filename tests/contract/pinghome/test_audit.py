"""Who has changed what: contract K, our extension."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contract.answers import TIME, refused
from contract.client import CANARY, Client
from contract.target import eventually
from running import Platform

EVENTS = {"resource-query": 422, "statuspage-query": 400}
RECORDS, PAGES = "resource-query/v1/events", "statuspage-query/v1/events"


@pytest.fixture(scope="module")
async def keys(platform: Platform) -> dict[str, Any]:
    return await platform.command("organisation", "create", "Audited")


@pytest.fixture(scope="module")
async def own(http: httpx.AsyncClient, keys: dict[str, Any]) -> Client:
    """An organisation that nobody else uses."""
    return Client(http, keys["token"])


async def entries(client: Client, url: str = RECORDS, **query: Any) -> list[dict[str, Any]]:
    found = (await client.get(url, **query))["data"]
    assert all(set(it) == {"id", "at", "noun", "subject", "name", "what", "by", "fields"} for it in found)
    assert [it["id"] for it in found] == sorted((it["id"] for it in found), reverse=True)
    return found


async def test_commands_with_their_key_names_of_the_time_and_names_of_fields(own: Client):
    it = await own.resource(name="before", headers={"X-Secret": CANARY})
    me = (await own.get("resource-query/v1/caller"))["key"]
    change = {"name": "after", "interval": 3600, "tags": ["a"]}
    assert (await own("PUT", f"resource-cmd/v1/resource/{it['id']}", json=change)).is_success
    assert (await own("PUT", f"resource-cmd/v1/resource/{it['id']}", json={"headers": {"X": "y"}})).is_success
    assert (await own("DELETE", f"resource-cmd/v1/resource/{it['id']}")).is_success
    found = await entries(own, id=it["id"])
    assert [(each["what"], each["name"], each["fields"]) for each in found] == [
        ("deleted", "after", []), ("updated", "after", ["headers", "secrets"]),
        ("updated", "after", ["interval", "name", "tags"]), ("created", "before", []),
    ]  # fmt: skip
    assert all(each["by"] == {"kind": "key", **me} for each in found)
    assert all(TIME.fullmatch(each["at"]) and each["noun"] == "resource" for each in found)
    assert CANARY not in (await own("GET", RECORDS)).text


async def test_workers_only_if_asked_for(own: Client):
    it = await own.heartbeat(interval=86400)
    for result in ("complete", "fail"):
        assert (await own("GET", f"data-gateway/v1/heartbeat/{it['id']}?result={result}")).is_success
    seen = await eventually(lambda: entries(own, id=it["id"], by="worker"), lambda found: len(found) == 2, 30)
    assert {(each["what"], each["by"]["kind"], each["by"]["name"]) for each in seen} == {
        ("status-changed", "worker", "evaluation")
    }
    assert [each["fields"] for each in seen] == [["state"], ["state"]]
    assert [each["what"] for each in await entries(own, id=it["id"])] == ["created"]
    assert len(await entries(own, id=it["id"], by="anybody")) == 3


async def test_command_line_keys_and_sessions(own: Client):
    made = (await own("POST", "resource-cmd/v1/key", json={"name": "robot", "kind": "bearer", "scope": "write"})).json()
    robot = replace(own, token=made["token"])
    opened = await robot("POST", "resource-cmd/v1/session")
    assert opened.status_code == 201, opened.text
    session = replace(own, token=opened.json()["token"])
    service = await session.service(name="by a session")
    (entry,) = await entries(own, id=service["id"])
    assert entry["by"] == {"kind": "session", "id": made["id"], "name": "robot"}
    other = await robot.service(name="by its key")
    mine = await entries(own, by=made["id"])
    assert {each["subject"] for each in mine} >= {service["id"], other["id"]}
    assert [each["subject"] for each in await entries(own, by="session")] == [service["id"]]
    assert other["id"] in [each["subject"] for each in await entries(own, by="key", noun="service")]
    assert (await own("DELETE", f"resource-cmd/v1/key/{made['id']}")).is_success
    what = [(each["what"], each["name"]) for each in await entries(own, noun="key", id=made["id"])]
    assert what == [("deleted", "robot"), ("created", "robot")]
    assert (await entries(own, id=service["id"]))[0]["by"]["name"] == "robot"  # which is no more
    begun = await entries(own, by="command line")
    assert {each["noun"] for each in begun} >= {"key", "organisation"}
    assert all(each["by"] == {"kind": "command line", "id": None, "name": None} for each in begun)


async def test_pages_and_what_they_tell_of(own: Client):
    page = await own.page(name="Shop")
    incident = await own.tells(page["id"], "incident", title="Payments fail")
    assert (await own("PUT", f"statuspage-cmd/v1/statuspage/{page['id']}", json={"description": "x"})).is_success
    me = (await own.get("resource-query/v1/caller"))["key"]
    found = await eventually(lambda: entries(own, PAGES), lambda seen: all(it["by"]["name"] for it in seen), 30)
    shown = {(it["noun"], it["what"], it["name"], tuple(it["fields"])) for it in found}
    assert {("statuspage", "created", "Shop", ()), ("incident", "created", "Payments fail", ())} <= shown
    assert ("statuspage", "updated", "Shop", ("description",)) in shown
    assert all(it["by"] == {"kind": "key", **me} for it in found)
    assert [it["noun"] for it in await entries(own, PAGES, id=incident["id"])] == ["incident"]
    assert {it["noun"] for it in await entries(own, PAGES, noun="statuspage")} == {"statuspage"}


async def test_pages_of_the_log_leave_nothing_out(own: Client):
    for _ in range(3):
        await own.service()
    everything = await entries(own, limit=500)
    found = await entries(own, limit=2)
    while more := await entries(own, limit=2, before=found[-1]["id"]):
        found += more
    assert found == everything


@pytest.mark.parametrize("service", EVENTS)
async def test_bad_words_and_other_organisations(own: Client, foreign: Client, reader: Client, service: str):
    url = f"{service}/v1/events"
    for query, field in (
        ("before=0", "before"), ("before=x", "before"), (f"before={2**63}", "before"), ("limit=0", "limit"),
        ("limit=501", "limit"), ("noun=house", "noun"), ("noun=server_resource", "noun"), ("id=x", "id"), ("by=", "by"),
        ("by=nobody", "by"), ("by=%00", "by"), ("by=" + "x" * 5000, "by"),
    ):  # fmt: skip
        refused(await own("GET", f"{url}?{query}"), EVENTS[service], field)
    mine = {each["subject"] for each in await entries(own, url)}
    assert mine.isdisjoint({each["subject"] for each in await entries(foreign, url, limit=500)})
    for id_ in [*mine, str(uuid4())]:
        assert await entries(foreign, url, id=id_) == []
    assert (await reader("GET", url)).status_code == 200


async def test_reads_at_once_what_was_written_by_many(own: Client):
    made = await asyncio.gather(*(own.service() for _ in range(20)))
    seen = {each["subject"] for each in await entries(own, limit=20)}
    assert seen == {it["id"] for it in made}
