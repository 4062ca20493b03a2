"""Heartbeats from end to end: check-ins and what becomes of them (contract A.4)."""

import asyncio
import json
import time
from datetime import datetime
from uuid import uuid4

import httpx
import pytest

from contract.answers import TIME, refused
from contract.client import Client
from contract.pinghome.job import Job, job
from contract.target import eventually


async def test_url_works_as_it_is_printed(client: Client, http: httpx.AsyncClient):
    made = await client.heartbeat()
    read = await client.get(f"resource-query/v1/heartbeat/{made['id']}")
    row = (await client.get(f"resource-query/v1/service/{made['service_id']}/heartbeats", limit=500))["data"][-1]

    assert made["url"] == read["url"] == row["url"] == f"{http.base_url}/data-gateway/v1/heartbeat/{made['id']}"
    async with httpx.AsyncClient() as anybody:
        assert (await anybody.get(made["url"])).status_code == 200
    assert await Job(client, made).state() == "up"


async def test_who_may_only_read_does_not_see_the_url_by_which_one_checks_in(client: Client, reader: Client):
    made = await client.heartbeat(service_id=str(uuid4()))
    seen = await reader.get(f"resource-query/v1/heartbeat/{made['id']}")
    [row] = (await reader.get(f"resource-query/v1/service/{made['service_id']}/heartbeats"))["data"]

    assert seen == row == {name: value for name, value in made.items() if name != "url"}


async def test_message_and_result_are_kept_newest_first(client: Client):
    it = await job(client)
    long, strange = "x" * 1500, "später & <b>ok</b> \u0000 \U0001f600 %41 +"
    for result, message in (("tick", "first"), ("run", ""), ("complete", long), ("fail", strange)):
        assert (await it.call(result=result, message=message)).status_code == 200
    assert (await it.call()).status_code == 200

    events = await it.events()

    told = [(row["result"], row["message"]) for row in events]
    assert told == [("tick", ""), ("fail", strange.replace("\0", "")), ("complete", long[:1000]), ("run", ""),
                    ("tick", "first")]  # fmt: skip
    assert all(TIME.fullmatch(row["received_at"]) and row["method"] == "GET" for row in events)
    assert len({row["id"] for row in events}) == 5
    assert (await it.read())["last_event_at"] == events[0]["received_at"]


async def test_cursor_pages_through_events_strictly_older_than_it(client: Client):
    it = await job(client)
    await it.ping(*["tick"] * 7)
    everything = await it.events()

    paged, page = [], await it.events(limit=3)
    while page:
        paged += page
        page = await it.events(limit=3, last_received_at=page[-1]["received_at"])

    assert paged == everything
    assert len(everything) == 7
    assert await it.events(last_received_at=everything[-1]["received_at"]) == []
    assert await it.events(last_received_at="2999-01-01T00:00:00Z") == everything
    assert await it.events(limit=10**6) == everything  # cut to a thousand


@pytest.mark.parametrize("interval", ["1h", "3h", "12h", "1d", "3d", "7d", "30d"])
async def test_statistic_counts_each_result(client: Client, interval: str):
    it = await job(client)
    await it.ping("tick", "tick", "tick", "run", "complete", "run", "complete", "fail")

    rows = await it.statistic(interval)

    counts = {name: sum(row[f"{name}_count"] for row in rows) for name in ("tick", "run", "complete", "fail")}
    assert counts == {"tick": 3, "run": 2, "complete": 2, "fail": 1}
    assert [row["received_at"] for row in rows] == sorted(row["received_at"] for row in rows)


async def test_run_is_running_until_it_completes_and_tells_how_long_it_took(client: Client):
    it = await job(client)
    assert await it.state() == "pending"
    await it.ping("run")
    assert await it.state() == "running"
    await asyncio.sleep(0.5)
    await it.ping("complete")

    read = await it.read()

    assert (read["state"], read["reason"]) == ("up", "")
    assert read["last_duration"] >= 0.5
    run, complete = [datetime.fromisoformat(row["received_at"]) for row in reversed(await it.events())]
    assert read["last_duration"] == pytest.approx((complete - run).total_seconds(), abs=1e-6)
    await it.ping("tick")
    assert await it.state() == "up"


async def test_failure_is_down_at_once_and_the_next_success_is_up(client: Client):
    it = await job(client)
    await it.ping("tick", "fail")
    read = await it.read()
    assert read["state"] == "down"
    assert "failure" in read["reason"]
    assert read["state_changed_at"] == read["last_event_at"]
    await it.ping("tick")
    assert await it.state() == "up"
    await it.ping("run", "fail")
    assert await it.state() == "down"


async def test_silence_is_down_at_its_deadline(client: Client):
    jobs = [await job(client, interval=2) for _ in range(3)]
    silent, unfinished, well = jobs
    began = time.monotonic()
    await asyncio.gather(silent.ping("tick"), unfinished.ping("run"), well.ping("tick"))

    async def look() -> list[str]:
        if time.monotonic() - began < 30:
            await well.ping("tick")
        return [await each.state() for each in jobs]

    await eventually(look, lambda states: states == ["down", "down", "up"])
    assert time.monotonic() - began > 2
    for each, words in ((silent, "no check-in"), (unfinished, "did not finish")):
        read = await eventually(each.read, lambda read: read["reason"])
        late = datetime.fromisoformat(read["state_changed_at"]) - datetime.fromisoformat(read["last_event_at"])
        assert late.total_seconds() == pytest.approx(2, abs=1e-3)
        assert words in read["reason"]
    await silent.ping("tick")
    assert await silent.state() == "up"


async def test_post_takes_a_json_body_and_anything_else_as_what_a_job_printed(client: Client):
    it = await job(client)
    url = f"data-gateway/v1/heartbeat/{it.id}"
    told = {"result": "fail", "message": "disk full", "ignored": 1}

    assert (await it.gate("POST", url, json=told)).status_code == 200
    form = {"Content-Type": "application/x-www-form-urlencoded"}  # as curl --data sends it
    assert (await it.gate("POST", url, content=json.dumps(told), headers=form)).status_code == 200
    for content in (b"", b"plain output\n", b"[1, 2]", b"\xff\xfe\x00"):
        assert (await it.gate("POST", url, content=content)).status_code == 200
    assert (
        await it.gate("POST", url, params={"result": "run", "message": "of the address"}, json=told)
    ).status_code == 200

    rows = [(row["result"], row["message"], row["method"]) for row in await it.events()]
    assert rows == [
        ("run", "of the address", "POST"),
        *[("tick", "", "POST")] * 4,
        *[("fail", "disk full", "POST")] * 2,
    ]
    refused(await it.gate("POST", url, json={"result": "sideways"}), 422, "result")
    refused(await it.gate("POST", url, json={"message": 5}), 422, "message")
    refused(await it.gate("POST", url, content=b'{"result": '), 422, "body")


async def test_head_is_a_check_in_without_a_body(client: Client):
    it = await job(client)

    answer = await it.call("HEAD", result="complete", message="short")

    assert (answer.status_code, answer.content) == (200, b"")
    assert [(row["result"], row["message"], row["method"]) for row in await it.events()] == [
        ("complete", "short", "HEAD")
    ]


async def test_methods_restrict_check_ins(client: Client):
    it = await job(client, methods=["post", "PUT", "post"])
    assert (await it.read())["methods"] == ["POST", "PUT"]

    for method, status in (("GET", 405), ("HEAD", 405), ("POST", 200), ("PUT", 200), ("PATCH", 405), ("DELETE", 405)):
        assert (await it.call(method)).status_code == status, method
    assert "POST" in refused(await it.call("GET"), 405)
    await client("PUT", f"resource-cmd/v1/heartbeat/{it.id}", json={"methods": ["GET"]})
    await eventually(it.call, lambda answer: answer.status_code == 200)
    assert [row["method"] for row in await it.events()] == ["GET", "PUT", "POST"]
    for methods in ([], ["TRACE"], ["GET", 1], "GET", None, ["G ET"]):
        answer = await client("PUT", f"resource-cmd/v1/heartbeat/{it.id}", json={"methods": methods})
        assert answer.status_code == 422, methods


@pytest.mark.parametrize("result", ["success", "TICK", "", "log", "ign", "0", "tick,fail", "t\0ick", "x" * 1000])
async def test_unknown_result_is_refused_and_not_counted(client: Client, result: str):
    it = await job(client)
    for method in ("GET", "POST"):
        refused(await it.call(method, result=result), 422, "result")
    assert (await it.call("HEAD", result=result)).status_code == 422
    assert await it.events() == []


async def test_unknown_and_deleted_ids_are_not_found(client: Client):
    it, in_bulk = await job(client), await job(client)
    await it.ping("tick")
    await in_bulk.ping("tick")
    assert (await client("DELETE", f"resource-cmd/v1/heartbeat/{it.id}")).status_code == 200
    assert (await client("DELETE", f"resource-cmd/v1/heartbeat?id={in_bulk.id}")).status_code == 200

    for each in (it, in_bulk, replaced(it, str(uuid4())), replaced(it, "nothing")):
        for method in ("GET", "POST", "PUT"):
            answer = await eventually(lambda m=method, e=each: e.call(m), lambda answer: answer.status_code != 200)
            assert refused(answer, 404) == "Heartbeat not found"
    for url in ("statistic", "events"):
        refused(await client("GET", f"statistic-query/v1/heartbeat/{it.id}/{url}"), 404)


def replaced(it: Job, id_: str) -> Job:
    return Job(it.client, {"id": id_})


async def test_disabled_heartbeat_keeps_events_and_stays_paused(client: Client):
    it = await job(client, interval=1)
    await it.ping("tick")
    answer = await client("PUT", f"resource-cmd/v1/heartbeat/{it.id}", json={"enabled": False})
    assert answer.json()["heartbeat"]["state"] == "paused"

    await it.ping("tick", "run", "complete", "fail", "run")
    await asyncio.sleep(2.5)
    assert await it.state() == "paused"
    assert [row["result"] for row in await it.events()] == ["run", "fail", "complete", "run", "tick", "tick"]
    answer = await client("PUT", f"resource-cmd/v1/heartbeat/{it.id}", json={"enabled": True, "interval": 60})
    assert answer.json()["heartbeat"]["state"] == "pending"
    await it.ping("tick")
    assert await it.state() == "up"
    assert await (await job(client, enabled=False)).state() == "paused"
