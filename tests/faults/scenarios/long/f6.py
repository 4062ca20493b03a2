"""F6: a node of the NATS cluster that leads TELEMETRY is killed with -9 again and again under heartbeats."""

import asyncio
import time

import nats.errors
from catching_up import catch_up
from cluster import Clustered, leader
from commands import make_heartbeats
from ledger import Ledger, Outcome, Pinging
from ping_oracle import judge_pings
from run import Run
from streams import admin
from under_test import Platform
from verdict import Verdict

PLATFORM = Clustered
KILLS = 5
APART = 12.0
"""Seconds for a node that is back to catch up."""
RATE = 1000


async def play(run: Run, verdict: Verdict) -> None:
    """Five leaders killed, each once the node before it is back."""
    platform = run.platform
    ledger = Ledger(f"f6-{run.seed}", await make_heartbeats(platform, "F6", 100))
    gaps = []
    async with Pinging(platform, ledger, RATE) as pinging:
        await asyncio.sleep(3)
        for number in range(KILLS):
            node = await led_by(platform)
            killed = time.monotonic()
            await platform.hold_down(node)
            heir = await led_by(platform, other_than=node)
            gaps.append(time.monotonic() - killed)
            acked = ledger.count(Outcome.acked)
            run.say(f"killed {node} ({number + 1}); {heir} leads after {gaps[-1]:.1f} s; {acked} acknowledged")
            await platform.let_up(node)
            await asyncio.sleep(APART)
        await pinging.stop()
    caught, waited = await catch_up(platform, time.monotonic())
    verdict.told("seconds until another node led", ", ".join(f"{gap:.1f}" for gap in gaps))
    verdict.told("answers", dict(sorted(ledger.statuses.items())) | {"none": ledger.count(Outcome.lost)})
    spooled = sum(took > 1 for took in ledger.took)
    verdict.told("check-ins that waited longer than a second", spooled)
    verdict.none("answers that were not 200", sum(n for status, n in ledger.statuses.items() if status != 200))
    verdict.at_most("seconds to catch up in the end", caught, run.seconds(15))
    verdict.told("behind", waited)
    await judge_pings(platform, ledger, verdict)


async def led_by(platform: Platform, other_than: str = "") -> str:
    """The node that leads TELEMETRY, once another does."""
    async with asyncio.timeout(60):
        while True:
            try:
                async with admin(platform) as client:
                    if (found := await leader(client, "TELEMETRY")) and found != other_than:
                        return found
            except (OSError, TimeoutError, nats.errors.Error):
                pass
            await asyncio.sleep(0.1)
