"""Channels: who is told, what may be read of them, and whom they belong to (contract F)."""

from typing import Any
from uuid import uuid4

import pytest

from contract.answers import done, paginated, refused
from contract.client import CANARY, CHANNEL, Client
from contract.target import listening
from mail_sink import MailSink
from ssrf_corpus import FORBIDDEN

MASK = "********"


def of(it: dict[str, Any]) -> str:
    return f"resource-cmd/v1/channel/{it['id']}"


async def read(client: Client, it: dict[str, Any]) -> dict[str, Any]:
    return await client.get(f"resource-query/v1/channel/{it['id']}")


async def test_channel_is_made_changed_listed_and_deleted(call: Client):
    service = await call.service()
    body = {"name": "Ops", "kind": "email", "service_id": service["id"], "config": {"to": ["ops@example.com"]}}
    made = done(await call("POST", "resource-cmd/v1/channel", json=body), "channel", 201)
    assert body.items() <= made.items()
    assert await read(call, made) == made

    changed = done(await call("PUT", of(made), json={"name": "All", "config": {"to": ["a@x.io", "b@x.io"]}}), "channel")
    assert (changed["name"], changed["config"]) == ("All", {"to": ["a@x.io", "b@x.io"]})
    assert await read(call, made) == changed
    url = f"resource-query/v1/channels?service_id={service['id']}"
    assert paginated(await call("GET", url)) == [changed]
    assert (await call("GET", url)).json()["total"] == 1
    everything = paginated(await call("GET", "resource-query/v1/channels?limit=500"), limit=500)
    assert changed in everything
    assert paginated(await call("GET", f"resource-query/v1/channels?service_id={uuid4()}")) == []
    refused(await call("GET", "resource-query/v1/channels?service_id=x"), 422, "service_id")

    answer = await call("DELETE", of(made))
    assert (answer.status_code, answer.json()["id"]) == (200, made["id"])
    refused(await call("GET", f"resource-query/v1/channel/{made['id']}"), 404)
    refused(await call("DELETE", of(made)), 404)


async def test_webhooks_secret_is_made_shown_once_and_then_masked(client: Client):
    key = {"Idempotency-Key": str(uuid4())}
    body = CHANNEL | {
        "name": "hook",
        "config": {"url": f"https://me:{CANARY}@hooks.example.com:8443/{CANARY}?{CANARY}"},
    }
    made = done(await client("POST", "resource-cmd/v1/channel", json=body, headers=key), "channel", 201)
    assert made["config"]["secret"].startswith("whsec_")
    masked = {"url": f"https://hooks.example.com:8443/{MASK}", "secret": MASK}
    again = await client("POST", "resource-cmd/v1/channel", json=body, headers=key)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json()["channel"] == made | {"config": masked}
    assert (await read(client, made))["config"] == masked
    assert made["config"]["url"] == masked["url"]

    changed = done(await client("PUT", of(made), json={"config": masked, "name": "same"}), "channel")
    assert (changed["config"], changed["name"]) == (masked, "same")
    own = done(await client("PUT", of(made), json={"config": {"url": "https://x.io/", "secret": CANARY}}), "channel")
    assert own["config"] == {"url": "https://x.io/", "secret": MASK}
    refused(await client("PUT", of(made), json={"config": {"url": f"https://other.io/{MASK}"}}), 422, "config.url")


async def test_secret_does_not_follow_to_another_host(client: Client):
    made = await client.channel(config={"url": "https://hooks.example.com/a", "secret": CANARY})
    for url in ("https://other.example.com/a", "http://hooks.example.com/a", "https://hooks.example.com:8443/a"):
        for secret in ({}, {"secret": MASK}):
            refused(await client("PUT", of(made), json={"config": {"url": url, **secret}}), 422, "config.secret")
    kept = done(await client("PUT", of(made), json={"config": {"url": "https://hooks.example.com/b"}}), "channel")
    assert kept["config"] == {"url": f"https://hooks.example.com/{MASK}", "secret": MASK}
    moved = {"url": "https://other.example.com/", "secret": "another"}
    assert done(await client("PUT", of(made), json={"config": moved}), "channel")["config"] == moved | {"secret": MASK}
    fresh = done(await client("PUT", of(made), json={"config": {"url": "https://x.io/", "secret": ""}}), "channel")
    assert fresh["config"]["secret"].startswith("whsec_")


async def test_apprise_shows_its_scheme_alone(client: Client):
    body = CHANNEL | {"name": "chat", "kind": "apprise", "config": {"url": f"discord://4174216298/{CANARY}"}}
    made = done(await client("POST", "resource-cmd/v1/channel", json=body), "channel", 201)
    assert made["config"] == (await read(client, made))["config"] == {"url": f"discord://{MASK}"}
    for url in ("json://127.0.0.1/", "syslog://", "file:///etc/passwd", f"discord://1/{CANARY}?template=/etc/passwd"):
        refused(
            await client("POST", "resource-cmd/v1/channel", json=body | {"config": {"url": url}}), 422, "config.url"
        )


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"kind": "pager"}, "kind"), ({"kind": ""}, "kind"), ({"kind": None}, "kind"), ({"service_id": None}, "service_id"),
    ({"name": ""}, "name"), ({"config": None}, "config"), ({"config": []}, "config"), ({"config": "x"}, "config"),
    ({"config": {}}, "config.url"), ({"config": {"url": 5}}, "config.url"), ({"config": {"url": None}}, "config.url"),
    ({"config": {"url": ""}}, "config.url"), ({"config": {"url": "ftp://x/"}}, "config.url"),
    ({"config": {"url": "http://"}}, "config.url"), ({"config": {"url": "http://a b/"}}, "config.url"),
    ({"config": {"url": "http://x/\r\nX-Evil: 1"}}, "config.url"), ({"config": {"url": "http://[::1"}}, "config.url"),
    ({"config": {"url": "http://x:99999/"}}, "config.url"), ({"config": {"url": "x" * 5000}}, "config.url"),
    ({"config": {"url": "http://x/\0"}}, "config"), ({"config": {"url": ["http://x/"]}}, "config.url"),
    ({"config": {"url": "http://x/", "secret": 5}}, "config.secret"),
    ({"config": {"url": "http://x/", "secret": "é"}}, "config.secret"),
    ({"config": {"url": "http://x/", "secret": "x" * 256}}, "config.secret"),
    ({"config": {str(number): "" for number in range(21)}}, "config"),
    ({"kind": "email", "config": {}}, "config.to"), ({"kind": "email", "config": {"to": "a@x.io"}}, "config.to"),
    ({"kind": "email", "config": {"to": []}}, "config.to"), ({"kind": "email", "config": {"to": [5]}}, "config.to.0"),
    ({"kind": "email", "config": {"to": ["a@x.io", "b"]}}, "config.to.1"),
    ({"kind": "email", "config": {"to": ["a@x.io\r\nBcc: b@x.io"]}}, "config.to.0"),
    ({"kind": "email", "config": {"to": ["a@x.io, b@x.io"]}}, "config.to.0"),
    ({"kind": "email", "config": {"to": ["a@x.io"] * 51}}, "config.to"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "field"), WRONG, ids=lambda each: str(each)[:60])
async def test_what_cannot_be_is_refused_by_name(client: Client, wrong: dict[str, Any], field: str):
    message = refused(await client("POST", "resource-cmd/v1/channel", json=CHANNEL | {"name": "x"} | wrong), 422, field)
    assert len(message) < 600


async def test_kind_cannot_change(client: Client):
    it = await client.channel()
    assert (await client("PUT", of(it), json={"kind": "webhook"})).status_code == 200
    refused(await client("PUT", of(it), json={"kind": "email"}), 422, "kind")


@pytest.mark.parametrize("host", [form.values[0] for form in FORBIDDEN if not form.id.startswith("loopback")][:60])
async def test_forbidden_address_is_refused_in_every_spelling(client: Client, host: str):
    literal = f"[{host}]" if ":" in host else host
    body = CHANNEL | {"name": "never", "config": {"url": f"http://{literal}/"}}
    answer = await client("POST", "resource-cmd/v1/channel", json=body)
    if answer.status_code != 201:  # loopback may be called on this platform
        refused(answer, 422, "config.url")
    else:
        tested = (await client("POST", f"{of(answer.json())}/test")).json()
        assert not tested["delivered"]
        await client("DELETE", of(answer.json()))


async def test_test_says_what_happened(client: Client, mails: MailSink):
    async with listening() as receiver:
        it = await client.channel(config={"url": f"{receiver.url}{CANARY}"})
        tested = (await client("POST", f"{of(it)}/test")).json()
        assert tested == {"message": "Delivered", "delivered": True, "error": "", "id": it["id"]}
        assert receiver.asked[0].headers["idempotency-key"]
        receiver.status = 500
        tested = (await client("POST", f"{of(it)}/test")).json()
        assert (tested["delivered"], tested["error"]) == (False, "127.0.0.1 answered 500 Internal Server Error")
    tested = (await client("POST", f"{of(it)}/test")).json()
    assert tested["error"] == "127.0.0.1 refused the connection"
    mail = await client.channel(kind="email", config={"to": ["test@example.com"]})
    assert (await client("POST", f"{of(mail)}/test")).json()["delivered"]
    assert [each["Subject"] for each in mails.mails if each["To"] == "test@example.com"] == ["A test of Pinghome"]


@pytest.mark.parametrize("kind", ["resource", "heartbeat", "service"])
async def test_channels_are_named_by_their_own_and_leave_with_their_deletion(
    client: Client, foreign: Client, kind: str
):
    mine, other, theirs = await client.channel(), await client.channel(), await foreign.channel()
    it = await getattr(client, kind)(channels=[mine["id"], other["id"], mine["id"]])
    url = f"resource-cmd/v1/{kind}/{it['id']}"
    assert it["channels"] == [mine["id"], other["id"]]
    unknown = str(uuid4())
    for method, where, more in (
        ("PUT", url, {}),
        ("POST", f"resource-cmd/v1/{kind}", {k: it[k] for k in new(kind, it)}),
    ):
        found = await client(method, where, json={**more, "channels": [mine["id"], theirs["id"]]})
        nobodys = await client(method, where, json={**more, "channels": [mine["id"], unknown]})
        refused(found, 422, "channels.1")
        assert found.text.replace(theirs["id"], unknown) == nobodys.text

    await client("DELETE", of(mine))
    left = (await shown(client, kind, it))["channels"]
    assert left == [other["id"]]
    await client("DELETE", of(other))
    assert (await shown(client, kind, it))["channels"] == []


def new(kind: str, it: dict[str, Any]) -> list[str]:
    it["name"] = f"other {uuid4()}"
    fields = {
        "resource": ["name", "type", "url", "service_id", "regions"],
        "heartbeat": ["name", "service_id", "interval"],
    }
    return fields.get(kind, ["name"])


async def shown(client: Client, kind: str, it: dict[str, Any]) -> dict[str, Any]:
    if kind == "service":
        rows = paginated(await client("GET", "resource-query/v1/services?limit=500"), limit=500)
        return next(row for row in rows if row["id"] == it["id"])
    return await client.get(f"resource-query/v1/{kind}/{it['id']}")


async def test_service_is_changed_and_deleted(call: Client):
    channel, it = await call.channel(), await call.service()
    url = f"resource-cmd/v1/service/{it['id']}"
    changed = done(await call("PUT", url, json={"channels": [channel["id"]]}), "service")
    assert (changed["name"], changed["channels"]) == (it["name"], [channel["id"]])
    assert done(await call("PUT", url, json={"name": "Web shop"}), "service")["channels"] == [channel["id"]]
    assert (await call("DELETE", url)).status_code == 200
    refused(await call("DELETE", url), 404)
    rows = paginated(await call("GET", "resource-query/v1/services?limit=500"), limit=500)
    assert it["id"] not in {row["id"] for row in rows}


async def test_parents_make_no_circle_and_are_ones_own(client: Client, foreign: Client):
    first = await client.resource()
    second = await client.resource(parent_id=first["id"])
    third = await client.resource(parent_id=second["id"])
    assert second["parent_id"] == first["id"]

    async def put(it: dict[str, Any], parent: str | None) -> Any:
        return await client("PUT", f"resource-cmd/v1/resource/{it['id']}", json={"parent_id": parent})

    for parent in (first, second, third):
        assert "depends on" in refused(await put(first, parent["id"]), 422, "parent_id")
    theirs, unknown = (await foreign.resource())["id"], str(uuid4())
    found = await put(first, theirs)
    assert found.text.replace(theirs, unknown) == (await put(first, unknown)).text
    refused(found, 422, "parent_id")
    assert done(await put(third, None), "resource")["parent_id"] is None
    assert done(await put(first, third["id"]), "resource")["parent_id"] == third["id"]

    await client("DELETE", f"resource-cmd/v1/resource/{first['id']}")
    assert (await client.get(f"resource-query/v1/resource/{second['id']}"))["parent_id"] is None
