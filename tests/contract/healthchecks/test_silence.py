"""A job falls silent: its check is late, then down, and the next ping brings it up again (contract B.4)."""

import json
import time
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from contract.client import Client
from contract.healthchecks.conftest import Project
from contract.target import eventually, listening
from pinghome_common.clock import now
from pinghome_common.store import Actor, no_wait
from resource_cmd.heartbeats.heartbeat import edit
from resource_cmd.heartbeats.store import Heartbeats
from running import Platform


async def with_grace(platform: Platform, check: dict[str, Any], seconds: int) -> None:
    """Does what a command does, but with less than the minute of grace that every command asks for."""
    async with platform.sql("resource_cmd") as tx, tx.transaction():
        heartbeats = Heartbeats(tx, Actor("test"), no_wait, now())
        row = await heartbeats.edit(UUID(check["uuid"]))
        row.state = edit(row.state, {"grace": seconds}, now())
        await heartbeats.save(row)


async def test_silent_check_is_late_then_down_then_up_again_and_its_channel_is_told(
    platform: Platform, client: Client, empty: Project
):
    async with listening() as receiver:
        await client.channel(name="told", service_id=empty.service, config={"url": receiver.url})
        it = await empty.create(name="Nightly", tags="backup", timeout=60, grace=60, channels="told")
        path, badges = f"checks/{it['uuid']}", (await empty.get("badges/"))["badges"]["backup"]

        async def seen() -> tuple[str, list[str], list[int]]:
            """The check's status, that of its badges with three and with two states, and its flips."""
            status = (await empty.get(path))["status"]
            shown = [(await empty.http.get(badges[form])).json()["status"] for form in ("json3", "json")]
            return status, shown, [each["up"] for each in await empty.get(f"{path}/flips/")]

        async def told() -> list[dict[str, Any]]:
            return [json.loads(asked.body) for asked in receiver.asked]

        async def become(status: str, shown: list[str], flips: list[int]) -> None:
            wanted = status, shown, flips
            await eventually(seen, lambda found: found == wanted)

        assert await seen() == ("new", ["up", "up"], [])
        assert (await empty.http.get(it["ping_url"])).text == "OK"
        await become("up", ["up", "up"], [1])

        # A second between pings is PingHome's least; no API takes a grace below a minute.
        answer = await client("PUT", f"resource-cmd/v1/heartbeat/{it['uuid']}", json={"interval": 1})
        assert answer.status_code == 200, answer.text
        await become("grace", ["late", "up"], [1])
        assert (await empty.get("checks/"))["checks"][0]["status"] == "grace"
        assert await told() == []

        last = datetime.fromisoformat((await empty.get(path))["last_ping"])
        grace = ceil(time.time() - last.timestamp()) + 2
        await with_grace(platform, it, grace)
        await become("down", ["down", "down"], [0, 1])
        flip = (await empty.get(f"{path}/flips/"))[0]
        assert datetime.fromisoformat(flip["timestamp"]) == last + timedelta(seconds=1 + grace)  # not when it was found
        assert datetime.now(UTC) >= last + timedelta(seconds=1 + grace)
        (down,) = await eventually(told, len)
        assert (down["what"], down["title"]) == ("down", "Nightly is down")
        assert "no check-in arrived in time" in down["text"]

        assert (await empty("POST", path, json={"timeout": 60, "grace": 60})).json()["status"] == "down"
        assert (await empty.http.get(it["ping_url"])).text == "OK"
        await become("up", ["up", "up"], [1, 0, 1])
        _, up = await eventually(told, lambda found: len(found) > 1)
        assert (up["what"], up["title"]) == ("up", "Nightly is up again")
