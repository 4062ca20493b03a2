"""Whether every change was told once: what receivers were sent while resource-cmd was killed."""

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from uuid import UUID

from alert_sink import Sink
from run import Run
from verdict import Verdict

AT_ONCE = 200
"""Messages that may be under way in one process."""


async def judge_told(
    run: Run, verdict: Verdict, it: Sink, monitors: Iterable[UUID], whats: tuple[str, ...], kills: int, last: float
) -> None:
    """Waits until all of `whats` is told of each monitor, in this order; `last` is when the last kill was."""
    ids = list(monitors)
    lost = await it.until(ids, whats, 90)
    told = time.monotonic()
    while (left := await _open(run, ids)) and time.monotonic() < told + 60:
        await asyncio.sleep(0.2)
    verdict.told("from the last kill to the last message", f"{told - last:.1f} s")
    verdict.none("notifications still open", left)
    verdict.none(f"of {len(whats) * len(ids)} changes, not told", lost)
    keys, bodies = Counter(each.key for each in it.received), defaultdict(set)
    for each in it.received:
        bodies[each.key].add(each.body)
    verdict.at_most("messages that came again", keys.total() - len(keys), kills * AT_ONCE)
    verdict.none("messages that came again otherwise", [key for key, seen in bodies.items() if len(seen) > 1])
    known, order = defaultdict(set), defaultdict(list)
    for each in it.received:
        for id_, what, about in each.said:
            known[about, what].add(id_)
            order[about].append(what)
    verdict.none("changes told under two keys", [of for of, seen in known.items() if len(seen) > 1])
    verdict.none(f"told before their {whats[0]}", [id_ for id_, said in order.items() if said[0] != whats[0]])


async def _open(run: Run, ids: list[UUID]) -> list[str]:
    """What is not over of some monitors, with the error of its last attempt."""
    async with run.platform.sql("resource_cmd") as db:
        rows = await db.fetch(
            "SELECT state, due - now() AS left FROM notification WHERE open AND about = ANY($1::uuid[])", ids
        )
    found = [(json.loads(row["state"]), row["left"]) for row in rows]
    return [f"{it['what']} {it['state']} {it['attempts'][-1:]} due in {left}" for it, left in found]
