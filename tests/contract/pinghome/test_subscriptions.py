"""Every example of pinghome-statuspages.txt on subscriptions, sent as it stands there (contract A50 to A53, S22)."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from contract.answers import paginated, refused
from contract.client import Client
from running import Platform

COMMANDS = "https://statuspage-cmd.api.pinghome.io/v1"
RECORDS = "https://statuspage-query.api.pinghome.io/v1"
BODY = {"channel_type": "email", "channel_value": "info@pinghome.dev"}


@pytest.fixture
def anybody(call: Client) -> Client:
    """Somebody without a token, in each form of address."""
    return replace(call, token=None)


@pytest.fixture
async def status_page(client: Client) -> AsyncIterator[dict[str, Any]]:
    """A page that takes subscriptions."""
    made = await client.page(subscription_enabled=True)
    yield made
    await client("DELETE", f"{COMMANDS}/statuspage/{made['id']}")


async def subscribe(anybody: Client, **settings: Any) -> dict[str, Any]:
    """What is shown of a new subscription, with its token."""
    body = {"channel_type": "email", "channel_value": f"{uuid4()}@example.com"} | settings
    answer = await anybody("POST", f"{COMMANDS}/subscriptions", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["subscription"]


async def subscribers(client: Client, status_page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The subscriptions to a status_page, by their addresses."""
    rows = paginated(await client("GET", f"{RECORDS}/statuspage/{status_page['id']}/subscriptions"))
    return {row["channel_value"]: row for row in rows}


async def test_create_subscription_without_a_page_line_513(
    client: Client, foreign: Client, anybody: Client, status_page: dict[str, Any]
):
    theirs, closed = await foreign.page(subscription_enabled=True), await client.page()
    answer = await anybody("POST", f"{COMMANDS}/subscriptions", json=BODY)
    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert set(shown) == {"message", "subscription"}
    assert BODY.items() <= shown["subscription"].items()
    for owner, its in ((client, status_page), (foreign, theirs)):  # all pages that take some
        found = (await subscribers(owner, its))["info@pinghome.dev"]
        assert found == BODY | {
            "id": found["id"], "verified": False, "components": [], "groups": [], "created_at": found["created_at"],
        }  # fmt: skip
    assert await subscribers(client, closed) == {}
    again = await anybody("POST", f"{COMMANDS}/subscriptions", json=BODY)
    assert (again.status_code, again.content) == (201, answer.content)
    await anybody("DELETE", f"{COMMANDS}/subscription/{shown['subscription']['token']}")
    assert await subscribers(client, status_page) == {}
    await foreign("DELETE", f"{COMMANDS}/statuspage/{theirs['id']}")


async def test_get_subscriptions_line_483(call: Client, foreign: Client, anybody: Client, status_page: dict[str, Any]):
    made = [await subscribe(anybody, statuspage_id=status_page["id"]) for _ in range(3)]
    url = f"{RECORDS}/statuspage/{status_page['id']}/subscriptions"
    rows = paginated(await call("GET", url))
    assert [row["channel_value"] for row in rows] == [it["channel_value"] for it in reversed(made)]
    assert paginated(await call("GET", f"{url}?page=2&limit=2"), page=2, limit=2) == rows[2:]
    assert "token" not in str(rows)
    theirs = await foreign("GET", url)
    assert theirs.content == (await foreign("GET", f"{RECORDS}/statuspage/{uuid4()}/subscriptions")).content
    refused(theirs, 404)
    refused(await anybody("GET", url), 401)


async def test_verify_subscription_line_543(client: Client, anybody: Client, status_page: dict[str, Any]):
    made = await subscribe(anybody, statuspage_id=status_page["id"])
    url = f"{COMMANDS}/subscription/{made['token']}/verification"
    for _ in range(2):
        answer = await anybody("PUT", url)
        assert (answer.status_code, answer.json()["message"]) == (200, "Subscription verified")
        assert (await subscribers(client, status_page))[made["channel_value"]]["verified"]


async def test_delete_subscription_line_568(client: Client, anybody: Client, status_page: dict[str, Any]):
    made = await subscribe(anybody, statuspage_id=status_page["id"])
    url = f"{COMMANDS}/subscription/{made['token']}"
    answer = await anybody("DELETE", url)
    assert (answer.status_code, answer.json()["message"]) == (200, "Subscription deleted")
    assert await subscribers(client, status_page) == {}
    refused(await anybody("DELETE", url), 404)
    refused(await anybody("PUT", f"{url}/verification"), 404)
    again = await subscribe(anybody, statuspage_id=status_page["id"], channel_value=made["channel_value"])
    assert again["token"] != made["token"]


async def test_too_late_is_422_and_subscribing_again_helps(
    client: Client, platform: Platform, status_page: dict[str, Any]
):
    anybody = replace(client, token=None)
    made = await subscribe(anybody, statuspage_id=status_page["id"])
    url = f"{COMMANDS}/subscription/{made['token']}"
    async with platform.sql("statuspage_cmd") as db:
        await db.execute(
            "UPDATE subscription SET state = state || jsonb_build_object('requested_at', now() - interval '25 hours')"
            " WHERE pages = ARRAY[$1::uuid]",
            UUID(status_page["id"]),
        )
    assert "Subscribe again" in refused(await anybody("PUT", f"{url}/verification"), 422, "token")
    assert await subscribe(anybody, statuspage_id=status_page["id"], channel_value=made["channel_value"]) == made
    assert (await anybody("PUT", f"{url}/verification")).status_code == 200


async def test_page_is_found_by_domain_id_and_where_the_request_comes_from(client: Client, http: httpx.AsyncClient):
    domain = f"{uuid4()}.example.org"
    status_page = await client.page(subscription_enabled=True, domain=domain)
    anybody = Client(http, None)
    ways: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({"domain": status_page["subdomain"]}, {}),
        ({"domain": domain.upper()}, {}),
        ({"statuspage_id": status_page["id"]}, {"Origin": "https://other.example.org"}),
        ({}, {"Origin": f"https://{domain}"}),
        ({}, {"Referer": f"https://{domain}/incident/1"}),
        ({}, {"Referer": f"http://localhost/status/{status_page['subdomain']}/incident/1"}),
    ]
    for said, headers in ways:
        value = f"{uuid4()}@example.com"
        body = {"channel_type": "email", "channel_value": value} | said
        answer = await anybody("POST", f"{COMMANDS}/subscriptions", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        assert value in await subscribers(client, status_page), said
    for said in ({"domain": "nobody"}, {"domain": "nobody.example.org"}):
        refused(await anybody("POST", f"{COMMANDS}/subscriptions", json=BODY | said), 422, "domain")
    refused(await anybody("POST", f"{COMMANDS}/subscriptions", json=BODY | {"statuspage_id": str(uuid4())}), 404)
    await client("PUT", f"{COMMANDS}/statuspage/{status_page['id']}/status", json={"enabled": False})
    refused(await anybody("POST", f"{COMMANDS}/subscriptions", json=BODY | {"statuspage_id": status_page["id"]}), 404)


@pytest.mark.parametrize("settings", [{}, {"subscription_enabled": True, "type": "private", "password": "x"}])
async def test_page_that_takes_no_subscriptions_of_everybody_says_so(client: Client, settings: dict[str, Any]):
    status_page = await client.page(**settings)
    answer = await replace(client, token=None)(
        "POST", f"{COMMANDS}/subscriptions", json=BODY | {"statuspage_id": status_page["id"]}
    )
    refused(answer, 422, "statuspage_id")


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("channel_type", {"channel_type": "sms", "channel_value": "+491234"}),
        ("channel_type", {"channel_value": "a@example.com"}),
        ("channel_value", {"channel_type": "email"}),
        *[("channel_value", {"channel_type": "email", "channel_value": bad})
          for bad in ("x", "", "a@b@c", "a b@example.com", "a@example.com\nBcc: b@example.com", "<a@example.com>", 7)],
        *[("channel_value", {"channel_type": kind, "channel_value": bad}) for kind in ("webhook", "slack")
          for bad in ("http://example.com/", "https://", "x", "https://169.254.169.254/", "https://10.0.0.1/",
                      "file:///etc/passwd", "https://[::ffff:169.254.169.254]/", "https://example.com/" + "x" * 2048)],
        ("components.0", BODY | {"components": [str(uuid4())]}),
        ("groups.0", BODY | {"groups": [str(uuid4())]}),
        ("statuspage_id", BODY | {"statuspage_id": "x"}),
    ],
)  # fmt: skip
async def test_what_cannot_be_told_is_refused_at_its_field(
    client: Client, status_page: dict[str, Any], field: str, bad: dict[str, Any]
):
    body = {"statuspage_id": status_page["id"]} | bad
    refused(await replace(client, token=None)("POST", f"{COMMANDS}/subscriptions", json=body), 422, field)


async def test_answer_does_not_tell_who_is_subscribed(client: Client, status_page: dict[str, Any]):
    anybody = replace(client, token=None)
    known = await subscribe(anybody, statuspage_id=status_page["id"])
    await anybody("PUT", f"{COMMANDS}/subscription/{known['token']}/verification")
    answers = []
    for value in (known["channel_value"], f"{uuid4()}@example.com", f"{uuid4()}@no-such-domain.invalid"):
        body = {"channel_type": "email", "channel_value": value, "statuspage_id": status_page["id"]}
        answer = await anybody("POST", f"{COMMANDS}/subscriptions", json=body)
        shown = answer.json()
        assert shown["subscription"].pop("channel_value") == value
        shown["subscription"].pop("token")  # shown to these tests only
        headers = {name: value for name, value in answer.headers.items() if name not in {"date", "x-request-id"}}
        headers.pop("content-length")
        answers.append((answer.status_code, shown, headers))
    assert answers[0] == answers[1] == answers[2]


async def test_forged_tokens_are_unknown(client: Client, status_page: dict[str, Any]):
    anybody = replace(client, token=None)
    made = await subscribe(anybody, statuspage_id=status_page["id"])
    plain = base64.urlsafe_b64decode(made["token"])
    assert UUID(bytes=plain[:16]) == UUID((await subscribers(client, status_page))[made["channel_value"]]["id"])
    other = base64.urlsafe_b64decode((await subscribe(anybody, statuspage_id=status_page["id"]))["token"])
    forged = [plain[:16] + bytes(32), plain[:-1] + bytes([plain[-1] ^ 1]), plain[:16] + other[16:], bytes(48)]
    tokens = [base64.urlsafe_b64encode(each).decode() for each in forged]
    tokens += [made["token"][:-1], made["token"] + "=", made["token"] + "A", "x", "=" * 64, "%00", "A" * 5000, "é" * 64]
    tokens += [made["token"][:60] + "====", str(UUID(bytes=plain[:16]))]
    for forgery in tokens:
        for method, url in (("PUT", "subscription/{}/verification"), ("DELETE", "subscription/{}")):
            answer = await anybody(method, f"{COMMANDS}/{url.format(forgery)}")
            assert refused(answer, 404) == "There is no such subscription", forgery
    assert len(await subscribers(client, status_page)) == 2


async def test_import_confirms_at_once_and_mails_nobody(
    client: Client, foreign: Client, status_page: dict[str, Any], mails: Any
):
    addresses = [f"{uuid4()}@example.com" for _ in range(500)]
    anybody = replace(client, token=None)
    asked = await subscribe(anybody, statuspage_id=status_page["id"])
    addresses.append(asked["channel_value"])
    url, chosen = f"{COMMANDS}/statuspage/{status_page['id']}/subscriptions", [status_page["components"][0]["id"]]
    answer = await client("POST", url, json={"addresses": [*addresses, addresses[0].upper()], "components": chosen})
    assert (answer.status_code, answer.json()["created"]) == (201, 500), answer.text
    rows = paginated(
        await client("GET", f"{RECORDS}/statuspage/{status_page['id']}/subscriptions?limit=500"), limit=500
    )
    assert len(rows) == 500
    assert all(row["verified"] for row in rows)
    assert (await client("POST", url, json={"addresses": addresses})).json()["created"] == 0
    assert {each["To"] for each in mails.mails} & set(addresses[1:-1]) == set()
    for bad in ({"addresses": []}, {"addresses": ["x"] * 10_001}):
        refused(await client("POST", url, json=bad), 422, "addresses")
    refused(await client("POST", url, json={"addresses": ["a@example.com", "x"]}), 422, "addresses.1")
    refused(
        await client("POST", url, json={"addresses": ["a@example.com"], "components": [str(uuid4())]}),
        422, "components.0",
    )  # fmt: skip
    refused(await foreign("POST", url, json={"addresses": ["a@example.com"]}), 404)


async def test_page_that_goes_takes_its_subscriptions_with_it(
    client: Client, status_page: dict[str, Any], platform: Platform
):
    anybody, other = replace(client, token=None), await client.page(subscription_enabled=True)
    one, both = await subscribe(anybody, statuspage_id=status_page["id"]), await subscribe(anybody)
    await client("DELETE", f"{COMMANDS}/statuspage/{status_page['id']}")
    refused(await anybody("DELETE", f"{COMMANDS}/subscription/{one['token']}"), 404)
    assert both["channel_value"] in await subscribers(client, other)
    async with platform.sql("statuspage_cmd") as db:
        left = await db.fetchval(
            "SELECT count(*) FROM subscription WHERE pages @> ARRAY[$1::uuid]", UUID(status_page["id"])
        )
    assert left == 0
    assert (await anybody("DELETE", f"{COMMANDS}/subscription/{both['token']}")).status_code == 200


async def test_unsubscribing_ends_all_that_would_tell_the_address_of_the_page(
    client: Client, status_page: dict[str, Any]
):
    anybody = replace(client, token=None)
    other = await client.page(subscription_enabled=True)
    one = await subscribe(anybody, statuspage_id=status_page["id"])
    await subscribe(anybody, channel_value=one["channel_value"])
    assert (await anybody("DELETE", f"{COMMANDS}/subscription/{one['token']}")).status_code == 200
    assert await subscribers(client, status_page) == {}
    assert one["channel_value"] in await subscribers(client, other)


async def test_any_site_may_subscribe_and_nothing_else(http: httpx.AsyncClient):
    asked = {"Origin": "https://www.example.org", "Access-Control-Request-Method": "POST"}
    wanted = asked | {"Access-Control-Request-Headers": "content-type"}
    answer = await http.options("/statuspage-cmd/v1/subscriptions", headers=wanted)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
    assert "access-control-allow-credentials" not in answer.headers
    answer = await http.options("/statuspage-cmd/v1/statuspage", headers=wanted)
    assert "access-control-allow-origin" not in answer.headers
    answer = await http.post("/statuspage-cmd/v1/subscriptions", headers=asked, json={})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (422, "*")
