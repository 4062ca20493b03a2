"""Who was told what of everything, and what check-ins brought: contract K, our extension."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from contract.answers import refused
from contract.client import Client
from contract.pinghome.job import job
from contract.target import eventually, listening
from running import Platform

LEDGER = "statistic-query/v1/notifications"


@pytest.fixture(scope="module")
async def own(platform: Platform, http: httpx.AsyncClient) -> Client:
    """An organisation that nobody else uses."""
    return Client(http, (await platform.command("organisation", "create", "Bookkeepers"))["token"])


@pytest.fixture(scope="module")
async def told(own: Client) -> dict[str, Any]:
    """Two channels, of which one is never reached, and what they were told of two heartbeats, newest first."""
    async with listening() as receiver:
        reached = (await own.channel(config={"url": receiver.url}))["id"]
        away = (await own.channel())["id"]
        jobs = [await own.heartbeat(interval=86400, channels=[reached, away]) for _ in range(2)]
        for it in jobs:
            for result in ("complete", "fail"):
                assert (await own("GET", f"data-gateway/v1/heartbeat/{it['id']}?result={result}")).is_success

        async def rows() -> list[dict[str, Any]]:
            return (await own.get(LEDGER))["data"]

        def tried(seen: list[dict[str, Any]]) -> bool:
            return len(seen) == 4 and sum(row["state"] == "sent" for row in seen) == 2 and all(
                row["attempts"] for row in seen
            )  # fmt: skip

        seen = await eventually(rows, tried, 60)
    return {"reached": reached, "away": away, "jobs": [it["id"] for it in jobs], "rows": [row["id"] for row in seen]}


async def ids(client: Client, **query: Any) -> list[str]:
    return [row["id"] for row in (await client.get(LEDGER, **query))["data"]]


async def test_all_that_was_told_with_what_it_is_about(own: Client, told: dict[str, Any]):
    rows = (await own.get(LEDGER))["data"]
    assert [row["id"] for row in rows] == told["rows"]
    assert sorted(row["about"] for row in rows) == sorted(told["jobs"] * 2)
    assert {(row["noun"], row["what"], row["page_id"]) for row in rows} == {("heartbeat", "down", None)}
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)


async def test_state_channel_and_both(own: Client, told: dict[str, Any]):
    sent = await ids(own, state="sent")
    assert len(sent) == 2
    assert await ids(own, channel=told["reached"]) == sent == await ids(own, channel=told["reached"], state="sent")
    assert await ids(own, channel=told["away"], state="sent") == await ids(own, channel=str(uuid4())) == []
    assert sorted([*await ids(own, channel=told["away"]), *sent]) == sorted(told["rows"])


async def test_pages_leave_nothing_out_although_two_were_told_at_once(own: Client, told: dict[str, Any]):
    found = await ids(own, limit=1)
    while more := await ids(own, limit=1, before=found[-1]):
        found += more
    assert found == told["rows"]
    assert await ids(own, before=found[0], channel=told["away"]) == [
        id_ for id_ in await ids(own, channel=told["away"]) if id_ != found[0]
    ]


async def test_bad_words_and_another_organisation(own: Client, foreign: Client, told: dict[str, Any]):
    for query, field in (
        ("state=lost", "state"), ("state=", "state"), ("channel=x", "channel"), ("before=2026-11-27", "before"),
        ("limit=0", "limit"), ("limit=x", "limit"),
    ):  # fmt: skip
        refused(await own("GET", f"{LEDGER}?{query}"), 422, field)
    assert set(await ids(foreign)).isdisjoint(told["rows"])
    assert await ids(foreign, channel=told["reached"]) == []
    unknown = await foreign("GET", f"{LEDGER}?before={uuid4()}")
    assert refused(await foreign("GET", f"{LEDGER}?before={told['rows'][0]}"), 404) == refused(unknown, 404)


async def test_events_have_numbers_durations_and_bodies_for_writers(
    client: Client, reader: Client, foreign: Client, http: httpx.AsyncClient
):
    it = await job(client)
    rid, other = uuid4(), uuid4()
    body = b"<script>alert(1)</script>\x00\xff"
    for path, content in (
        ("", b""), ("/start", b""), ("", body), (f"/start?rid={rid}", b""), (f"/start?rid={other}", b""),
        (f"/fail?rid={rid}", b""), ("/log", b"a line"), (f"?rid={other}", b""), ("/fail", b""),
    ):  # fmt: skip
        assert (await http.post(f"/ping/{it.id}{path}", content=content)).status_code == 200
    events = (await it.events())[::-1]
    assert [each["n"] for each in events] == list(range(1, 10))
    assert [each["n"] for each in events if each["has_body"]] == [3, 7]
    # As in Healthchecks' dialect: since the start with the same `rid`.
    assert [each["n"] for each in events if each["duration"] is not None] == [3, 6, 8]
    assert all(0 <= each["duration"] < 600 for each in events if each["duration"] is not None)
    url = f"statistic-query/v1/heartbeat/{it.id}/events"
    answer = await client("GET", f"{url}/3/body")
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    for n in (1, 10, 2**63 - 1):
        refused(await client("GET", f"{url}/{n}/body"), 404)
    for n in ("0", "-1", "x", "1.5", str(2**63)):
        refused(await client("GET", f"{url}/{n}/body"), 422, "n")
    refused(await reader("GET", f"{url}/3/body"), 403)
    refused(await foreign("GET", f"{url}/3/body"), 404)
