"""F1: 100,000 heartbeats while everything is killed with -9 at random; none lost, none counted twice."""

import asyncio
import time

from catching_up import catch_up
from commands import make_heartbeats
from kills import kill_at_random
from ledger import Ledger, Outcome, Pinging
from ping_oracle import judge_pings, send_again
from run import Run
from verdict import Verdict

VICTIMS = ["data-gateway", "nats", "postgres", "resource-query", "statistic-query", "resource-cmd"]
KILLS = 30
APART = 0.2, 1.2
"""Seconds."""


async def play(run: Run, verdict: Verdict) -> None:
    """At least 30 kills, and as many heartbeats as the form asks for."""
    platform = run.platform
    wanted, heartbeats, rate = (100_000, 200, 2500) if run.long else (10_000, 100, 1000)
    ledger = Ledger(f"f1-{run.seed}", await make_heartbeats(platform, "F1", heartbeats))
    begun, deaths = time.monotonic(), len(platform.deaths)
    latest = begun + run.seconds(600 if run.long else 60)

    def tell(what: str) -> None:
        acked = ledger.count(Outcome.acked)
        run.say(f"{what}  {acked} acknowledged, {acked / (time.monotonic() - begun):.0f}/s")

    async with Pinging(platform, ledger, rate) as pinging:
        await asyncio.sleep(1)
        killed, last = await kill_at_random(
            platform,
            VICTIMS,
            APART,
            run.rng("kills"),
            lambda kills: kills >= KILLS and (ledger.count(Outcome.acked) >= wanted or time.monotonic() > latest),
            tell,
        )
        await pinging.stop()
        ended = time.monotonic() - last
    caught, waited = await catch_up(platform, last)
    verdict.told("kills", f"{killed.total()}: " + ", ".join(f"{name} {count}" for name, count in killed.items()))
    verdict.told("under load for", f"{last - begun:.1f} s, {ledger.count(Outcome.acked) / (last - begun):.0f}/s")
    failed = [it.name for it in platform.deaths[deaths:] if not it.ours]
    verdict.told("starts that failed by themselves", f"{len(failed)} {sorted(set(failed))}")
    verdict.told("answers", dict(sorted(ledger.statuses.items())) | {"none": ledger.count(Outcome.lost)})
    verdict.none("answers 500", ledger.statuses.get(500, 0))
    verdict.at_least("acknowledged", ledger.count(Outcome.acked), wanted)
    verdict.told("after the last kill", f"{ended:.1f} s to the last answer; behind: {waited}")
    verdict.at_most("seconds to catch up after the last kill", caught, run.seconds(10))
    verdict.none("processes that need a hand", [name for name in platform.names if not await platform.ready(name)])
    verdict.told("batches that we sent once more ourselves", await send_again(platform, run.rng("again")))
    await catch_up(platform, time.monotonic())
    await judge_pings(platform, ledger, verdict)
