"""Figures of servers: pinghome-monitoring.txt line 1157 (contract A30), sent as agents do; charts (contract G)."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest

from contract.answers import refused
from contract.client import Client

STATISTICS = "https://statistic-query.api.pinghome.io/v1"
CPU, NETWORK = "cpu-total-usage", "network-usage-unified"
NOW = datetime.now(UTC)
BEGIN = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)


def told(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


async def server(client: Client, **settings: Any) -> tuple[str, str]:
    """A new server's id, and its agent's token."""
    body = {"name": f"server {uuid4()}", "service_id": client.service_id, **settings}
    answer = await client("POST", "resource-cmd/v1/server-resource", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], answer.json()["agent_token"]


async def send(client: Client, token: str, *samples: dict[str, Any]) -> None:
    agent = Client(client.http, token)
    for _ in range(100):
        answer = await agent("POST", "data-gateway/v1/server-resource/metrics", json={"samples": list(samples)})
        if answer.status_code != 401:  # the gateway has not heard of the token yet
            break
        await asyncio.sleep(0.1)
    assert answer.status_code == 200, answer.text


def cpu(at: datetime, total: float) -> dict[str, Any]:
    return {"at": told(at), "interval": 10, "values": {CPU: {"total": total, "user": total / 2}}}


async def until(ask: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    """What is asked once it is as wanted."""
    for _ in range(200):
        if wanted(found := await ask()):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def test_view_server_performance_metrics_line_1157(call: Client):
    url = f"{STATISTICS}/server-resource/9bb4505f-6073-4a9b-abd3-cc698f695c7b/metrics"
    query = "type=cpu-total-usage&start_date=2023-04-03T21:00:00Z&end_date=2023-04-03T22:04:00Z"
    query += "&interval=on-demand&limit=100"
    assert refused(await call("GET", f"{url}?{query}"), 404) == "Server resource not found"

    id_, token = await server(call)
    url = f"{STATISTICS}/server-resource/{id_}/metrics"
    empty = {"type": CPU, "interval": "on-demand", "data": []}
    assert (await call("GET", f"{url}?{query}")).json() == empty
    assert await call.get(url, type=CPU) == empty

    await send(call, token, *(cpu(BEGIN + timedelta(seconds=10 * place), 10 + place) for place in range(6)))
    found = await call.get(url, type=CPU, start_date=told(BEGIN), end_date=told(BEGIN + timedelta(seconds=50)))
    fields = {"system": None, "iowait": None, "steal": None}
    assert found == empty | {
        "data": [
            {
                "received_at": told(BEGIN + timedelta(seconds=10 * place)),
                "values": {"total": 10.0 + place, "user": (10 + place) / 2} | fields,
            }
            for place in range(5)
        ]
    }


async def test_counters_are_rates_and_minutes_hours_and_days_are_statistics(client: Client):
    id_, token = await server(client)
    url = f"{STATISTICS}/server-resource/{id_}/metrics"
    samples = [
        {
            "at": told(BEGIN + timedelta(seconds=10 * place)),
            "interval": 10,
            "counters": {NETWORK: {"eth0": {"received_bytes": 1000 * place * place, "sent_bytes": 0}}},
        }
        for place in range(12)
    ]
    await send(client, token, *samples[6:])
    await send(client, token, *samples[:6])

    single = (await client.get(url, type=NETWORK))["data"]
    assert [it["values"]["received_bytes"] for it in single] == [100.0 * (2 * place - 1) for place in range(1, 12)]
    assert all(it["by"] == {"eth0": it["values"]} for it in single)
    first = {"avg": 500.0, "min": 100.0, "max": 900.0, "last": 900.0}
    second = {"avg": 1600.0, "min": 1100.0, "max": 2100.0, "last": 2100.0}
    for interval, count, values in (("minute", 5, first), ("hour", 11, None), ("day", 11, None)):
        found = await until(
            lambda interval=interval: client.get(url, type=NETWORK, interval=interval, start_date=told(BEGIN)),
            lambda found, interval=interval: (
                found["data"] and (found["data"][-1]["values"]["received_bytes"] or {}).get("last") == 2100
                and (interval == "minute" or found["data"][-1]["values"]["received_bytes"]["avg"] == 1100)
                and (interval != "minute" or found["data"][0]["values"]["received_bytes"]["avg"] == 500)
            ),
        )  # fmt: skip
        assert found["interval"] == interval, count
        if values:
            assert [it["values"]["received_bytes"] for it in found["data"]] == [first, second]
            assert [it["by"]["eth0"]["received_bytes"] for it in found["data"]] == [first, second]
            assert found["data"][0]["received_at"] == told(BEGIN)
        else:
            [whole] = found["data"]
            assert whole["values"]["received_bytes"] == {"avg": 1100.0, "min": 100.0, "max": 2100.0, "last": 2100.0}
            assert "by" not in whole


async def test_fewer_points_than_there_are_keep_the_peaks(client: Client):
    id_, token = await server(client)
    values = [50.0] * 300
    values[111], values[222] = 99.0, 1.0
    await send(client, token, *(cpu(BEGIN + timedelta(seconds=10 * n), value) for n, value in enumerate(values)))
    url = f"{STATISTICS}/server-resource/{id_}/metrics"
    found = (await client.get(url, type=CPU, limit=20))["data"]
    assert len(found) <= 20
    assert {99.0, 1.0, 50.0} == {it["values"]["total"] for it in found}
    assert len((await client.get(url, type=CPU, limit=100_000))["data"]) == 300


@pytest.mark.parametrize("path", ["metrics", "metrics.svg"])
@pytest.mark.parametrize(
    ("query", "field"),
    [("", "type")]
    + [(f"type={it}", "type") for it in ("", "cpu", "processes-unified", "CPU-TOTAL-USAGE")]
    + [(f"type={CPU}&{field}={value}", field) for field, value in (
        ("start_date", "yesterday"), ("end_date", "2023-13-01"), ("interval", "week"), ("interval", ""))]
    + [(f"type={CPU}&start_date=2023-04-03T22:00:00Z&end_date=2023-04-03T21:00:00Z", "end_date")],
)  # fmt: skip
async def test_bad_queries_are_422_and_name_the_field(client: Client, query: str, field: str, path: str):
    id_, _ = await server(client)
    refused(await client("GET", f"{STATISTICS}/server-resource/{id_}/{path}?{query}"), 422, field)


async def test_bad_limits_and_sizes_are_422(client: Client):
    id_, _ = await server(client)
    url = f"{STATISTICS}/server-resource/{id_}"
    for limit in ("0", "-1", "x", "1.5"):
        refused(await client("GET", f"{url}/metrics?type={CPU}&limit={limit}"), 422, "limit")
    for field, value in (("width", "319"), ("width", "2001"), ("width", "x"), ("theme", "pink")):
        refused(await client("GET", f"{url}/metrics.svg?type={CPU}&{field}={value}"), 422, field)
    refused(await client("GET", f"{STATISTICS}/server-resource/x/metrics?type={CPU}"), 422, "id")


@pytest.mark.parametrize(
    "path", [f"metrics?type={CPU}", f"metrics.svg?type={CPU}", "state-changed-logs", "notifications"]
)
async def test_nobody_elses(client: Client, foreign: Client, path: str):
    id_, _ = await server(client)
    url = f"{STATISTICS}/server-resource/{id_}/{path}"
    assert (await client("GET", url)).status_code == 200
    assert refused(await foreign("GET", url), 404) == "Server resource not found"
    monitor = await client.resource()
    refused(await client("GET", f"{STATISTICS}/server-resource/{monitor['id']}/{path}"), 404)


async def test_state_changes_and_notifications_have_the_shapes_of_monitors(client: Client):
    id_, _ = await server(client)
    await client("PUT", f"resource-cmd/v1/server-resource/{id_}", json={"enabled": False})
    url = f"{STATISTICS}/server-resource/{id_}"
    logs = (await client.get(f"{url}/state-changed-logs"))["data"]
    assert [(it["state"], it["previous_state"]) for it in logs] == [("paused", "pending"), ("pending", None)]
    assert set(logs[0]) == {
        "state", "previous_state", "reason", "status_code", "region", "created_at", "duration_seconds",
    }  # fmt: skip
    assert await client.get(f"{url}/notifications") == {"data": []}


async def test_a_deleted_server_has_no_figures(client: Client):
    id_, token = await server(client)
    await send(client, token, cpu(BEGIN, 5))
    assert (await client("DELETE", f"resource-cmd/v1/server-resource?id={id_}")).status_code == 200
    refused(await client("GET", f"{STATISTICS}/server-resource/{id_}/metrics?type={CPU}"), 404)


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
async def test_charts_are_svg_with_a_title_escaped_and_without_scripts(client: Client, theme: str):
    threshold = {"type": CPU, "field": "total", "operator": "greater-than", "value": 90, "minutes": 5}
    name = f"<script>alert('1')</script> & \"co\" {uuid4()}"
    id_, token = await server(client, name=name, timezone="Asia/Kathmandu", thresholds=[threshold])
    begin = datetime.now(UTC) - timedelta(minutes=50)
    times = [begin + timedelta(seconds=10 * place) for place in range(200) if not 80 <= place < 160]
    await send(client, token, *(cpu(at, 20 + place % 7) for place, at in enumerate(times)))
    url = f"{STATISTICS}/server-resource/{id_}/metrics.svg"

    query = f"type={CPU}&theme={theme}&width=640&start_date={told(begin)}&interval=on-demand"
    answer = await client("GET", f"{url}?{query}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    root = ET.fromstring(answer.text)  # noqa: S314  # our own
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert "script" not in tags
    assert root.get("width") == "640"
    said = {element.tag.rpartition("}")[2]: element.text for element in root.iter()}
    assert name in said["title"]
    assert "+0545" in said["title"]
    assert not re.search(r"(href|src|on\w+)=|url\((?!#)", answer.text)
    lines = [element for element in root.iter() if element.get("class") == "line l0"]
    assert len(lines) == 2  # the gap is one
    assert [element.text for element in root.iter() if element.get("class") == "threshold-label"] == ["total > 90 %"]
    assert ("prefers-color-scheme" in answer.text) is (theme == "auto")


@pytest.mark.parametrize("interval", ["", "&interval=minute", "&interval=hour", "&interval=day"])
@pytest.mark.parametrize("start", ["", "2020-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
async def test_a_chart_without_data_says_so(client: Client, interval: str, start: str):
    id_, _ = await server(client)
    url = f"{STATISTICS}/server-resource/{id_}/metrics.svg?type=memory-usage{interval}"
    answer = await client("GET", f"{url}&start_date={start}" if start else url)
    assert answer.status_code == 200
    assert "No data in this time" in answer.text
