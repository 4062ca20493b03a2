"""What the services cannot apply is listed, shown, replayed and dropped by their operator."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import nats
import pytest

from contract.target import eventually
from pinghome_common.events.ping import Batch, Ping
from running import TOKEN, Platform, up


@pytest.fixture(scope="module")
async def platform(folder: Path) -> AsyncIterator[Platform]:
    async with up(folder / "dead-letters", bootstrap_token=TOKEN, public_metrics="true") as running:
        yield running
        await running.stop()


async def publish(platform: Platform, *messages: str) -> None:
    """A batch of pings as no gateway would make it: it goes to every service that counts pings."""
    run = json.loads((platform.data / "run.json").read_text())
    batch = Batch(uuid4().bytes, 1, [Ping(b"no id", b"of nothing", 1, message=each) for each in messages])
    client = await nats.connect(run["nats_url"], inbox_prefix=b"_INBOX_admin")
    await client.jetstream().publish("telemetry.ping.test", msgspec.msgpack.encode(batch))
    await client.close()


async def letters(platform: Platform, count: int) -> list[dict[str, Any]]:
    return await eventually(lambda: platform.command("dead-letters", "list"), lambda found: len(found) == count)


async def test_dead_letters_are_listed_shown_replayed_and_dropped(platform: Platform):
    assert await platform.command("dead-letters", "list") == []
    await publish(platform, "one", "two")
    found = await letters(platform, 6)
    assert {it["id"].partition(":")[0] for it in found} == {"resource-cmd", "resource-query", "statistic-query"}
    assert {(it["worker"], it["subject"]) for it in found} == {("TELEMETRY", "telemetry.ping.test")}
    assert all("ValueError" in it["error"] for it in found)

    shown = await platform.command("dead-letters", "show", found[0]["id"])
    assert "one" in shown["body"]

    replayed = await platform.command("dead-letters", "replay", "all")
    assert replayed["applied"] == []
    assert replayed["failed"].keys() == {it["id"] for it in found}
    assert {it["attempts"] for it in await letters(platform, 6)} == {2}

    dropped = await platform.command("dead-letters", "drop", found[0]["id"], found[-1]["id"])
    assert set(dropped["dropped"]) == {found[0]["id"], found[-1]["id"]}
    assert {it["id"] for it in await letters(platform, 4)} == {it["id"] for it in found[1:-1]}


async def test_a_gauge_counts_them_and_the_platform_is_ready(platform: Platform):
    await publish(platform, "three")
    await platform.until_ready()

    async def counted() -> str:
        async with httpx.AsyncClient(base_url=platform.url) as client:
            return (await client.get("/statistic-query/metrics")).text

    await eventually(counted, lambda text: re.search(r'dead_letters_kept\{worker="TELEMETRY"\} [1-9]', text))
