"""N2: some channels hang or answer 500; the others hear in time, and these do when they are well again."""

import asyncio
import time

from alert_sink import make_alerted, report, sink
from run import Run
from verdict import Verdict


async def play(run: Run, verdict: Verdict) -> None:
    """One channel of a hundred hangs, and another fails, for two minutes in the long form."""
    platform = run.platform
    count, seconds = (100, 120.0) if run.long else (20, 6.0)
    async with sink(platform) as it:
        monitors = await make_alerted(platform, it, f"n2-{run.seed}", count)
        paths = list(monitors.values())
        it.hanging, it.failing = {paths[0]}, {paths[1]}
        well = [id_ for id_, path in monitors.items() if path not in it.hanging | it.failing]
        begun = time.monotonic()
        accepted = {(id_, "down"): at for id_, at in (await report(platform, monitors, "fail", 1)).items()}
        await it.until(well, ("down",), run.seconds(30))
        accepted |= {(id_, "up"): at for id_, at in (await report(platform, well, "complete", 1)).items()}
        lost = await it.until(well, ("down", "up"), run.seconds(30))
        verdict.none(f"of {2 * len(well)} changes for channels that are well, not told", lost)
        first: dict[object, float] = {}
        for each in it.received:
            for _, what, about in each.said:
                first.setdefault((about, what), each.at)
        took = sorted(first[of] - accepted[of] for of in first)
        verdict.at_most("seconds until they hear, p99", took[int(0.99 * (len(took) - 1))], run.seconds(10))
        await asyncio.sleep(max(0.0, seconds - (time.monotonic() - begun)))
        verdict.at_least("attempts to reach the others meanwhile", it.tried, 3)
        it.hanging, it.failing = set(), set()
        run.say("all channels are well again")
        lost = await it.until(monitors, ("down",), 60 if not run.long else 400)
        verdict.none("not told when they are well again", lost)
        verdict.none("told twice", len(it.received) - len({each.key for each in it.received}))
