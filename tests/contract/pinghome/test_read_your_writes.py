"""A write that was answered is seen by every read that follows (contract, common rule 5), and once (house 3)."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contract.answers import done, paginated, refused
from contract.client import BODIES, Client

CLIENTS = 8
ROUNDS = 84
"""Of a client: POST, PUT and DELETE each; 2,016 writes in all."""


@pytest.mark.timeout(240)
async def test_two_thousand_writes_are_all_seen_at_once(client: Client):
    missed: Counter[str] = Counter()
    async with asyncio.TaskGroup() as clients:
        for number in range(CLIENTS):
            clients.create_task(write_and_read(client, number, missed))

    assert missed == {}


async def write_and_read(client: Client, number: int, missed: Counter[str]) -> None:
    kind = ("resource", "heartbeat")[number % 2]
    noun, listing = f"v1/{kind}", f"resource-query/v1/service/{{}}/{kind}s"
    body = BODIES[kind] | {"service_id": str(uuid4())}
    listing = listing.format(body["service_id"])
    statistic = f"statistic-query/{noun}/{{}}/statistic"
    kept: list[str] = []

    async def look(what: str, id_: str, name: str | None) -> None:
        """Reads in turn, each right after the write: one read would give the others time."""
        url = f"resource-query/{noun}/{id_}"
        match hash(what + id_) % 3:
            case 0:
                answer = await client("GET", url)
                right = answer.status_code == (200 if name else 404) and (not name or answer.json()["name"] == name)
            case 1:
                rows = paginated(await client("GET", f"{listing}?limit=500"), limit=500)
                names = {row["id"]: row["name"] for row in rows}
                right = names.get(id_) == name and len(rows) == len(kept)
            case _ if what != "PUT":
                right = (await client("GET", statistic.format(id_))).status_code == (200 if name else 404)
            case _:
                right = (await client("GET", url)).json().get("name") == name
        if not right:
            missed[f"{what} {kind}"] += 1

    for turn in range(ROUNDS):
        made = done(await client("POST", f"resource-cmd/{noun}", json=body | {"name": f"made {turn}"}), kind, 201)
        kept.append(made["id"])
        await look("POST", made["id"], f"made {turn}")
        if kind == "heartbeat":
            await check_in(client, made["id"], missed)
        answer = await client("PUT", f"resource-cmd/{noun}/{made['id']}", json={"name": f"changed {turn}"})
        assert answer.status_code == 200, answer.text
        await look("PUT", made["id"], f"changed {turn}")
        answer = await client("DELETE", f"resource-cmd/{noun}/{made['id']}")
        assert answer.status_code == 200, answer.text
        kept.remove(made["id"])
        await look("DELETE", made["id"], None)


async def check_in(client: Client, id_: str, missed: Counter[str]) -> None:
    """A heartbeat just made can be pinged, and the ping is in the next read of its events and of its state."""
    answer = await replace(client, token=None)("GET", f"data-gateway/v1/heartbeat/{id_}?result=fail&message={id_}")
    assert answer.status_code == 200, answer.text
    if hash(id_) % 2:
        events = (await client.get(f"statistic-query/v1/heartbeat/{id_}/events"))["data"]
        missed["events"] += [row["message"] for row in events] != [id_]
    else:
        missed["state"] += (await client.get(f"resource-query/v1/heartbeat/{id_}"))["state"] != "down"
    for what in ("events", "state"):
        if not missed[what]:
            del missed[what]


async def test_bulk_deletion_is_seen_at_once(client: Client):
    service = str(uuid4())
    for kind in ("resource", "heartbeat"):
        made = await asyncio.gather(*(getattr(client, kind)(service_id=service) for _ in range(100)))
        ids = [it["id"] for it in made]
        answer = await client("DELETE", f"resource-cmd/v1/{kind}?id={','.join(ids)}")
        assert sorted(answer.json()["ids"]) == sorted(ids)
        assert (await client.get(f"resource-query/v1/service/{service}/{kind}s"))["total"] == 0


async def test_service_is_listed_at_once(client: Client):
    answer = await client("POST", "resource-cmd/v1/service", json={"name": "Web shop"})
    made = done(answer, "service", 201)
    rows = paginated(await client("GET", "resource-query/v1/services?limit=500"), limit=500)
    assert made in rows


@pytest.mark.parametrize("kind", ["resource", "heartbeat"])
async def test_if_match_lets_only_the_present_version_change(client: Client, kind: str):
    it = await getattr(client, kind)()
    url, read = f"resource-cmd/v1/{kind}/{it['id']}", f"resource-query/v1/{kind}/{it['id']}"
    if kind == "resource":  # a verdict on its target is a new version, too: none comes while it is paused
        await client("PUT", f"{url}/status", json={"enabled": False})
    for version in (1, 2, 3):
        etag = (await client("GET", read)).headers["etag"]
        for wrong in ('"v99"', "v0", '"nothing"', '"v' + "9" * 5000 + '"', "*x", "“v1”".encode()):
            answer = await client("PUT", url, json={"name": "lost"}, headers={"If-Match": wrong})
            refused(answer, 412)
        assert (await client.get(read))["name"] != "lost"
        matching = {"If-Match": (etag, "*", f"W/{etag}")[version - 1]}
        answer = await client("PUT", url, json={"name": f"{it['name']} {version}"}, headers=matching)
        assert answer.status_code == 200
        assert (await client("GET", read)).headers["etag"] == answer.headers["etag"] != etag
    refused(await client("DELETE", url, headers={"If-Match": '"v1"'}), 412)
    answer = await client("DELETE", url, headers={"If-Match": answer.headers["etag"]})
    assert answer.status_code == 200


async def test_fifty_writers_of_one_version_have_one_winner(client: Client):
    it = await client.heartbeat()
    url = f"resource-cmd/v1/heartbeat/{it['id']}"

    answers = await asyncio.gather(
        *(client("PUT", url, json={"name": f"{it['id']} {n}"}, headers={"If-Match": '"v1"'}) for n in range(50))
    )

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 49}
    winner = next(answer.json()["heartbeat"]["name"] for answer in answers if answer.status_code == 200)
    assert (await client.get(f"resource-query/v1/heartbeat/{it['id']}"))["name"] == winner


@pytest.mark.parametrize("kind", ["resource", "heartbeat", "service"])
async def test_idempotency_key_replays_the_answer_and_makes_one(client: Client, foreign: Client, kind: str):
    url, body = f"resource-cmd/v1/{kind}", new(kind)
    key = {"Idempotency-Key": f"key {uuid4()}"}

    first = await client("POST", url, json=body, headers=key)
    again = await client("POST", url, json=body, headers=key)
    by_host = await client.by(type(client.form).HOST)("POST", url, json=body, headers=key)
    other = await client("POST", url, json=new(kind), headers=key)
    moved = {"service_id": foreign.service_id} if "service_id" in body else {}
    elsewhere = await foreign("POST", url, json=body | moved, headers=key)

    assert "idempotency-replayed" not in first.headers
    for replayed in (again, by_host):
        assert replayed.headers["idempotency-replayed"] == "true"
        assert (replayed.status_code, replayed.content) == (201, first.content)
        assert replayed.headers["etag"] == first.headers["etag"]
    assert "Idempotency-Key" in refused(other, 409)
    assert elsewhere.json()["id"] != done(first, kind, 201)["id"]
    assert await total(client, kind, body) == 1


async def test_refused_request_does_not_use_its_idempotency_key_up(client: Client):
    body, key = new("heartbeat"), {"Idempotency-Key": str(uuid4())}

    refused(
        await client("POST", "resource-cmd/v1/heartbeat", json=body | {"interval": 0}, headers=key), 422, "interval"
    )

    done(await client("POST", "resource-cmd/v1/heartbeat", json=body, headers=key), "heartbeat", 201)


@pytest.mark.parametrize("kind", ["resource", "heartbeat"])
async def test_twenty_equal_requests_at_once_make_one(client: Client, kind: str):
    url, body, key = f"resource-cmd/v1/{kind}", new(kind), {"Idempotency-Key": str(uuid4())}

    answers: list[httpx.Response] = await asyncio.gather(
        *(client("POST", url, json=body, headers=key) for _ in range(20))
    )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert await total(client, kind, body) == 1


def new(kind: str) -> dict[str, Any]:
    body = BODIES[kind]
    return body | {"name": f"once {uuid4()}"} | ({} if kind == "service" else {"service_id": str(uuid4())})


async def total(client: Client, kind: str, body: dict[str, Any]) -> int:
    if kind == "service":
        rows = (await client.get("resource-query/v1/services", limit=500))["data"]
        return sum(row["name"] == body["name"] for row in rows)
    return (await client.get(f"resource-query/v1/service/{body['service_id']}/{kind}s"))["total"]
