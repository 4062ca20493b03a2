"""Who may do what: generated from the services' own OpenAPI documents (reliability.md S6, S7, S14, S19)."""

import asyncio
import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contract.answers import paginated, refused
from contract.client import BODIES, INTEGRATION, Client
from contract.pinghome.operations import OF_MANY, ROUTED, Operation, filled
from contract.target import eventually
from running import Platform

GUARDED = [each for each in ROUTED if not each.public]
READS = [each for each in GUARDED if each.method == "GET" and not each.endless]
WRITES = [each for each in GUARDED if each.method != "GET" and not each.path.endswith("/session")]
FOR_WRITERS = [each for each in READS if each.path.endswith(("/body", "/keys", "/health"))]
"""What a read-only token may not read, either."""
UNKNOWN = [each for each in READS if each.path.endswith(("/ssl", "/tld"))]
"""What nobody can know of the monitor under test: it looks at a port of 127.0.0.1 where nobody listens."""
OF_ONE = [each for each in GUARDED if "{id}" in each.path and "/service/{id}/" not in each.path]

every = pytest.mark.parametrize("operation", GUARDED, ids=str)


def body(operation: Operation) -> dict[str, Any] | None:
    """A body that the operation takes."""
    if operation.method not in {"POST", "PUT"}:
        return None
    if "{" not in operation.path and (last := operation.path.split("/")[-1]) in OF_MANY:
        return {"ids": [str(uuid4())], **OF_MANY[last]}
    if operation.path.endswith("/status"):
        return {"enabled": True}
    if operation.path.endswith(("/reminder", "/subscriptions")):
        return BODIES[operation.path.rpartition("/")[2].removesuffix("s")]
    noun = "integration" if "/integration" in operation.path else operation.path.split("/")[2]
    if noun == "statuspage" and (told := [part for part in operation.path.split("/")[4:] if "{" not in part]):
        return BODIES.get(told[-1])
    taken = {"subdomain": f"p{uuid4().hex}"} if noun == "statuspage" else {}
    return BODIES[noun] | taken | {"name": f"taken by {uuid4()}"}


def of(operation: Operation, id_: str, inside: dict[str, str] | None = None) -> tuple[str, str]:
    """Method and URL with an id in its place, and those of what is inside of it."""
    url = filled(operation.url, **{**(inside or {}), "id": id_})
    if "/metrics" in operation.path and operation.method == "GET":
        url += "?type=cpu-total-usage"
    return operation.method, f"{url}?id={id_}" if operation.method == "DELETE" and "{id}" not in operation.path else url


NOUNS = ("heartbeat", "channel", "service", "server-resource", "statuspage", "component")


def noun(operation: Operation) -> str:
    named = operation.path.split("/")[2]
    return named if named in NOUNS else "resource"


@pytest.fixture(scope="module")
async def own(client: Client) -> dict[str, str]:
    """Ids of a monitor and a heartbeat of the first organisation; the monitor is paused, so that it stays as it is."""
    service, channel = await client.service(), await client.channel()
    monitor = await client.resource(service_id=service["id"])
    heartbeat = await client.heartbeat(service_id=service["id"], interval=86_400)  # which stays up meanwhile
    await client("PUT", f"resource-cmd/v1/resource/{monitor['id']}/status", json={"enabled": False})
    record = f"resource-query/v1/resource/{monitor['id']}"
    await eventually(lambda: client.get(record), lambda it: it["state"] == "paused")
    for kind in ("ssl", "tld"):
        await client("POST", f"resource-cmd/v1/resource/{monitor['id']}/{kind}/reminder", json={"days_before": [30, 7]})
    assert (await client.http.post(f"/ping/{heartbeat['id']}", content=b"its output")).status_code == 200
    await client("POST", f"resource-cmd/v1/resource/{monitor['id']}/integration", json=INTEGRATION)
    server = await client.server(service_id=service["id"])
    ids = {"resource": monitor["id"], "heartbeat": heartbeat["id"], "channel": channel["id"]}
    page = await client.page()
    ids |= {"server-resource": server["id"], "statuspage": page["id"], "component": page["components"][0]["id"]}
    for each in ("incident", "maintenance", "template"):
        ids[each] = (await client.tells(page["id"], each))["id"]
    ids["update"] = (await client.tells(page["id"], f"incident/{ids['incident']}/update"))["id"]
    return ids | {"service": monitor["service_id"]}


@pytest.fixture(scope="module")
async def before(client: Client, own: dict[str, str]) -> list[Any]:
    """All that the owner could read at first; nothing here changes it, and each test that could looks."""
    return await everything(client, own)


async def everything(client: Client, own: dict[str, str]) -> list[Any]:
    """All that the owner can read of what it has."""
    found = []
    for operation in READS:
        if "{id}" in operation.path and operation not in UNKNOWN + FOR_WRITERS:
            id_ = own["service" if "/service/" in operation.path else noun(operation)]
            span = {"end_date": "2999-01-01T00:00:00Z"} if operation.path.endswith("/events") else {}
            moving = "/statistic", "/statistics", "/preview", ".svg", ".prom", "/statuspage/{id}/notifications"
            if not operation.path.endswith(moving):
                found.append(await client.get(of(operation, id_, own)[1], **span))
    return found


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer nobody", "Basic x", "Basic dXNlcjpwYXNz", "Token {}", "{}", "Bearer {} {}"],
)
@every
async def test_route_without_a_known_bearer_token_is_401(
    client: Client, own: dict[str, str], operation: Operation, authorization: str | None
):
    headers = None if authorization is None else {"Authorization": authorization.format(client.token, client.token)}
    method, url = of(operation, own[noun(operation)], own)

    answer = await replace(client, token=None)(method, url, headers=headers, json=body(operation))

    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert answer.headers["www-authenticate"] == "Bearer"
    head = await replace(client, token=None)("HEAD", url, headers=headers)
    assert head.status_code == (401 if method == "GET" else 405)


@every
async def test_nothing_of_a_request_is_judged_before_its_token(client: Client, operation: Operation):
    method, url = of(operation, "no-uuid")

    answer = await replace(client, token=None)(method, f"{url}?limit=x", content=b"{")

    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
async def test_scheme_is_known_in_any_case(client: Client, scheme: str):
    answer = await client("GET", "resource-query/v1/services", headers={"Authorization": f"{scheme} {client.token}"})

    assert answer.status_code == 200


async def test_keys_of_another_kind_open_nothing_here(http: httpx.AsyncClient, stranger: dict[str, Any]):
    for kind in ("checks_key", "checks_read_key", "ping_key"):
        refused(await Client(http, stranger[kind])("GET", "resource-query/v1/services"), 401)


@pytest.mark.parametrize("operation", WRITES, ids=str)
async def test_read_only_token_may_not_write(
    client: Client, reader: Client, own: dict[str, str], before: list[Any], operation: Operation
):
    for id_ in (own[noun(operation)], str(uuid4())):
        method, url = of(operation, id_, own)
        refused(await reader(method, url, json=body(operation)), 403)

    assert await everything(client, own) == before


@pytest.mark.parametrize("operation", READS, ids=str)
async def test_read_only_token_may_read(reader: Client, own: dict[str, str], operation: Operation):
    status = 404 if operation in UNKNOWN else 403 if operation in FOR_WRITERS else 200
    assert (await reader(*of(operation, own[noun(operation)], own))).status_code == status
    if operation in OF_ONE and operation not in FOR_WRITERS:
        refused(await reader(*of(operation, str(uuid4()), own)), 404)


@pytest.mark.parametrize("operation", OF_ONE, ids=str)
async def test_another_organisations_id_is_answered_as_one_that_nobody_has(
    client: Client, foreign: Client, own: dict[str, str], before: list[Any], operation: Operation
):
    theirs = await foreign(*of(operation, own[noun(operation)], own), json=body(operation))
    nobodys = await foreign(*of(operation, str(uuid4()), own), json=body(operation))

    refused(theirs, 404)
    assert theirs.content == nobodys.content
    assert comparable(theirs) == comparable(nobodys)
    assert await everything(client, own) == before


def comparable(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in {"date", "x-request-id"}}


@pytest.mark.parametrize("kind", ["resource", "heartbeat"])
async def test_another_organisations_id_inside_a_bulk_deletion_deletes_nothing(
    client: Client, foreign: Client, own: dict[str, str], before: list[Any], kind: str
):
    unknown = str(uuid4())
    theirs = (await getattr(foreign, kind)())["id"]

    found = await foreign("DELETE", f"resource-cmd/v1/{kind}?id={theirs}&id={own[kind]}")
    nobodys = await foreign("DELETE", f"resource-cmd/v1/{kind}?id={theirs}&id={unknown}")

    refused(found, 404)
    assert found.text.replace(own[kind], unknown) == nobodys.text
    assert await everything(client, own) == before
    assert (await foreign("GET", f"resource-query/v1/{kind}/{theirs}")).status_code == 200
    assert (await foreign("DELETE", f"resource-cmd/v1/{kind}/{theirs}")).status_code == 200


async def test_another_organisations_service_is_empty_in_a_list_and_unknown_to_a_command(
    client: Client, foreign: Client, own: dict[str, str]
):
    for kind in ("resource", "heartbeat"):
        url = f"resource-query/v1/service/{own['service']}/{kind}s"
        assert paginated(await foreign("GET", url)) == []
        assert (await foreign("GET", url)).json()["total"] == 0
        before = [row["id"] for row in paginated(await client("GET", url + "?limit=500"), limit=500)]
        assert own[kind] in before

        theirs = await getattr(foreign, kind)()
        for method, path, body in (
            ("POST", f"resource-cmd/v1/{kind}", BODIES[kind] | {"name": "x", "service_id": own["service"]}),
            ("PUT", f"resource-cmd/v1/{kind}/{theirs['id']}", {"service_id": own["service"]}),
        ):
            refused(await foreign(method, path, json=body), 404)

        assert paginated(await foreign("GET", url)) == []
        assert [row["id"] for row in paginated(await client("GET", url + "?limit=500"), limit=500)] == before
        kept = (await foreign("GET", f"resource-query/v1/{kind}/{theirs['id']}")).json()
        assert kept["service_id"] == theirs["service_id"] == foreign.service_id
        await foreign("DELETE", f"resource-cmd/v1/{kind}/{theirs['id']}")
    services = {row["id"] for row in paginated(await client("GET", "resource-query/v1/services"))}
    assert services.isdisjoint({row["id"] for row in paginated(await foreign("GET", "resource-query/v1/services"))})


@pytest.mark.parametrize("kind", ["resource", "heartbeat"])
async def test_organisation_and_id_never_come_from_a_body(
    client: Client, foreign: Client, stranger: dict[str, Any], own: dict[str, str], kind: str
):
    claims = {"organisation": stranger["id"], "organisation_id": stranger["id"], "id": own[kind], "scope": "write"}

    made = await getattr(client, kind)(**claims)

    assert made["id"] != own[kind]
    refused(await foreign("GET", f"resource-query/v1/{kind}/{made['id']}"), 404)
    answer = await client("PUT", f"resource-cmd/v1/{kind}/{made['id']}", json=claims)
    assert answer.json()["id"] == made["id"]
    refused(await foreign("GET", f"resource-query/v1/{kind}/{made['id']}"), 404)
    await client("DELETE", f"resource-cmd/v1/{kind}/{made['id']}")


async def test_revoked_key_stops_working_everywhere_within_five_seconds(
    platform: Platform, http: httpx.AsyncClient, own: dict[str, str]
):
    key = await platform.command("keys", "create", "First organisation")
    it = Client(http, key["key"])
    calls = [("PUT", f"resource-cmd/v1/heartbeat/{own['heartbeat']}", {"interval": 60})]
    calls += [("GET", f"{service}/v1/heartbeat/{own['heartbeat']}{more}", None)
              for service, more in (("resource-query", ""), ("statistic-query", "/events"))]  # fmt: skip
    async with asyncio.timeout(5):
        while {(await it(method, url, json=sent)).status_code for method, url, sent in calls} != {200}:
            await asyncio.sleep(0.05)

    assert await platform.command("keys", "revoke", key["id"]) == {"revoked": key["id"]}
    revoked = time.monotonic()
    while {(await it(method, url, json=sent)).status_code for method, url, sent in calls} != {401}:
        assert time.monotonic() - revoked < 5
        await asyncio.sleep(0.05)
