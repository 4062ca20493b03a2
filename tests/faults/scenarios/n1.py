"""N1: resource-cmd, which judges and delivers, is killed -9 during changes of state; every change is told."""

import asyncio

from alert_sink import make_alerted, report, sink
from kills import kill_at_random
from run import Run
from told import judge_told
from verdict import Verdict

APART = 0.6, 1.8
"""Seconds."""


async def play(run: Run, verdict: Verdict) -> None:
    """1,000 changes and 30 kills in the long form."""
    platform = run.platform
    count, kills, seconds = (500, 30, 40.0) if run.long else (30, 4, 4.0)
    async with sink(platform) as it:
        it.pause = 0.3  # so that kills find messages under way
        monitors = await make_alerted(platform, it, f"n1-{run.seed}", count)
        run.say(f"{count} heartbeats, each with a channel of its own")

        async def change() -> None:
            await report(platform, monitors, "fail", seconds / 2)
            await report(platform, monitors, "complete", seconds / 2)

        changing = asyncio.create_task(change())
        killed, last = await kill_at_random(
            platform, ["resource-cmd"], APART, run.rng("kills"), lambda dead: dead >= kills and changing.done(), run.say
        )
        await changing
        verdict.told("kills", killed.total())
        await judge_told(run, verdict, it, monitors, ("down", "up"), killed.total(), last)
