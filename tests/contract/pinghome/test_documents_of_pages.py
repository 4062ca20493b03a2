"""Every example of pinghome-statuspages.txt on pages and components, sent as it stands there (contract A40 to A49)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from contract.answers import but, refused
from contract.client import Client
from contract.target import eventually, listening

COMMANDS = "https://statuspage-cmd.api.pinghome.io/v1"
RECORDS = "https://statuspage-query.api.pinghome.io/v1"

COMPONENT = {
    "name": "Component name",
    "description": "Component description",
    "status": "operational",
    "type": "resource",
    "resource_id": "c03b02ec-244f-4d2c-8f68-3910071ed5c8",
}
BODY = {
    "name": "Statuspage name",
    "description": "Statuspage description",
    "subdomain": "status",
    "type": "public",
    "password": "TestPassw0rd!",
    "domain": "status.pinghome.io",
    "page_name": "Example",
    "dark_theme": False,
    "favicon": "org/f14340fc-3321-42c7-a93b-9befeea8871e/images/img-1705147439.jpg",
    "logo": "org/f14340fc-3321-42c7-a93b-9befeea8871e/images/img-1705147439.jpg",
    "redirect_to_https": True,
    "remove_branding": True,
    "robots_meta_contents": ["index"],
    "website_url": "https://pinghome.io",
    "privacy_url": "https://pinghome.io/privacy-policy",
    "support_url": "https://pinghome.io/support",
    "ga_tracking": "UA-123123-1",
    "ip_addresses": ["8.8.8.8"],
    "subscription_enabled": True,
    "components": [COMPONENT],
    "groups": [{"name": "Group name", "components": [COMPONENT]}],
}
KEPT = {name: value for name, value in BODY.items() if name not in {"password", "components", "groups"}}


@pytest.fixture
async def made(call: Client) -> AsyncIterator[dict[str, Any]]:
    """The page of the document's example; deleted at the end, for its subdomain is one of a kind."""
    answer = await call("POST", f"{COMMANDS}/statuspage", json=BODY)
    assert answer.status_code == 201, answer.text
    yield answer.json()["statuspage"]
    await call("DELETE", f"{COMMANDS}/statuspage/{answer.json()['id']}")


async def page(client: Client, **settings: Any) -> Any:
    """The answer to the creation of a page with a subdomain of its own."""
    body = {"name": "x", "description": "", "subdomain": f"p{uuid4().hex}", "type": "public"} | settings
    return await client("POST", f"{COMMANDS}/statuspage", json=body)


async def test_create_status_page_line_269(call: Client, foreign: Client, made: dict[str, Any]):
    assert KEPT.items() <= made.items()
    assert "password" not in made
    assert not made["has_password"]  # a public page has none, whatever is sent
    assert made["domain_verification"]["name"] == "_pinghome.status.pinghome.io"
    assert [each["name"] for each in made["components"]] == ["Component name"]
    assert [each["name"] for each in made["groups"][0]["components"]] == ["Component name"]
    assert made["shields_key"].startswith("sp_")
    for client in (call, foreign):  # the platform has each of them once
        assert "subdomain" in refused(await page(client, subdomain="status"), 409)
        message = refused(await page(client, domain="status.pinghome.io"), 409)
        assert "domain" in message
        assert made["id"] not in message
    for field in ("name", "description", "subdomain", "type"):
        refused(await call("POST", f"{COMMANDS}/statuspage", json=but(BODY, field)), 422, field)


async def test_get_status_pages_of_the_organisation_line_39(call: Client, foreign: Client, made: dict[str, Any]):
    listed = (await call.get(f"{RECORDS}/statuspages"))["data"]
    assert KEPT.items() <= next(each for each in listed if each["id"] == made["id"]).items()
    assert made["id"] not in str(await foreign.get(f"{RECORDS}/statuspages"))
    assert (await call.get("statuspage-query/statuspages"))["data"] == listed


async def test_get_status_page_line_71(call: Client, foreign: Client, made: dict[str, Any]):
    shown = await call.get(f"{RECORDS}/statuspage/{made['id']}")
    assert KEPT.items() <= shown.items()
    assert "shields_key" not in shown
    assert refused(await call("GET", f"{RECORDS}/statuspage/{uuid4()}"), 404) == "Status page not found"
    refused(await foreign("GET", f"{RECORDS}/statuspage/{made['id']}"), 404)
    refused(await call("GET", f"{RECORDS}/statuspage/c03b02ec"), 400, "id")


async def test_get_components_line_105(call: Client, foreign: Client, made: dict[str, Any]):
    shown = (await call.get(f"{RECORDS}/statuspage/{made['id']}/components"))["data"]
    assert [each["group"] and each["group"]["name"] for each in shown] == [None, "Group name"]
    for each in shown:  # what they follow is nobody's
        assert each | COMPONENT | {"status": "unknown"} == each
    refused(await foreign("GET", f"{RECORDS}/statuspage/{made['id']}/components"), 404)


async def test_get_statistics_of_a_component_line_139(call: Client, foreign: Client, made: dict[str, Any]):
    id_ = made["components"][0]["id"]
    shown = await call.get(f"{RECORDS}/component/{id_}/statistics", days=7)
    assert shown["status"] == "unknown"
    assert shown["uptime"] == {"24h": None, "7d": None, "30d": None, "90d": None}
    assert [each["status"] for each in shown["days"]] == ["unknown"] * 7
    assert shown["open_incidents"] == []
    refused(await foreign("GET", f"{RECORDS}/component/{id_}/statistics"), 404)
    refused(await call("GET", f"{RECORDS}/component/{id_}/statistics?days=366"), 400, "days")


async def test_get_unified_line_173(call: Client, foreign: Client, made: dict[str, Any]):
    shown = await call.get(f"{RECORDS}/statuspage/{made['id']}/unified")
    assert shown["theme"] | {"dark_theme": False, "logo": BODY["logo"], "favicon": BODY["favicon"]} == shown["theme"]
    assert [each["name"] for each in shown["groups"]] == ["Group name"]
    assert shown["shields_key"] == made["shields_key"]
    refused(await foreign("GET", f"{RECORDS}/statuspage/{made['id']}/unified"), 404)


async def test_get_cname_line_205(call: Client, made: dict[str, Any]):
    shown = await call.get(f"{RECORDS}/domain/status.pinghome.dev/cname")
    assert (shown["domain"], shown["configured"]) == ("status.pinghome.dev", False)
    assert (await call.get(f"{RECORDS}/domain/{made['domain']}/cname"))["configured"] is False
    refused(await call("GET", f"{RECORDS}/domain/{'a' * 64}.example.com/cname"), 400)


async def test_update_status_page_line_361(call: Client, foreign: Client, made: dict[str, Any]):
    url = f"{COMMANDS}/statuspage/{made['id']}"
    body = but(BODY, "components", "groups") | {"type": "private", "update_password": True}
    answer = await call("PUT", url, json=body)
    assert (answer.status_code, answer.json()["message"]) == (200, "Status page updated")
    after = answer.json()["statuspage"]
    assert (after["type"], after["has_password"]) == ("private", True)
    assert [each["id"] for each in after["components"]] == [each["id"] for each in made["components"]]
    assert (await call.get(f"{RECORDS}/statuspage/{made['id']}"))["has_password"]
    refused(await foreign("PUT", url, json=body), 404)
    refused(await call("PUT", f"{COMMANDS}/statuspage/{uuid4()}", json=body), 404)
    kept = (await call("PUT", url, json={"name": "Other", "password": "another"})).json()["statuspage"]
    assert (kept["name"], kept["has_password"], kept["subdomain"]) == ("Other", True, "status")


async def test_delete_status_page_line_423(call: Client, foreign: Client, made: dict[str, Any]):
    url = f"{COMMANDS}/statuspage/{made['id']}"
    refused(await foreign("DELETE", url), 404)
    answer = await call("DELETE", url)
    assert (answer.status_code, answer.json()) == (200, {"message": "Status page deleted", "id": made["id"]})
    refused(await call("DELETE", url), 404)
    refused(await call("GET", f"{RECORDS}/component/{made['components'][0]['id']}/statistics"), 404)


async def test_update_status_of_a_page_line_457(call: Client, foreign: Client, made: dict[str, Any]):
    url = f"{COMMANDS}/statuspage/{made['id']}/status"
    assert (await call("PUT", url, json={"enabled": False})).json()["statuspage"]["enabled"] is False
    assert (await call.get(f"{RECORDS}/statuspage/{made['id']}"))["enabled"] is False
    refused(await call("PUT", url, json={"enabled": "false"}), 422, "enabled")
    refused(await foreign("PUT", url, json={"enabled": True}), 404)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        *[("subdomain", bad) for bad in ("", "-a", "a_b", "A", "a" * 64, "www", "status.x", "data-gateway", 7)],
        *[("domain", bad) for bad in ("localhost", "co.uk", "a b.example", "10.0.0.1", "x" * 254,
                                       "resource-cmd.x.test")],
        *[("website_url", bad) for bad in ("javascript:alert(1)", "/x", "https://", "https://a\nb", "x" * 2001)],
        *[("ga_tracking", bad) for bad in ("G-1", "UA-1", "G-ABC1'</script>", "<b>")],
        *[("logo", bad) for bad in ("../x", "/x", "a b", "x" * 256, "https://x/y")],
        *[("ip_addresses", bad) for bad in (["x"], ["10.0.0.1/8"], "8.8.8.8", ["1.1.1.1"] * 101)],
        *[("robots_meta_contents", bad) for bad in (["x"], "index")],
        *[("accent_color", bad) for bad in ("red", "#fff", "#1234567")],
        ("timezone", "Mars/Olympus"), ("language", "tlh"), ("theme", "pink"), ("type", "secret"), ("dark_theme", 1),
        ("auto_incident_delay", -1), ("name", "a\x00b"), ("password", "x" * 129),
        *[("components", [COMPONENT | bad]) for bad in ({"status": "fine"}, {"type": "x"}, {"name": ""},
                                                       {"resource_id": None}, {"resource_id": "x"})],
        ("components", [{"name": "x", "type": "manual"}] * 501),
        ("groups", [{"name": ""}]),
    ],
)  # fmt: skip
async def test_bad_settings_are_refused_at_their_field(client: Client, field: str, bad: Any):
    answer = await page(client, **{field: bad})
    named = [each["field"] for each in answer.json()["errors"]]
    assert named
    assert {each.partition(".")[0] for each in named} == {field}
    refused(answer, 422, *named)


async def test_private_page_needs_a_password_or_addresses(client: Client):
    refused(await page(client, type="private"), 422, "password")
    for settings in ({"password": "x"}, {"ip_addresses": ["192.0.2.0/24", "2001:db8::1"]}):
        answer = await page(client, type="private", **settings)
        assert answer.status_code == 201, answer.text
    url = f"{COMMANDS}/statuspage/{answer.json()['id']}"
    refused(await client("PUT", url, json={"ip_addresses": []}), 422, "password")
    assert (await client("PUT", url, json={"type": "public"})).status_code == 200


async def test_components_keep_their_ids_by_id_or_name(client: Client):
    components = [{"name": name, "type": "manual"} for name in ("a", "b", "b")]
    made = (await page(client, components=components)).json()["statuspage"]
    a, b, other = [each["id"] for each in made["components"]]
    url = f"{COMMANDS}/statuspage/{made['id']}"
    wanted = [
        {"name": "b", "type": "manual"},
        {"id": a, "name": "A", "type": "manual", "status": "degraded_performance"},
    ]
    after = (await client("PUT", url, json={"components": wanted})).json()["statuspage"]["components"]
    assert [(each["id"], each["name"], each["status"], each["position"]) for each in after] == [
        (b, "b", "operational", 1), (a, "A", "degraded", 2),
    ]  # fmt: skip
    grouped = (await client("PUT", url, json={"groups": [{"name": "G", "components": wanted[:1]}]})).json()[
        "statuspage"
    ]
    assert [each["id"] for each in grouped["components"]] == [b, a]  # they stay outside unless they are sent, too
    assert grouped["groups"][0]["components"][0]["id"] not in {a, b, other}


async def test_component_shows_what_it_follows_and_what_is_set_by_hand(client: Client, foreign: Client):
    async with listening() as site:
        monitor = await client.resource(url=site.url, interval=5)
        others = await foreign.resource()
        follows = {"name": "site", "resource_id": monitor["id"]}
        made = (await page(client, components=[follows, {"name": "spied", "resource_id": others["id"]}])).json()
        url = f"{RECORDS}/statuspage/{made['id']}/components"

        async def statuses() -> list[str]:
            return [each["status"] for each in (await client.get(url))["data"]]

        await eventually(statuses, lambda seen: seen == ["operational", "unknown"])
        await site.stop()
        await eventually(statuses, lambda seen: seen == ["offline", "unknown"])
        by_hand = {"components": [follows | {"status": "maintenance"}]}
        await client("PUT", f"{COMMANDS}/statuspage/{made['id']}", json=by_hand)
        assert await statuses() == ["maintenance"]
        await client("PUT", f"{COMMANDS}/statuspage/{made['id']}", json={"components": [follows]})
        assert await statuses() == ["offline"]
    component = made["statuspage"]["components"][0]["id"]
    shown = await client.get(f"{RECORDS}/component/{component}/statistics", days=1)
    assert (shown["status"], shown["days"][-1]["status"]) == ("offline", "offline")
    assert 0 < shown["uptime"]["24h"] < 100
    await client("DELETE", f"resource-cmd/v1/resource/{monitor['id']}")
    await eventually(statuses, lambda seen: seen == ["unknown"])


async def test_what_was_acknowledged_is_read_and_versions_are_kept(client: Client):
    made = (await page(client)).json()
    url = f"{COMMANDS}/statuspage/{made['id']}"
    answers = await asyncio.gather(*(client("PUT", url, json={"name": str(number)}) for number in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    last = max(answers, key=lambda answer: int(answer.headers["etag"].strip('"v')))
    assert (await client.get(f"{RECORDS}/statuspage/{made['id']}"))["name"] == last.json()["statuspage"]["name"]
    refused(await client("PUT", url, headers={"If-Match": '"v1"'}, json={"name": "x"}), 412)
    key = {"Idempotency-Key": str(uuid4())}
    body = {"name": "x", "description": "", "subdomain": f"p{uuid4().hex}", "type": "public"}
    first, second = [await client("POST", f"{COMMANDS}/statuspage", headers=key, json=body) for _ in range(2)]
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
