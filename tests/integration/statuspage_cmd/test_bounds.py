"""How much there may be, on a platform where that is less than by default (contract H)."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract.answers import refused
from contract.client import BODIES, SERVICE, Client
from running import TOKEN, up

LIMITS = {f"{name}_limit": "2" for name in ("servers", "components", "subscribers", "updates", "page_metrics")}
STATUS = "s" * 40
HAND = {"type": "manual"}


@pytest.fixture
async def client(folder: Path) -> AsyncIterator[Client]:
    limits = LIMITS | {"pages_limit": "3", "message_limit": "30", "domains_per_day": "2"}
    async with up(
        folder / "bounds", bootstrap_token=TOKEN, bootstrap_status_token=STATUS, **limits, expose_tokens="true"
    ) as running:
        async with httpx.AsyncClient(base_url=running.url, timeout=30, trust_env=False) as http:
            yield Client(http, TOKEN)
        await running.stop()


async def test_what_is_over_a_limit_is_refused_at_its_field(client: Client):
    await servers(client)
    page = await pages(client)
    await domains(client, page)
    await components(client, page)
    await messages(client, page)
    await updates(client, page)
    await subscribers(client, page)
    await metrics(client)


async def servers(client: Client) -> None:
    asked = [client("POST", "resource-cmd/v1/server-resource", json=body("server-resource", n)) for n in range(6)]
    answers = await asyncio.gather(*asked)
    assert sorted(each.status_code for each in answers) == [201] * 2 + [422] * 4
    refused(next(each for each in answers if each.status_code == 422), 422, "service_id")
    first = next(each for each in answers if each.status_code == 201).json()["id"]
    assert (await client("DELETE", f"resource-cmd/v1/server-resource/{first}")).status_code == 200
    await client.server()


async def pages(client: Client) -> str:
    made = [(await client.page(subscription_enabled=True))["id"] for _ in range(2)]
    answer = await client("POST", "statuspage-cmd/v1/statuspage", json=body("statuspage", 3) | {"subdomain": "third"})
    refused(answer, 422, "subdomain")
    return made[0]


async def domains(client: Client, page: str) -> None:
    url = f"statuspage-cmd/v1/statuspage/{page}"
    for name in ("a", "b", "a"):
        assert (await client("PUT", url, json={"domain": f"{name}.example.org"})).status_code == 200
    answer = await client("PUT", url, json={"domain": "c.example.org"})
    refused(answer, 422, "domain")
    assert re.search(r"may claim another one from \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", answer.text)


async def components(client: Client, page: str) -> None:
    url = f"statuspage-cmd/v1/statuspage/{page}"
    many = [{"name": str(n)} | HAND for n in range(3)]
    refused(await client("PUT", url, json={"components": many}), 422, "components")
    groups = [{"name": "g", "components": many[:2]}]
    refused(await client("PUT", url, json={"components": many[2:], "groups": groups}), 422, "components")
    assert (await client("PUT", url, json={"components": [], "groups": groups})).status_code == 200


async def messages(client: Client, page: str) -> None:
    url = f"statuspage-cmd/v1/statuspage/{page}"
    for noun in ("incident", "maintenance", "template"):
        refused(await client("POST", f"{url}/{noun}", json=BODIES[noun] | {"message": "x" * 31}), 422, "message")
        it = await client.tells(page, noun, message="x" * 30)
        refused(
            await client("PUT", f"{url}/{noun}/{it['id']}", json={"message": "<p>" + "x" * 24 + "</p>"}), 422, "message"
        )
    rule = {"rrule": "FREQ=DAILY;COUNT=1", "message": "x" * 31}
    refused(await client("POST", f"{url}/maintenance", json=BODIES["maintenance"] | rule), 422, "message")


async def updates(client: Client, page: str) -> None:
    it = await client.tells(page, "incident")
    url = f"statuspage-cmd/v1/statuspage/{page}/incident/{it['id']}"
    refused(await client("PUT", f"{url}/postmortem", json={"message": "x" * 31}), 422, "message")
    for _ in range(2):
        await client.tells(page, f"incident/{it['id']}/update")
    refused(await client("POST", f"{url}/update", json=BODIES["update"]), 422, "message")


async def metrics(client: Client) -> None:
    headers = {"Authorization": f"Token {STATUS}"}
    nouns = ("metrics", "custom-metrics", "metrics", "custom-metrics")
    asked = [client("POST", f"statuspage-cmd/rest/v1/{noun}", headers, json={"name": "x"}) for noun in nouns]
    answers = [each.status_code for each in await asyncio.gather(*asked)]
    assert sorted(answers) == [201, 201, 400, 400]
    answer = await client("POST", "statuspage-cmd/rest/v1/metrics", headers, json={"name": "x"})
    assert answer.json() == {"name": ["A page has at most 2 metrics."]}


async def subscribers(client: Client, page: str) -> None:
    ask = {"channel_type": "email", "statuspage_id": page}
    answer = await client("POST", "statuspage-cmd/v1/subscriptions", json=ask | {"channel_value": "late@example.com"})
    token = answer.json()["subscription"]["token"]
    url = f"statuspage-cmd/v1/statuspage/{page}/subscriptions"
    three = {"addresses": [f"{n}@example.com" for n in range(3)]}
    refused(await client("POST", url, json=three), 422, "statuspage_id")
    assert (await client("POST", url, json={"addresses": three["addresses"][:2]})).json()["created"] == 2
    refused(await client("PUT", f"statuspage-cmd/v1/subscription/{token}/verification"), 422, "statuspage_id")
    full = await client("POST", "statuspage-cmd/v1/subscriptions", json=ask | {"channel_value": "more@example.com"})
    refused(full, 422, "statuspage_id")


def body(noun: str, number: int) -> dict[str, Any]:
    return BODIES[noun] | {"name": f"{noun} {number}", "service_id": SERVICE}
