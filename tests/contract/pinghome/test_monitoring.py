"""Uptime monitors from end to end, with a real target; the stories take up to a minute each and run all at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from contract.answers import refused
from contract.client import Client
from contract.pinghome.watched import QUICK, Watched, watched
from contract.target import Target, eventually, listening


async def a_target_that_stops_is_down_and_one_that_is_back_is_up(client: Client):
    async with listening() as target:
        it = await watched(client, target)
        seen = await it.until("up")
        assert seen["response_time"] > 0
        assert seen["last_checked_at"] >= seen["created_at"]

        await target.stop()
        seen = await it.until("down")
        assert "refused" in seen["reason"]
        newest = (await it.log())[0]
        assert (newest["state"], newest["previous_state"], newest["region"]) == ("down", "up", "eu-central-1")
        assert (newest["reason"], newest["status_code"]) == (seen["reason"], None)
        assert newest["created_at"] == seen["state_changed_at"]

        await target.start()
        assert (await it.until("up"))["reason"] == ""
        target.status = 500
        assert "500" in (await it.until("down"))["reason"]
        log = await it.log()
        assert [row["state"] for row in log] == ["down", "up", "down", "up", "pending"][: len(log)]
        assert log[0]["status_code"] == 500
        assert all(newer["created_at"] > older["created_at"] for newer, older in pairwise(log))
        assert all(newer["previous_state"] == older["state"] for newer, older in pairwise(log))
        assert await it.log(limit=2) == log[:2]
        assert await it.log(start_date=log[1]["created_at"], end_date=log[0]["created_at"]) == log[1:2]  # half open
        assert log[0]["duration_seconds"] is None
        spans = [moment(newer) - moment(older) for newer, older in pairwise(log)]
        assert [row["duration_seconds"] for row in log[1:]] == pytest.approx(
            [span.total_seconds() for span in spans], abs=0.001
        )
        await it.switch(enabled=False)
        await counted(it)


def moment(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["created_at"])


async def counted(it: Watched) -> None:
    """Statistic of a monitor that was up and down."""
    for interval in ("minute", "hour", "day", "week", "month", "1h", "3h", "12h", "1d", "3d", "7d", "30d"):
        told = await it.statistic(interval=interval)
        summary, data = told["summary"], told["data"]
        assert 0 < summary["uptime"] < 100
        assert summary["downtime_seconds"] >= 1
        assert summary["checks"] > summary["failures"] >= 1
        assert 0 < summary["response_time"]["min"] <= summary["response_time"]["avg"] <= summary["response_time"]["max"]
        assert (sum(row["checks"] for row in data), sum(row["failures"] for row in data)) == (
            summary["checks"],
            summary["failures"],
        )
        assert [row["received_at"] for row in data] == sorted(row["received_at"] for row in data)
        assert min(row["uptime"] for row in data if row["uptime"] is not None) < 100
    minutes = (await it.statistic(interval="minute"))["data"]
    assert (await it.statistic(interval="minute", limit=1))["data"] == minutes[-1:]


async def redirects_are_followed_unless_the_monitor_says_otherwise(client: Client):
    async with listening(status=500) as failing, listening(status=302, location=failing.url) as target:
        follows, stays = await watched(client, target), await watched(client, target, not_follow_redirect=True)
        none = await watched(client, target, max_redirects=0)
        assert "500" in (await follows.until("down"))["reason"]
        down = await none.until("down")
        assert (down["reason"], down["max_redirects"]) == ("more than 0 redirects", 0)
        assert (await follows.read())["max_redirects"] == 10
        assert (await stays.until("up"))["not_follow_redirect"] is True
        target.location = "http://169.254.169.254/latest/meta-data/"
        assert "169.254.169.254" in (await follows.until("unknown"))["reason"]  # refused by policy: nobody is down
        assert (await follows.log())[0]["previous_state"] == "down"
        assert (await stays.read())["state"] == "up"


async def a_slow_target_shows_its_time_and_one_that_never_answers_is_down(client: Client):
    async with listening(pause=0.4) as target:
        it = await watched(client, target)
        assert 400 <= (await it.until("up"))["response_time"] < 2500
        target.pause = 60
        assert "timed out" in (await it.until("down"))["reason"]


async def a_disabled_monitor_is_paused_and_asks_nothing_until_it_is_enabled(client: Client):
    async with listening() as target:
        it = await watched(client, target)
        await it.until("up")
        await it.switch(enabled=False)
        seen = await it.read()
        assert (seen["state"], seen["enabled"]) == ("paused", False)
        assert [row["state"] for row in await it.regions()] == ["paused"]
        assert await target.silent_for(7)
        assert (await it.read())["state"] == "paused"
        assert (await it.log())[0]["state"] == "paused"

        before = len(target.asked)
        await it.switch(enabled=True)
        assert (await it.until("up"))["enabled"] is True
        assert len(target.asked) > before


async def another_url_is_asked_from_the_next_probe_on(client: Client):
    async with listening() as first, listening(status=404) as second:
        it = await watched(client, first)
        await it.until("up")
        assert (await it.change(url=second.url))["url"] == second.url
        assert await first.silent_for(6)
        assert second.asked
        assert "404" in (await it.until("down"))["reason"]
        await it.change(method="head", name="other")
        assert (await asyncio.wait_for(anext(methods(second, "HEAD")), 8)) == "HEAD"


async def methods(target: Target, wanted: str) -> AsyncIterator[str]:
    while True:
        if target.asked and target.asked[-1].method == wanted:
            yield wanted
        await asyncio.sleep(0.1)


async def conditions_and_a_keyword_decide(client: Client):
    wanted = {"type": "response-json-check", "operator": "equal", "key": "groups.user[0].name", "values": ["pinghome"]}
    async with listening(says='{"groups": {"user": [{"name": "pinghome"}]}}') as target:
        it, keyword = await asyncio.gather(
            watched(client, target, conditions=[wanted]), watched(client, target, data="pinghome")
        )
        await asyncio.gather(it.until("up"), keyword.until("up"))
        target.says = '{"groups": {"user": [{"name": "other"}]}}'
        read, other = await asyncio.gather(it.until("down"), keyword.until("down"))
        assert "groups.user[0].name" in read["reason"]
        assert "pinghome" in other["reason"]
        assert (await it.change(conditions=[]))["conditions"] == []
        assert (await keyword.change(data=""))["data"] == ""
        await asyncio.gather(it.until("up"), keyword.until("up"))


async def a_deleted_monitor_asks_nothing_more(client: Client):
    async with listening() as target:
        one, other = await watched(client, target), await watched(client, target)
        await asyncio.gather(one.until("up"), other.until("up"))
        await one.delete()
        assert (await client("DELETE", f"resource-cmd/v1/resource?id={other.id}")).status_code == 200
        assert await target.silent_for(7)
        for url in ("resource-query/v1/resource/{}/regions", "statistic-query/v1/resource/{}/statistic"):
            for it in (one, other):
                refused(await client("GET", url.format(it.id)), 404)


async def each_region_asks_and_tells(client: Client):
    both = ["eu-central-1", "us-east-1"]
    async with listening() as target:
        it = await watched(client, target, regions=both)
        rows = await eventually(it.regions, lambda rows: {row["state"] for row in rows} == {"up"})
        assert [row["region"] for row in rows] == both
        assert all(row["response_time"] > 0 and row["last_checked_at"] for row in rows)
        assert await it.until("up")
        assert len(target.asked) >= 2
        assert (await it.change(regions=["us-east-1"]))["regions"] == ["us-east-1"]
        assert [row["region"] for row in await it.regions()] == ["us-east-1"]
        await asyncio.sleep(1)
        before, begun = len(target.asked), time.monotonic()
        await asyncio.sleep(10)
        assert (
            1 <= len(target.asked) - before <= (time.monotonic() - begun) / QUICK["interval"] + 1
        )  # two would ask twice
        assert [row["region"] for row in await it.regions()] == ["us-east-1"]


async def a_failure_counts_only_after_the_grace_period_and_a_success_after_the_recovery_period(client: Client):
    async with listening() as target:
        it = await watched(client, target, grace_period=8, recovery_period=7)  # seconds on this platform
        await it.until("up")
        target.status = 503
        await eventually(it.regions, lambda rows: rows[0]["state"] == "down")
        assert (await it.read())["state"] == "up"
        await it.until("down")
        target.status = 200
        await eventually(it.regions, lambda rows: rows[0]["state"] == "up")
        assert (await it.read())["state"] == "down"
        await it.until("up")


async def an_open_maintenance_window_is_shown_and_clearing_it_ends_it(client: Client):
    async with listening(status=500) as target:
        it = await watched(client, target, maintenance_cron_expression="* * * * *", maintenance_duration=300)
        await it.until("maintenance")
        assert (await it.change(maintenance_cron_expression="", maintenance_duration=0))["state"] == "maintenance"
        await it.until("down")


STORIES = [
    a_target_that_stops_is_down_and_one_that_is_back_is_up,
    redirects_are_followed_unless_the_monitor_says_otherwise,
    a_slow_target_shows_its_time_and_one_that_never_answers_is_down,
    a_disabled_monitor_is_paused_and_asks_nothing_until_it_is_enabled,
    another_url_is_asked_from_the_next_probe_on,
    conditions_and_a_keyword_decide,
    a_deleted_monitor_asks_nothing_more,
    each_region_asks_and_tells,
    a_failure_counts_only_after_the_grace_period_and_a_success_after_the_recovery_period,
    an_open_maintenance_window_is_shown_and_clearing_it_ends_it,
]


@pytest.fixture(scope="module")
async def running(client: Client) -> AsyncIterator[dict[str, asyncio.Task[None]]]:
    """Every story, begun at once."""
    tasks = {story.__name__: asyncio.create_task(story(client)) for story in STORIES}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("story", [story.__name__ for story in STORIES])
async def test_story(running: dict[str, asyncio.Task[None]], story: str):
    await running[story]


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[::ffff:169.254.169.254]", "0xa9fea9fe"])
async def test_forbidden_target_is_refused_when_it_is_saved(client: Client, host: str):
    it = await client.resource()
    body = {"name": "x", "type": "http", "service_id": it["service_id"], "regions": it["regions"]}

    refused(await client("POST", "resource-cmd/v1/resource", json=body | {"url": f"http://{host}/"}), 422, "url")
    refused(await client("PUT", f"resource-cmd/v1/resource/{it['id']}", json={"url": f"http://{host}/"}), 422, "url")

    assert (await client.get(f"resource-query/v1/resource/{it['id']}"))["url"] == it["url"]
