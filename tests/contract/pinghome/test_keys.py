"""Who calls, and the organisation's keys: contract K, our extension."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contract.answers import TIME, but, paginated, refused
from contract.client import Client
from contract.target import eventually
from running import Platform

KEY = "resource-cmd/v1/key"


async def made(it: Client, **body: Any) -> dict[str, Any]:
    """A new key: the answer."""
    sent = {"name": f"key {uuid4()}", "kind": "bearer", "scope": "write"} | body
    answer = await it("POST", KEY, json=sent)
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert set(shown) == {"message", "key", "id", "token"}
    assert {name: shown["key"][name] for name in ("name", "kind", "scope")} == but(sent, "service_id", "page")
    assert TIME.fullmatch(shown["key"]["created_at"])
    return shown


async def listed(it: Client) -> dict[str, dict[str, Any]]:
    rows = paginated(await it("GET", "resource-query/v1/keys?limit=500"), limit=500)
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    return {row["id"]: row for row in rows}


async def stops(look: Callable[[], Awaitable[httpx.Response]], status: int) -> None:
    """Within five seconds."""
    await eventually(look, lambda answer: answer.status_code == status, within=5)


async def test_caller_names_the_organisation_and_the_key(
    platform: Platform, client: Client, reader: Client, foreign: Client, stranger: dict[str, Any]
):
    it = await client.get("resource-query/v1/caller")
    assert (it["organisation"]["name"], it["scope"], it["operator"]) == ("First organisation", "write", True)
    assert it["key"]["name"] == "first token"
    assert it["key"]["id"] in await listed(client)
    its = await reader.get("resource-query/v1/caller")
    assert its["organisation"] == it["organisation"]
    assert (its["key"]["name"], its["scope"], its["operator"]) == ("bearer", "read", False)
    theirs = await foreign.get("resource-query/v1/caller")
    assert theirs["organisation"] == {"id": stranger["id"], "name": "Stranger"}
    assert (theirs["scope"], theirs["operator"]) == ("write", False)
    new = await platform.command("organisation", "create", "Brand new")
    assert (await replace(client, token=new["token"]).get("resource-query/v1/caller"))["organisation"][
        "name"
    ] == "Brand new"


async def test_a_session_is_shown_as_the_key_that_it_goes_with_and_is_no_key(client: Client):
    parent = await made(client, name="laptop", scope="read")
    it = replace(client, token=parent["token"])
    for _ in range(2):
        it = replace(it, token=(await it("POST", "resource-cmd/v1/session")).json()["token"])
        caller = await it.get("resource-query/v1/caller")
        assert (caller["key"], caller["scope"]) == ({"id": parent["id"], "name": "laptop"}, "read")
    keys = await listed(client)
    assert len([key for key in keys.values() if key["name"] == "laptop"]) == 1


@pytest.mark.parametrize(("kind", "length"), [("checks", 32), ("ping", 22)])
async def test_a_key_of_a_service_works_at_once(client: Client, kind: str, length: int):
    service = (await client.service())["id"]
    it = await made(client, kind=kind, service_id=service)
    assert (len(it["token"]), it["token"].isalnum()) == (length, True)
    assert it["key"]["service_id"] == service
    if kind == "ping":
        pinged = await client.http.get(f"/ping/{it['token']}/new-one?create=1")
        assert (pinged.status_code, pinged.text) == (201, "Created")
    else:
        await eventually(
            lambda: client.http.get("/api/v1/checks/", headers={"X-Api-Key": it["token"]}),
            lambda answer: answer.is_success,
        )
    assert (await listed(client))[it["id"]] == it["key"]
    first = await made(client, kind=kind)
    assert first["key"]["service_id"] == (await client.get("resource-query/v1/services"))["data"][0]["id"]


async def test_a_status_token_is_that_of_a_page(client: Client, foreign: Client):
    page = (await client.page())["id"]
    it = await made(client, kind="status", page=page)
    assert len(it["token"]) == 40
    headers = {"Authorization": f"Token {it['token']}"}
    await eventually(lambda: client.http.get("/rest/v1/status", headers=headers), lambda answer: answer.is_success)
    sent = {"name": "x", "kind": "status", "scope": "write"}
    theirs = await foreign("POST", KEY, json=sent | {"page": page})
    nobodys = await foreign("POST", KEY, json=sent | {"page": str(uuid4())})
    assert refused(theirs, 404) == refused(nobodys, 404) == "Status page not found"
    assert (await client("DELETE", f"statuspage-cmd/v1/statuspage/{page}")).is_success

    async def there() -> bool:
        return it["id"] in await listed(client)

    await eventually(there, lambda found: not found)


async def test_a_bearer_key_works_everywhere_at_once_until_it_is_revoked(client: Client):
    it = await made(client)
    own = replace(client, token=it["token"])
    urls = "resource-query/v1/services", "statuspage-query/v1/statuspages", "resource-query/v1/caller"
    assert {(await own("GET", url)).status_code for url in urls} == {200}
    session = replace(client, token=(await own("POST", "resource-cmd/v1/session")).json()["token"])
    assert (await session.get("resource-query/v1/caller"))["key"]["id"] == it["id"]
    answer = await client("DELETE", f"{KEY}/{it['id']}")
    assert (answer.status_code, answer.json()) == (200, {"message": "Key deleted", "id": it["id"]})
    for each in (own, session):
        for url in urls:
            await stops(lambda each=each, url=url: each("GET", url), 401)
    assert it["id"] not in await listed(client)
    refused(await client("DELETE", f"{KEY}/{it['id']}"), 404)


async def test_the_key_that_calls_may_be_revoked(client: Client):
    it = await made(client)
    own = replace(client, token=it["token"])
    session = replace(client, token=(await own("POST", "resource-cmd/v1/session")).json()["token"])
    assert (await session("DELETE", f"{KEY}/{it['id']}")).status_code == 200
    await stops(lambda: own("GET", "resource-query/v1/services"), 401)
    await stops(lambda: session("GET", "resource-query/v1/services"), 401)


async def test_a_read_only_token_neither_sees_nor_changes_keys(client: Client, reader: Client):
    it = await made(client)
    refused(await reader("GET", "resource-query/v1/keys"), 403)
    refused(await reader("POST", KEY, json={"name": "x", "kind": "bearer", "scope": "write"}), 403)
    refused(await reader("DELETE", f"{KEY}/{it['id']}"), 403)
    assert it["id"] in await listed(client)


async def test_another_organisations_keys_are_nobodys(client: Client, foreign: Client):
    it, theirs = await made(client), await made(foreign)
    assert it["id"] not in await listed(foreign)
    answer = await foreign("DELETE", f"{KEY}/{it['id']}")
    nobodys = await foreign("DELETE", f"{KEY}/{uuid4()}")
    assert refused(answer, 404) == refused(nobodys, 404)
    assert {it["id"], theirs["id"]} & (await listed(client)).keys() == {it["id"]}


async def test_a_session_is_no_key_that_can_be_deleted(platform: Platform, client: Client):
    await client("POST", "resource-cmd/v1/session")
    async with platform.sql("resource_cmd") as db:
        session = await db.fetchval("SELECT id FROM key WHERE parent IS NOT NULL ORDER BY id DESC LIMIT 1")
    refused(await client("DELETE", f"{KEY}/{session}"), 404)


async def test_a_repeated_request_makes_one_key_and_shows_its_token_once(client: Client):
    headers, body = {"Idempotency-Key": str(uuid4())}, {"name": f"{uuid4()}", "kind": "bearer", "scope": "read"}
    first, *more = await asyncio.gather(*(client("POST", KEY, headers=headers, json=body) for _ in range(3)))
    shown = [answer for answer in (first, *more) if "token" in answer.json()]
    assert len(shown) == 1
    assert {answer.json()["id"] for answer in (first, *more)} == {shown[0].json()["id"]}
    assert len([key for key in (await listed(client)).values() if key["name"] == body["name"]]) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "agent"}, "kind"), ({"kind": "session"}, "kind"), ({"kind": None}, "kind"),
        ({"scope": "all"}, "scope"),
        ({"name": ""}, "name"), ({"name": "x" * 256}, "name"), ({"name": "a\0"}, "name"),
        ({"service_id": "x"}, "service_id"),
        ({"service_id": str(uuid4())}, "service_id"), ({"kind": "status"}, "page"), ({"page": str(uuid4())}, "page"),
        ({"kind": "checks", "page": str(uuid4())}, "page"), ({"kind": "ping", "scope": "read"}, "scope"),
        ({"kind": "status", "page": "main"}, "page"),
    ],
)  # fmt: skip
async def test_what_makes_no_key(client: Client, change: dict[str, Any], field: str):
    body = {"name": "x", "kind": "bearer", "scope": "write"} | change
    refused(await client("POST", KEY, json=body), 422, field)
    for missing in ("name", "kind", "scope"):
        refused(
            await client("POST", KEY, json=but({"name": "x", "kind": "bearer", "scope": "read"}, missing)), 422, missing
        )


async def test_a_service_that_is_not_the_organisations_is_not_found(client: Client, foreign: Client):
    service = (await client.service())["id"]
    for id_ in (service, str(uuid4())):
        refused(
            await foreign("POST", KEY, json={"name": "x", "kind": "checks", "scope": "write", "service_id": id_}), 404
        )


async def test_keys_come_in_pages(client: Client):
    for _ in range(3):
        await made(client)
    everything = list((await listed(client)).values())
    rows = paginated(await client("GET", "resource-query/v1/keys?limit=2&page=2"), page=2, limit=2)
    assert rows == everything[2:4]
    assert (await client("GET", "resource-query/v1/keys?limit=2")).json()["total"] == len(everything)
