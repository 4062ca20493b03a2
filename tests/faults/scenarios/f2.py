"""F2: commands while services, NATS and PostgreSQL are killed with -9; every 2xx is everywhere, once and in order."""

import asyncio
import time

from catching_up import catch_up
from commanding import Commanding, Orders
from kills import kill_at_random
from ledger import Ledger, Pinging
from run import Run
from verdict import Verdict
from whole_oracle import judge_all

VICTIMS = ["resource-cmd", "resource-query", "statistic-query", "nats", "postgres"]
KILLS, FEW = 30, 15
APART = 0.3, 1.5
"""Seconds: time to start again and to do some commands."""
COMMANDERS = 12


async def play(run: Run, verdict: Verdict) -> None:
    """At least 30 kills, in the short form 15, and as many commands as the form asks for."""
    platform, orders = run.platform, Orders()
    wanted, pause = (10_000, 0.02) if run.long else (200, 0.2)
    begun, deaths = time.monotonic(), len(platform.deaths)
    latest = begun + run.seconds(1200 if run.long else 45)

    def tell(what: str) -> None:
        run.say(f"{what}  {orders.done} commands done, {orders.done / (time.monotonic() - begun):.0f}/s")

    async with Commanding(run, orders, "F2", COMMANDERS, pause) as commanding:
        await asyncio.sleep(2)
        ledger = Ledger(f"f2-{run.seed}", sorted(orders.heartbeats))
        results = run.rng("results")
        # Their status changes under the commands' hands, so that the judge writes events of the same aggregates.
        async with Pinging(platform, ledger, 40, 8, lambda: results.choice(("fail", "complete"))):
            killed, last = await kill_at_random(
                platform,
                VICTIMS,
                APART,
                run.rng("kills"),
                lambda kills: (
                    kills >= (KILLS if run.long else FEW) and (orders.done >= wanted or time.monotonic() > latest)
                ),
                tell,
            )
            await commanding.stop()
    ended = time.monotonic() - last
    caught, waited = await catch_up(platform, last)
    failed = [it.name for it in platform.deaths[deaths:] if not it.ours]
    lost = sum(it.status == 0 for it in orders.sent)
    verdict.told("kills", f"{killed.total()}: " + ", ".join(f"{name} {count}" for name, count in killed.items()))
    verdict.told("under load for", f"{last - begun:.1f} s, {orders.done / (last - begun):.0f} commands/s")
    verdict.told("starts that failed by themselves", f"{len(failed)} {sorted(set(failed))}")
    verdict.told("answers", dict(sorted(orders.statuses.items())) | {"none": lost})
    verdict.told("refusals", dict(orders.reasons))
    verdict.none("answers 500", orders.statuses.get(500, 0))
    verdict.none("answers 401 to a good token", orders.statuses.get(401, 0))
    verdict.at_least("commands done", orders.done, wanted)
    verdict.told("after the last kill", f"{ended:.1f} s to the last answer; behind: {waited}")
    verdict.at_most("seconds to catch up after the last kill", caught, run.seconds(10))
    await judge_all(run, orders, None, verdict)
