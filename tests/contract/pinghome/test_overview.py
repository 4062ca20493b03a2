"""What an organisation's things show, at a glance: contract K, our extension."""

from typing import Any

import pytest

from contract.answers import TIME, refused
from contract.client import Client
from contract.target import eventually
from running import Platform

OVERVIEW = "resource-query/v1/overview"
NOUNS = {"resource": "resources", "heartbeat": "heartbeats", "server-resource": "server-resources"}


@pytest.fixture(scope="module")
async def own(platform: Platform, http: Any) -> Client:
    """An organisation that nobody else uses."""
    return Client(http, (await platform.command("organisation", "create", "Overseen"))["token"])


async def test_counts_are_those_of_the_lists(own: Client):
    seen = await own.get(OVERVIEW)
    assert {noun: sum(states.values()) for noun, states in seen["counts"].items()} == dict.fromkeys(NOUNS, 0)
    assert seen["down"] == []
    off, beat, ran = await own.resource(), await own.heartbeat(interval=86400), await own.heartbeat(interval=86400)
    await own.resource(), await own.server(), await own.heartbeat()
    gone = await own.resource()
    assert (await own("PUT", f"resource-cmd/v1/resource/{off['id']}/status", json={"enabled": False})).is_success
    assert (await own("DELETE", f"resource-cmd/v1/resource/{gone['id']}")).is_success
    for it, result in ((beat, "fail"), (ran, "complete"), (ran, "run")):
        assert (await own("GET", f"data-gateway/v1/heartbeat/{it['id']}?result={result}")).is_success
    seen = await own.get(OVERVIEW)
    for noun, listed in NOUNS.items():
        for state, count in seen["counts"][noun].items():
            assert (await own.get(f"resource-query/v1/{listed}", state=state))["total"] == count, (noun, state)
    assert seen["counts"]["heartbeat"] == {"pending": 1, "up": 0, "running": 1, "down": 1, "paused": 0}
    assert seen["counts"]["resource"]["paused"] == 1
    assert [(it["noun"], it["id"], it["name"], it["reason"]) for it in seen["down"]] == [
        ("heartbeat", beat["id"], beat["name"], "the job reported a failure")
    ]
    assert TIME.fullmatch(seen["down"][0]["since"])


async def test_run_that_does_not_end_is_down_although_no_event_says_so(own: Client):
    it = await own.heartbeat(interval=86400, grace=1, name="stuck")
    for result in ("fail", "run"):  # one that is down already: that the run does not end changes no status
        assert (await own("GET", f"data-gateway/v1/heartbeat/{it['id']}?result={result}")).is_success

    async def down() -> list[str]:
        return [each["name"] for each in (await own.get(OVERVIEW))["down"]]

    async def shown() -> str:
        return (await own.get(f"resource-query/v1/heartbeat/{it['id']}"))["state"]

    await eventually(shown, lambda state: state == "down", 30)
    assert it["name"] in await eventually(down, lambda names: it["name"] in names, 50)


async def test_readers_see_it_and_other_organisations_do_not(own: Client, client: Client, reader: Client):
    ours, theirs = {each["id"] for each in (await own.get(OVERVIEW))["down"]}, await client.get(OVERVIEW)
    assert ours
    assert ours.isdisjoint({each["id"] for each in theirs["down"]})
    assert len(theirs["down"]) <= 100
    assert set((await reader.get(OVERVIEW))["counts"]) == set(NOUNS)
    refused(await Client(own.http, "nobody")("GET", OVERVIEW), 401)
