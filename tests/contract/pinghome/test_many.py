"""Commands on many monitors, heartbeats or servers at once: all of them or none (contract K, our extension)."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from contract.answers import refused
from contract.client import Client
from contract.pinghome.operations import OF_MANY
from contract.target import eventually
from running import Platform

NOUNS = {"resource": "resource", "heartbeat": "heartbeat", "server-resource": "server"}
each_noun = pytest.mark.parametrize("noun", NOUNS)
MESSAGES = {"resource": "Resources", "heartbeat": "Heartbeats", "server-resource": "Server resources"}


async def some(it: Client, noun: str, count: int = 3, **settings: Any) -> list[str]:
    """Ids of new ones."""
    make = getattr(it, NOUNS[noun])
    return sorted([(await make(name=f"{noun} {uuid4()}", **settings))["id"] for _ in range(count)])


async def shown(it: Client, noun: str, ids: list[str], field: str) -> list[Any]:
    return [(await it.get(f"resource-query/v1/{noun}/{id_}"))[field] for id_ in ids]


async def does(it: Client, noun: str, what: str, ids: list[str], **more: Any) -> None:
    method = "POST" if what == "delete" else "PUT"
    answer = await it(method, f"resource-cmd/v1/{noun}/{what}", json={"ids": ids, **more})
    assert answer.status_code == 200, answer.text
    done = "deleted" if what == "delete" else "updated"
    assert answer.json() == {"message": f"{MESSAGES[noun]} {done}", "ids": ids}


async def versions(platform: Platform, ids: list[str]) -> list[list[str]]:
    """What the event log says that commands did to each; what is probed meanwhile may change its state, too."""
    async with platform.sql("resource_cmd") as db:
        rows = await db.fetch(
            "SELECT aggregate, type FROM events, LATERAL (SELECT convert_from(body, 'UTF8')::json->>'type' AS type) t"
            " WHERE aggregate = ANY($1) AND type NOT LIKE '%status-changed' ORDER BY version",
            [UUID(id_) for id_ in ids],
        )
    return [[row["type"].partition(".")[2] for row in rows if str(row["aggregate"]) == id_] for id_ in ids]


@each_noun
async def test_many_are_switched_off_and_on(platform: Platform, client: Client, noun: str):
    ids = await some(client, noun)
    await does(client, noun, "status", [*ids[:2]], enabled=False)
    assert await shown(client, noun, ids, "enabled") == [False, False, True]
    assert await shown(client, noun, ids[:2], "state") == ["paused", "paused"]
    off, on = ("disabled", "enabled") if noun == "resource" else ("updated", "updated")
    assert (await versions(platform, ids))[0][-1] == off
    await does(client, noun, "status", ids, enabled=True)
    assert await shown(client, noun, ids, "enabled") == [True] * 3
    assert "paused" not in await shown(client, noun, ids, "state")
    assert [each[-1] for each in await versions(platform, ids)] == [on] * 3
    assert [len(each) for each in await versions(platform, ids)] == [3, 3, 2]


@each_noun
async def test_channels_of_many_are_set(client: Client, foreign: Client, noun: str):
    ids, channel = await some(client, noun), (await client.channel())["id"]
    for channels in ([channel], [], None, [channel, channel]):
        await does(client, noun, "channels", ids, channels=channels)
        assert await shown(client, noun, ids, "channels") == [channels and [channel]] * 3
    theirs = (await foreign.channel())["id"]
    for wrong in (theirs, str(uuid4())):
        body = {"ids": ids, "channels": [channel, wrong]}
        refused(await client("PUT", f"resource-cmd/v1/{noun}/channels", json=body), 422, "channels.1")
    assert await shown(client, noun, ids, "channels") == [[channel]] * 3


@each_noun
async def test_tags_are_added_to_many_and_taken_from_them(client: Client, noun: str):
    ids = [
        *await some(client, noun, 1, tags=["b", "a"]),
        *await some(client, noun, 1, tags=["a"]),
        *await some(client, noun, 1),
    ]
    await does(client, noun, "tags", ids, add=["c", "a"], remove=["b", "x"])
    assert await shown(client, noun, ids, "tags") == [["a", "c"], ["a", "c"], ["c", "a"]]
    await does(client, noun, "tags", ids, remove=["a", "c"])
    assert await shown(client, noun, ids, "tags") == [[], [], []]


@each_noun
async def test_limits_of_tags_hold_and_none_is_changed(client: Client, noun: str):
    full = [f"{number}" for number in range(20)]
    ids = [*await some(client, noun, 1), *await some(client, noun, 1, tags=full)]
    url = f"resource-cmd/v1/{noun}/tags"
    said = refused(await client("PUT", url, json={"ids": ids, "add": ["new"]}), 422, "add")
    assert ids[1] in said
    assert await shown(client, noun, ids, "tags") == [[], full]
    await does(client, noun, "tags", ids, add=["new"], remove=["0"])
    assert await shown(client, noun, ids, "tags") == [["new"], [*full[1:], "new"]]
    long = ["x" * 50 + f"{number}" for number in range(9)]
    refused(await client("PUT", url, json={"ids": ids, "add": long}), 422, "add")
    for body in ({}, {"add": [], "remove": []}, {"add": ["a"], "remove": ["b", "a"]}):
        refused(await client("PUT", url, json={"ids": ids, **body}), 422, "body")
    for field in ("add", "remove"):
        for tags in (["a b"], [""], ["x" * 51], [*full, "more"], None, "prod"):
            refused(await client("PUT", url, json={"ids": ids, field: tags}), 422, field)
        refused(await client("PUT", url, json={"ids": ids, field: [5]}), 422, f"{field}.0")


async def test_a_checks_tags_stay_as_they_were_written_where_nothing_changes(platform: Platform, client: Client):
    it = (await client.heartbeat())["id"]
    async with platform.sql("resource_cmd") as db:
        await db.execute("""UPDATE heartbeat SET state = state || '{"tags": "b  a b "}' WHERE id = $1""", UUID(it))
        await does(client, "heartbeat", "tags", [it], add=["a"], remove=["c"])
        assert await db.fetchval("SELECT state->>'tags' FROM heartbeat WHERE id = $1", UUID(it)) == "b  a b "
        await does(client, "heartbeat", "tags", [it], add=["c"])
        assert await db.fetchval("SELECT state->>'tags' FROM heartbeat WHERE id = $1", UUID(it)) == "b a c"


@each_noun
async def test_many_are_deleted_with_what_belongs_to_them(platform: Platform, client: Client, noun: str):
    ids = await some(client, noun)
    child = (await client.resource(parent_id=ids[0]))["id"] if noun != "heartbeat" else None
    await does(client, noun, "delete", ids[:2])
    for id_ in ids[:2]:
        refused(await client("GET", f"resource-query/v1/{noun}/{id_}"), 404)
    assert await shown(client, noun, ids[2:], "id") == ids[2:]
    assert [each[-1] for each in await versions(platform, ids)] == ["deleted", "deleted", "created"]
    if child:
        assert await shown(client, "resource", [child], "parent_id") == [None]
    if noun == "server-resource":
        async with platform.sql("resource_cmd") as db:
            assert await db.fetchval("SELECT count(*) FROM key WHERE state->>'server' = ANY($1)", ids) == 1


@each_noun
@pytest.mark.parametrize("what", OF_MANY)
async def test_all_or_none_and_the_unknown_ones_are_named(client: Client, foreign: Client, noun: str, what: str):
    ids, theirs, unknown = await some(client, noun, 2), await some(foreign, noun, 1), str(uuid4())
    method, url = "POST" if what == "delete" else "PUT", f"resource-cmd/v1/{noun}/{what}"
    body = OF_MANY[what] | ({"enabled": False} if what == "status" else {})
    missing = sorted([unknown, *theirs])
    answer = await client(method, url, json={"ids": [ids[0], *missing, ids[1]], **body})
    assert refused(answer, 404) == "Not found: " + ", ".join(missing)
    for field, value in (("enabled", True), ("channels", None), ("tags", [])):
        assert await shown(client, noun, ids, field) == [value, value]
    assert await shown(foreign, noun, theirs, "id") == theirs


@each_noun
@pytest.mark.parametrize("what", OF_MANY)
async def test_ids_are_1_to_500_uuids(client: Client, noun: str, what: str):
    method, url = "POST" if what == "delete" else "PUT", f"resource-cmd/v1/{noun}/{what}"
    wrong: list[tuple[Any, str]] = [
        ([], "ids"), ([str(uuid4()) for _ in range(501)], "ids"), (None, "ids"), (str(uuid4()), "ids"), ({}, "ids"),
        (["x"], "ids.0"), ([None], "ids.0"), ([uuid4().hex], "ids.0"), ([[str(uuid4())]], "ids.0"),
    ]  # fmt: skip
    for ids, field in wrong:
        refused(await client(method, url, json={"ids": ids, **OF_MANY[what]}), 422, field)
    refused(await client(method, url, json=OF_MANY[what]), 422, "ids")
    for missing in OF_MANY[what]:
        refused(
            await client(method, url, json={"ids": [str(uuid4())]}), 422, *(["body"] if what == "tags" else [missing])
        )
    refused(await client(method, url, json={"ids": [str(uuid4()) for _ in range(500)], **OF_MANY[what]}), 404)


async def test_an_id_that_is_named_twice_is_one(platform: Platform, client: Client):
    (id_,) = await some(client, "resource", 1)
    answer = await client("PUT", "resource-cmd/v1/resource/status", json={"ids": [id_, id_], "enabled": False})
    assert answer.json()["ids"] == [id_]
    assert await versions(platform, [id_]) == [["created", "disabled"]]


async def test_a_monitor_of_a_metric_is_in_the_way(platform: Platform, client: Client):
    ids = await some(client, "resource", 2)
    async with platform.sql("resource_cmd") as db:
        await db.execute(
            """UPDATE resource SET state = state || '{"managed_by": "statuspage"}' WHERE id = $1""", UUID(ids[1])
        )
    for what, body in OF_MANY.items():
        method = "POST" if what == "delete" else "PUT"
        refused(await client(method, f"resource-cmd/v1/resource/{what}", json={"ids": ids, **body}), 409)
    assert await versions(platform, ids) == [["created"], ["created"]]


async def test_a_monitor_that_is_switched_on_is_probed_again(client: Client):
    ids = await some(client, "resource", 2, interval=5)
    await eventually(lambda: shown(client, "resource", ids, "state"), lambda states: states == ["down", "down"])
    await does(client, "resource", "status", ids, enabled=False)
    assert await shown(client, "resource", ids, "state") == ["paused", "paused"]
    await does(client, "resource", "status", ids, enabled=True)
    await eventually(lambda: shown(client, "resource", ids, "state"), lambda states: states == ["down", "down"])


async def test_a_repeated_deletion_is_answered_as_before(client: Client):
    ids, headers = await some(client, "heartbeat", 2), {"Idempotency-Key": str(uuid4())}
    both = [
        await client("POST", "resource-cmd/v1/heartbeat/delete", headers=headers, json={"ids": ids}) for _ in range(2)
    ]
    assert [answer.status_code for answer in both] == [200, 200]
    assert both[0].content == both[1].content


@each_noun
async def test_who_changes_the_same_ones_at_once_waits_and_nobody_fails(client: Client, noun: str):
    ids = await some(client, noun, 6)
    url = f"resource-cmd/v1/{noun}"
    answers = await asyncio.gather(
        *(client("PUT", f"{url}/status", json={"ids": [*reversed(ids)], "enabled": False}) for _ in range(3)),
        *(client("PUT", f"{url}/tags", json={"ids": ids, "add": [f"t{n}"]}) for n in range(3)),
        *(client("PUT", f"{url}/{ids[n]}", json={"name": f"renamed {uuid4()}"}) for n in range(3)),
    )
    assert [answer.status_code for answer in answers] == [200] * 9
    assert [sorted(tags) for tags in await shown(client, noun, ids, "tags")] == [["t0", "t1", "t2"]] * 6
