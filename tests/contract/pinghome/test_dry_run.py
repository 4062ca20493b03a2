"""`POST /v1/resource/test`, our extension: a monitor is probed once from each region and not saved."""

import asyncio
from pathlib import Path
from uuid import uuid4

from authorities import Authority
from contract.answers import paginated, refused
from contract.client import CANARY, Client
from contract.target import listening
from running import free_port

URL = "resource-cmd/v1/resource/test"
BOTH = ["eu-central-1", "us-east-1"]
BODY = {"type": "http", "regions": BOTH}


def demand(operator: str, value: str) -> dict[str, object]:
    return {"type": "response-json-check", "operator": operator, "key": "groups.user[0].name", "values": [value]}


async def test_each_region_tells_its_phases_and_every_conditions_verdict(call: Client):
    service = str(uuid4())
    async with listening(says='{"groups": {"user": [{"name": "pinghome"}]}}') as target:
        conditions = [demand("equal", "pinghome"), demand("equal", "other"), demand("contains", "ping")]
        answer = await call(
            "POST", URL, json=BODY | {"url": target.url, "service_id": service, "conditions": conditions}
        )

    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert [row["region"] for row in data] == BOTH
    assert len(target.asked) == 2  # once from each, though it failed
    for row in data:
        assert (row["verdict"], row["status_code"], row["address"]) == ("target_fail", 200, "127.0.0.1")
        assert row["error"] == "response-json-check groups.user[0].name equal other: found pinghome"
        assert row["phases"]["total"] >= row["phases"]["first_byte"] > 0
        assert row["phases"]["tls"] is None
        assert row["certificate"] is None
        assert [(it["holds"], it["found"]) for it in row["conditions"]] == [
            (True, "pinghome"),
            (False, "pinghome"),
            (True, "pinghome"),
        ]
        assert demand("equal", "other").items() <= row["conditions"][1].items()
    assert paginated(await call("GET", f"resource-query/v1/service/{service}/resources")) == []


async def test_headers_and_body_are_sent_and_not_told(client: Client):
    async with listening() as target:
        secret = {"headers": {"Authorization": f"Bearer {CANARY}"}, "body": CANARY, "method": "post"}
        answer = await client("POST", URL, json=BODY | {"url": target.url} | secret)

    assert [row["verdict"] for row in answer.json()["data"]] == ["up", "up"]
    assert [(asked.method, asked.body, asked.headers["authorization"]) for asked in target.asked] == [
        ("POST", CANARY, f"Bearer {CANARY}")
    ] * 2
    assert CANARY not in answer.text


async def test_certificate_is_told_with_the_reason_why_it_is_refused(client: Client, folder: Path):
    tls = Authority("nobody trusts me").context(folder, days=-2)

    async def nothing(_reader, writer) -> None:
        writer.close()

    async with await asyncio.start_server(nothing, "127.0.0.1", free_port(), ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        refusal, taken = [
            (await client("POST", URL, json={"type": "tls", "host": "127.0.0.1", "port": port, "regions": BOTH[:1],
                                             "skip_ssl_error": skip})).json()["data"][0]
            for skip in (False, True)
        ]  # fmt: skip

    assert (refusal["verdict"], taken["verdict"]) == ("target_fail", "up")
    assert refusal["error"].startswith("the certificate is not accepted: ")
    for row in (refusal, taken):
        assert row["certificate"]["subject"] == "CN=localhost"
        assert row["certificate"]["days_left"] < 0
        assert row["certificate"]["verified"] is False
        assert row["certificate"]["problem"]
    assert taken["phases"]["tls"] > 0


async def test_what_cannot_be_created_cannot_be_tried(client: Client):
    url = {"url": "http://127.0.0.1:1/"}
    refused(await client("POST", URL, json=BODY), 422, "url")
    refused(await client("POST", URL, json=url | {"type": "http"}), 422, "regions")
    refused(await client("POST", URL, json=BODY | url | {"regions": ["eu-west-9"]}), 422, "regions")
    refused(await client("POST", URL, json=BODY | {"url": "http://169.254.169.254/"}), 422, "url")
    refused(await client("POST", URL, json=BODY | url | {"type": "x"}), 422, "type")
    refused(await client("POST", URL, json=BODY | url | {"interval": 7}), 422, "interval")
    refused(await client("POST", URL, json=BODY | {"type": "tls"}), 422, "host")


async def test_failures_are_told_in_time(client: Client):
    async with listening(pause=60) as target, asyncio.timeout(6):
        silent = await client("POST", URL, json=BODY | {"url": target.url, "interval": 5})
    refusing = await client("POST", URL, json=BODY | {"url": target.url, "conditions": [demand("exists", "x")]})

    assert all("timed out" in row["error"] for row in silent.json()["data"])
    for row in refusing.json()["data"]:
        assert (row["verdict"], row["error"]) == ("target_fail", "refused the connection")
        assert (row["conditions"][0]["holds"], row["certificate"]) == (None, None)


async def test_an_organisation_has_ten_at_a_time(client: Client, foreign: Client):
    async with listening(pause=1.5) as target:
        body = BODY | {"url": target.url}
        waiting = [asyncio.create_task(client("POST", URL, json=body)) for _ in range(20)]
        await asyncio.sleep(0.7)
        theirs = await foreign("POST", URL, json=body)
        answers = [await task for task in waiting]

    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429] * 10
    assert theirs.status_code == 200
    refusals = [answer for answer in answers if answer.status_code == 429]
    assert "10 dry runs" in refused(refusals[0], 429)
    assert (await client("POST", URL, json=body)).status_code == 200


MASK = "********"


async def test_masks_stand_for_the_secrets_of_the_monitor_that_is_named(client: Client):
    async with listening() as target:
        stored = {"headers": {"Authorization": CANARY, "X-Plain": "one"}, "body": CANARY, "method": "POST"}
        it = await client.resource(url=target.url, **stored)
        target.asked.clear()
        sent = {"id": it["id"], "url": f"{target.url}other", "regions": BOTH[:1], "type": "http", "method": "POST"}
        answer = await client(
            "POST", URL, json=sent | {"headers": {"Authorization": MASK, "X-Plain": "two"}, "body": MASK}
        )
        assert answer.json()["data"][0]["verdict"] == "up", answer.text
        assert CANARY not in answer.text
        asked = next(each for each in target.asked if each.path == "/other")
        assert (asked.headers["authorization"], asked.headers["x-plain"], asked.body) == (CANARY, "two", CANARY)
        target.asked.clear()
        await client("POST", URL, json=sent | {"url": f"{target.url}bare"})  # what is not sent is not kept
        asked = next(each for each in target.asked if each.path == "/bare")
        assert ("authorization" in asked.headers, asked.body) == (False, "")


async def test_masks_do_not_follow_to_another_host(client: Client):
    stored = {"headers": {"X-Api": CANARY, "User-Agent": "mine"}, "body": CANARY, "method": "POST"}
    async with listening() as target, listening() as other:
        it = await client.resource(url=target.url, **stored)
        sent = {"id": it["id"], "url": other.url, "regions": BOTH[:1], "type": "http", "method": "POST"}
        refused(await client("POST", URL, json=sent | {"headers": {"X-Api": MASK}}), 422, "headers")
        refused(await client("POST", URL, json=sent | {"body": MASK}), 422, "body")
        assert other.asked == []
        anew = {"headers": {"X-Api": "new", "User-Agent": MASK}, "body": "new"}
        assert (await client("POST", URL, json=sent | anew)).status_code == 200
        assert (other.asked[0].headers["x-api"], other.asked[0].headers["user-agent"]) == ("new", "mine")


async def test_a_mask_that_stands_for_nothing_is_refused(client: Client, foreign: Client):
    body = BODY | {"url": "http://127.0.0.1:1/"}
    bare = await client.resource(url=body["url"])
    for sent in (body, body | {"id": bare["id"]}):
        refused(await client("POST", URL, json=sent | {"headers": {"X-Api": MASK}}), 422, "headers")
        refused(await client("POST", URL, json=sent | {"body": MASK}), 422, "body")
    new = body | {"name": f"{uuid4()}", "service_id": str(uuid4())}
    refused(await client("POST", "resource-cmd/v1/resource", json=new | {"headers": {"X-Api": MASK}}), 422, "headers")
    refused(await client("POST", "resource-cmd/v1/resource", json=new | {"body": MASK}), 422, "body")
    for id_ in (bare["id"], str(uuid4())):
        refused(await foreign("POST", URL, json=body | {"id": id_}), 404)
    for id_ in ("x", 5, ""):
        refused(await client("POST", URL, json=body | {"id": id_}), 422, "id")
