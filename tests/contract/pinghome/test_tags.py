"""Tags of monitors, heartbeats and servers: contract K, our extension; a check's are words of Healthchecks' `tags`."""

from typing import Any
from uuid import uuid4

import pytest

from contract.answers import refused
from contract.client import Client
from contract.healthchecks.conftest import Project, made
from contract.pinghome.test_lists import NOUNS, names
from running import Platform

PATHS = {"resources": "resource", "heartbeats": "heartbeat", "server-resources": "server-resource"}
WORDS = "must be words of 1 to 50 characters without white space"


@pytest.mark.parametrize("noun", NOUNS)
async def test_tags_are_shown_changed_and_found_whole_and_as_they_are_written(client: Client, noun: str):
    service, path = (await client.service())["id"], PATHS[noun]
    make = getattr(client, NOUNS[noun])
    both = await make(service_id=service, name="both", tags=["prod", "Ü-1", "prod"])
    one = await make(service_id=service, name="one", tags=["prod"])
    none = await make(service_id=service, name="none")
    assert (both["tags"], one["tags"], none["tags"]) == (["prod", "Ü-1"], ["prod"], [])
    shown = f"service/{service}/{noun}"
    for query, found in (
        ({"tag": "prod"}, ["both", "one"]), ({"tag": ["prod", "Ü-1"]}, ["both"]), ({"tag": "Prod"}, []),
        ({"tag": "pro"}, []), ({"tag": "%"}, []), ({"q": "ü-"}, ["both"]), ({"q": "prod"}, ["both", "one"]),
        ({"q": "d ü"}, []), ({"tag": "prod", "q": "one"}, ["one"]),
    ):  # fmt: skip
        assert await names(client, shown, **query) == found, query
    answer = await client("PUT", f"resource-cmd/v1/{path}/{one['id']}", json={"tags": ["new"]})
    assert answer.json()[path.replace("-", "_")]["tags"] == ["new"]
    assert await names(client, shown, tag="new") == ["one"]
    assert (await client("PUT", f"resource-cmd/v1/{path}/{one['id']}", json={"name": "renamed"})).is_success
    assert (await client.get(f"resource-query/v1/{path}/{one['id']}"))["tags"] == ["new"]
    assert (await client("PUT", f"resource-cmd/v1/{path}/{one['id']}", json={"tags": []})).is_success
    assert (await client.get(f"resource-query/v1/{path}/{one['id']}"))["tags"] == []


@pytest.mark.parametrize("noun", NOUNS)
async def test_what_is_no_tag_is_422(client: Client, noun: str):
    make = getattr(client, NOUNS[noun])
    it = await make(name=f"tagged {uuid4()}", tags=["x" * 50] * 2)
    url = f"resource-cmd/v1/{PATHS[noun]}/{it['id']}"
    wrong: list[tuple[Any, str]] = [
        (["a b"], "tags"), (["a\tb"], "tags"), (["\u2003"], "tags"), ([""], "tags"), (["x" * 51], "tags"),
        ([f"{number}" for number in range(21)], "tags"), ([f"{number}" + "x" * 48 for number in range(10, 20)], "tags"),
        ("prod", "tags"), (None, "tags"), ([5], "tags.0"), (["a\0"], "tags.0"),
    ]  # fmt: skip
    for tags, field in wrong:
        refused(await client("PUT", url, json={"tags": tags}), 422, field)
    assert (await client.get(f"resource-query/v1/{PATHS[noun]}/{it['id']}"))["tags"] == ["x" * 50]


async def test_a_check_keeps_its_tags_as_they_were_sent_until_they_are_other_words(platform: Platform, client: Client):
    project: Project = await made(platform, client.http, client, "First organisation")
    it = await project.create(name="job", tags="b  a b ")
    path = f"heartbeat/{it['uuid']}"
    assert (await client.get(f"resource-query/v1/{path}"))["tags"] == ["b", "a"]
    for tags, kept in ((["a", "b"], "b  a b "), (["b", "a"], "b  a b "), (["c", "a"], "c a"), ([], "")):
        answer = await client("PUT", f"resource-cmd/v1/{path}", json={"tags": tags})
        assert answer.status_code == 200, answer.text
        assert (await project.get(f"checks/{it['uuid']}"))["tags"] == kept
    again = await project("POST", "checks/", json={"name": "other", "tags": "x  y", "unique": ["tags"]})
    assert again.status_code == 201
    assert (await project("POST", "checks/", json={"tags": "x y", "unique": ["tags"]})).status_code == 201
