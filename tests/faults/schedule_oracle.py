"""The schedules in the stream are those of the enabled monitors, at the latest after the next comparison."""

import asyncio
import json
import time

from streams import admin
from under_test import Platform
from verdict import Verdict

_ENABLED = "SELECT id, state->'regions' AS regions FROM resource WHERE (state->>'enabled')::bool"
LATEST = 70.0
"""Seconds: the platform compares each minute."""


async def judge_schedules(platform: Platform, verdict: Verdict) -> None:
    """Wait until stream and database agree."""
    begun = time.monotonic()
    while True:
        async with platform.sql("resource_cmd") as db:
            rows = await db.fetch(_ENABLED)
        wanted = {f"schedule.{region}.{row['id']}" for row in rows for region in json.loads(row["regions"])}
        async with admin(platform) as client:
            info = await client.jetstream().stream_info("SCHEDULES", subjects_filter="schedule.>")
        wrong = wanted ^ set(info.state.subjects or {})
        if not wrong or time.monotonic() - begun > LATEST:
            break
        await asyncio.sleep(0.5)
    verdict.told("schedules", f"{len(wanted)}, right after {time.monotonic() - begun:.1f} s")
    verdict.none("schedules unlike the enabled monitors", wrong)
