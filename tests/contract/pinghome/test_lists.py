"""Lists that are searched, filtered and sorted: contract K, our extension."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from contract.answers import paginated, refused
from contract.client import Client
from contract.target import eventually

RECORDS = "resource-query/v1"
NOUNS = {"resources": "resource", "heartbeats": "heartbeat", "server-resources": "server"}


async def made(client: Client, noun: str, service: str, **settings: Any) -> dict[str, Any]:
    make: Callable[..., Awaitable[dict[str, Any]]] = getattr(client, NOUNS[noun])
    return await make(service_id=service, **settings)


async def names(client: Client, path: str, **query: Any) -> list[str]:
    """The names in a list, which must be all that it has."""
    rows = paginated(await client("GET", f"{RECORDS}/{path}", params=query))
    return [row["name"] for row in rows]


@pytest.mark.parametrize("noun", NOUNS)
async def test_search_finds_part_of_the_name_in_any_case_and_no_wildcard(client: Client, noun: str):
    service = (await client.service())["id"]
    all_ = ["Shop ÄPFEL", "shop_two", "100% sure", "back\\slash"]
    for name in all_:
        await made(client, noun, service, name=name)
    for path, more in ((f"service/{service}/{noun}", {}), (noun, {"service": service})):
        for q, found in (
            ("shop", ["Shop ÄPFEL", "shop_two"]), ("äpf", ["Shop ÄPFEL"]), ("p_t", ["shop_two"]), ("p%t", []),
            ("0%", ["100% sure"]), ("k\\s", ["back\\slash"]), ("", all_),
        ):  # fmt: skip
            assert await names(client, path, q=q, **more) == found, q


@pytest.mark.parametrize("noun", NOUNS)
async def test_sort_by_name_and_creation_and_pages_of_it(client: Client, noun: str):
    service = (await client.service())["id"]
    for name in ("b", "C", "a"):
        await made(client, noun, service, name=name)
    path = f"service/{service}/{noun}"
    for sort, found in (
        ("", ["b", "C", "a"]), ("name", ["a", "b", "C"]), ("-name", ["C", "b", "a"]), ("created_at", ["b", "C", "a"]),
        ("-created_at", ["a", "C", "b"]), ("state", ["b", "C", "a"]), ("-state_changed_at", ["a", "C", "b"]),
    ):  # fmt: skip
        assert await names(client, path, sort=sort) == found, sort
    second = await client("GET", f"{RECORDS}/{path}?sort=name&limit=2&page=2")
    assert [row["name"] for row in paginated(second, page=2, limit=2)] == ["C"]


@pytest.mark.parametrize("noun", NOUNS)
async def test_some_are_listed_by_their_ids(client: Client, stranger: dict[str, str], noun: str):
    service = (await client.service())["id"]
    ids = {name: (await made(client, noun, service, name=name))["id"] for name in ("a", "b", "c")}
    assert await names(client, noun, id=[ids["c"], ids["a"], str(uuid4())]) == ["a", "c"]
    assert await names(client, noun, id=ids["b"], q="a") == []
    foreign = Client(client.http, stranger["token"])
    assert await names(foreign, noun, id=[*ids.values()]) == []
    refused(await client("GET", f"{RECORDS}/{noun}", params={"id": "x"}), 422, "id.0")
    refused(await client("GET", f"{RECORDS}/{noun}", params={"id": [ids["a"]] * 101}), 422, "id")


async def test_state_type_url_and_host_of_monitors(client: Client):
    service = (await client.service())["id"]
    off = await client.resource(service_id=service, name="off", url="http://127.0.0.1:1/Reports")
    answer = await client("PUT", f"resource-cmd/v1/resource/{off['id']}/status", json={"enabled": False})
    assert answer.status_code == 200
    await client.resource(service_id=service, name="on", interval=5)
    await client.resource(service_id=service, name="port", type="tcp", url="", host="127.0.0.9", port=1)
    path = f"service/{service}/resources"
    assert await names(client, path, state="paused") == ["off"]
    assert await names(client, path, state=["paused", "pending", "up", "down"]) == ["off", "on", "port"]
    assert await names(client, path, type="tcp") == ["port"]
    assert await names(client, path, type=["tcp", "http"], q="report") == ["off"]
    assert await names(client, path, q="0.0.9") == ["port"]
    assert await names(client, path, type="dns") == []

    async def newest() -> str:
        return (await names(client, path, sort="-last_checked_at"))[0]

    await eventually(newest, lambda name: name != "off", 60)  # the oldest of all, which is never checked


async def test_state_of_heartbeats_is_the_one_that_is_shown(client: Client):
    service = (await client.service())["id"]
    for state, kinds in (("pending", []), ("up", ["complete"]), ("running", ["run"]), ("down", ["fail"])):
        it = await client.heartbeat(service_id=service, name=state, interval=86400)
        for kind in kinds:
            assert (await client("GET", f"data-gateway/v1/heartbeat/{it['id']}", params={"result": kind})).is_success
    path = f"service/{service}/heartbeats"
    shown = paginated(await client("GET", f"{RECORDS}/{path}"))
    assert {row["name"]: row["state"] for row in shown} == {row["name"]: row["name"] for row in shown}
    for state in ("pending", "up", "running", "down"):
        assert await names(client, path, state=state) == [state]
    assert await names(client, path, sort="-state") == ["up", "running", "pending", "down"]
    assert await names(client, path, sort="-last_event_at", state=["up", "pending"]) == ["up", "pending"]


async def test_organisations_lists_have_all_of_its_services_and_nobody_elses(client: Client, foreign: Client):
    mine, other, theirs = (
        (await client.service())["id"],
        (await client.service())["id"],
        (await foreign.service())["id"],
    )
    word = str(uuid4())
    for noun in NOUNS:
        for service, name in ((mine, f"one {word}"), (other, f"two {word}")):
            await made(client, noun, service, name=name)
        await made(foreign, noun, theirs, name=f"three {word}")
        assert await names(client, noun, q=word) == [f"one {word}", f"two {word}"]
        assert await names(client, noun, service=other) == [f"two {word}"]
        assert await names(client, noun, service=[mine, other]) == [f"one {word}", f"two {word}"]
        assert await names(client, noun, service=[theirs]) == []
        refused(await client("GET", f"{RECORDS}/{noun}?service=x"), 422, "service.0")


async def test_channels_and_services_are_searched_and_sorted(client: Client):
    word = str(uuid4())
    for name in ("b", "A"):
        await client.service(name=f"{name} {word}")
        await client.channel(name=f"{name} {word}")
    for path in ("services", "channels"):
        assert await names(client, path, q=word, sort="name") == [f"A {word}", f"b {word}"]
        assert await names(client, path, q=word) == [f"b {word}", f"A {word}"]
        refused(await client("GET", f"{RECORDS}/{path}?sort=state"), 422, "sort")


@pytest.mark.parametrize("noun", NOUNS)
async def test_unknown_words_and_what_is_too_long_are_422(client: Client, noun: str):
    for query, field in (
        ({"state": "broken"}, "state"), ({"state": ["up", "UP"]}, "state"), ({"sort": "colour"}, "sort"),
        ({"sort": "--name"}, "sort"), ({"q": "x" * 101}, "q"), ({"q": "\0"}, "q"), ({"tag": ["x"] * 21}, "tag"),
    ):  # fmt: skip
        for path in (noun, f"service/{uuid4()}/{noun}"):
            refused(await client("GET", f"{RECORDS}/{path}", params=query), 422, field)
    if noun == "resources":
        refused(await client("GET", f"{RECORDS}/{noun}?type=telnet"), 422, "type")
