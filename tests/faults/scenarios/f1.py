"""F1: 100,000 heartbeats while everything is killed with -9 at random; none lost, none counted twice."""

import asyncio
import time

from catching_up import catch_up
from commands import make_heartbeats
from kills import kill_at_random
from ledger import Ledger, Outcome, Pinging
from ping_oracle import judge_pings
from run import Run
from verdict import Verdict

VICTIMS = ["data-gateway", "nats", "postgres", "resource-query", "statistic-query", "resource-cmd"]
KILLS = 30


async def play(run: Run, verdict: Verdict) -> None:
    """At least 30 kills, and as many heartbeats as the form asks for."""
    platform = run.platform
    wanted, heartbeats, rate = (100_000, 200, 2500) if run.long else (10_000, 100, 1500)
    ledger = Ledger(f"f1-{run.seed}", await make_heartbeats(platform, "F1", heartbeats))
    begun, deaths = time.monotonic(), len(platform.deaths)

    def tell(what: str) -> None:
        run.say(f"{what} {time.monotonic() - begun:6.1f} s, {ledger.count(Outcome.acked)} acknowledged")

    async with Pinging(platform, ledger, rate) as pinging:
        await asyncio.sleep(1)
        killed, last = await kill_at_random(
            platform,
            VICTIMS,
            run.rng("kills"),
            lambda kills: kills >= KILLS and ledger.count(Outcome.acked) >= wanted,
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
    verdict.told("after the last kill", f"{ended:.1f} s to the last answer, then waited for: {', '.join(waited)[:80]}")
    verdict.at_most("seconds to catch up after the last kill", caught, 10)
    verdict.none("processes that need a hand", [name for name in platform.names if not await platform.ready(name)])
    await judge_pings(platform, ledger, verdict)
