"""N1: resource-cmd, which judges and delivers, is killed -9 during changes of state; every change is told."""

import asyncio
import json
import time
from collections import Counter, defaultdict

from alert_sink import make_alerted, report, sink
from kills import kill_at_random
from run import Run
from verdict import Verdict

APART = 0.6, 1.8
"""Seconds."""
AT_ONCE = 200
"""Messages that may be under way in one process."""


async def play(run: Run, verdict: Verdict) -> None:
    """1,000 changes and 30 kills in the long form."""
    platform = run.platform
    count, kills, seconds = (500, 30, 40.0) if run.long else (30, 4, 4.0)
    async with sink() as it:
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
        lost = await it.until(monitors, ("down", "up"), 90)
        told = time.monotonic()
        while (left := await _open(run)) and time.monotonic() < told + 60:
            await asyncio.sleep(0.2)
        verdict.told("kills", killed.total())
        verdict.told("from the last kill to the last message", f"{told - last:.1f} s")
        verdict.none("notifications still open", left)
        verdict.none(f"of {2 * count} changes, not told", lost)
        keys, bodies = Counter(each.key for each in it.received), defaultdict(set)
        for each in it.received:
            bodies[each.key].add(each.body)
        verdict.at_most("messages that came again", keys.total() - len(keys), killed.total() * AT_ONCE)
        verdict.none("messages that came again otherwise", [key for key, seen in bodies.items() if len(seen) > 1])
        ids = defaultdict(set)
        order = defaultdict(list)
        for each in it.received:
            for id_, what, about in each.said:
                ids[about, what].add(id_)
                order[about].append(what)
        verdict.none("changes told under two keys", [of for of, seen in ids.items() if len(seen) > 1])
        verdict.none("ups before their downs", [id_ for id_, whats in order.items() if whats[0] != "down"])


async def _open(run: Run) -> list[str]:
    """What is not over, with the error of its last attempt."""
    async with run.platform.sql("resource_cmd") as db:
        rows = await db.fetch("SELECT state, due - now() AS left FROM notification WHERE open")
    found = [(json.loads(row["state"]), row["left"]) for row in rows]
    return [f"{it['what']} {it['state']} {it['attempts'][-1:]} due in {left}" for it, left in found]
