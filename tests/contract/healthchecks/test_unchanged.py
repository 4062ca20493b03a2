"""A list of checks that has not changed is 304 to who has it, and anything that it shows makes it new at once."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from contract.client import Client
from contract.healthchecks.conftest import Project
from contract.healthchecks.test_access import cors
from contract.target import eventually


async def asked(project: Project, tag: str = "", **more: object) -> httpx.Response:
    return await project("GET", "checks/", headers={"If-None-Match": tag} if tag else {}, **more)


async def at_rest(project: Project) -> None:
    """Until what a ping has changed is an event, too, which makes a new tag of the same list."""

    async def tags() -> set[str]:
        found = {(await asked(project)).headers["etag"]}
        await asyncio.sleep(0.2)
        return found | {(await asked(project)).headers["etag"]}

    await eventually(tags, lambda found: len(found) == 1)


async def test_unchanged_list_is_304_until_something_that_it_shows_changes(client: Client, empty: Project):
    kept, gone = await empty.create(name="kept", timeout=86400), await empty.create(name="gone")
    channel = await client.channel(service_id=empty.service)
    path = f"checks/{kept['uuid']}"
    changes: list[Callable[[], Awaitable[httpx.Response]]] = [
        lambda: empty("POST", path, json={"desc": "new"}),
        lambda: empty("POST", "checks/", json={"name": "third"}),
        lambda: empty("DELETE", f"checks/{gone['uuid']}"),
        lambda: empty.http.get(kept["ping_url"]),
        lambda: empty.http.get(kept["ping_url"] + "/start"),
        lambda: empty.http.get(kept["ping_url"] + "/log"),
        lambda: empty("POST", f"{path}/pause"),
        lambda: client("PUT", f"resource-cmd/v1/service/{empty.service}", json={"channels": [channel["id"]]}),
    ]
    for number, change in enumerate(changes):
        await at_rest(empty)
        first = await asked(empty)
        tag = first.headers["etag"]
        assert first.headers["cache-control"] == "no-cache"
        same = await asked(empty, f'"x", {tag}')
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag), number
        assert same.headers["cache-control"] == "no-cache"
        cors(same)
        assert (await change()).is_success
        after = await asked(empty, tag)
        assert (after.status_code, after.headers["etag"] == tag) == (200, False), number
        assert after.content == (await asked(empty)).content
        if number < 7:  # the checks have channels of their own or none
            assert after.content != first.content, number


async def test_list_of_another_view_or_service_is_not_that_one(empty: Project, neighbour: Project):
    it = await empty.create(name="one", tags="a")
    theirs = await neighbour.create(name="theirs")
    tag = (await asked(empty)).headers["etag"]
    assert (await empty.http.get(theirs["ping_url"])).status_code == 200
    assert (await asked(empty, tag)).status_code == 304
    for answer in (
        await asked(empty, tag, params={"tag": "a"}),
        await asked(empty, tag, params={"slug": "one"}),
        await asked(empty, tag, key=empty.reading),
        await asked(neighbour, tag),
        await empty.http.get("/api/v3/checks/", headers={"X-Api-Key": empty.key, "If-None-Match": tag}),
        await empty("GET", "checks/", headers={"If-None-Match": tag, "Host": "another.example.com"}),
    ):
        assert answer.status_code == 200
        assert answer.headers["etag"] != tag
    assert (await empty("GET", "checks/", "w" * 32, headers={"If-None-Match": tag})).status_code == 401
    assert (await empty("DELETE", f"checks/{it['uuid']}")).status_code == 200
