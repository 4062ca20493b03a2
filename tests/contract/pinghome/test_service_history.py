"""The worst state of each service, bucket by bucket: contract K, our extension."""

import time
from datetime import datetime
from typing import Any

import pytest

from contract.answers import refused
from contract.client import Client
from contract.target import eventually

HISTORY = "statistic-query/v1/services/history"


async def history(client: Client, service: str, hours: int) -> list[str | None]:
    """The buckets of a service."""
    found = {each["service_id"]: each["history"] for each in (await client.get(HISTORY, hours=hours))["data"]}
    return found.get(service, [])


@pytest.mark.parametrize(("hours", "seconds"), [(24, 960), (2160, 86400)])
async def test_ninety_buckets_of_which_the_last_is_now(client: Client, hours: int, seconds: int):
    seen = await client.get(HISTORY, hours=hours)
    assert (seen["hours"], seen["bucket_seconds"]) == (hours, seconds)
    start = datetime.fromisoformat(seen["start"]).timestamp()
    assert start % seconds == 0
    assert start + 89 * seconds <= time.time() < start + 91 * seconds
    assert all(len(each["history"]) == 90 for each in seen["data"])


async def test_worst_of_all_that_a_service_has(client: Client):
    service = (await client.service())["id"]
    assert await history(client, service, 24) == []
    off = await client.heartbeat(service_id=service)

    async def last() -> str | None:
        states = await history(client, service, 24)
        assert states[:88] == [None] * 88
        return states[-1]

    assert await eventually(last, lambda state: state == "pending", 20) == "pending"
    assert (await client("PUT", f"resource-cmd/v1/heartbeat/{off['id']}", json={"enabled": False})).is_success
    it = await client.heartbeat(service_id=service, interval=86400)
    for result, shown in (("complete", "up"), ("fail", "down"), ("complete", "down")):  # the worst of the bucket
        assert (await client("GET", f"data-gateway/v1/heartbeat/{it['id']}?result={result}")).is_success
        await eventually(last, lambda state, shown=shown: state == shown, 60)
    assert (await history(client, service, 2160))[-1] == "down"
    assert (await client("DELETE", f"resource-cmd/v1/heartbeat/{it['id']}")).is_success
    assert await eventually(last, lambda state: state == "pending", 20) == "pending"  # its own, of before its pause


async def test_of_the_callers_organisation_alone_and_for_readers(client: Client, foreign: Client, reader: Client):
    service = (await client.service())["id"]
    await client.heartbeat(service_id=service)
    await eventually(lambda: history(client, service, 24), bool, 20)
    assert await history(foreign, service, 24) == []
    assert await history(reader, service, 24) == await history(client, service, 24)


@pytest.mark.parametrize("hours", ["25", "", "x", "-24", "24.0", "٢٤", "24&hours=1"])
async def test_other_spans_are_refused(client: Client, hours: Any):
    refused(await client("GET", f"{HISTORY}?hours={hours}"), 422, "hours")
