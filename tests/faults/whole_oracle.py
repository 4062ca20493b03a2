"""All that is asked after a scenario in which commands and check-ins were sent."""

import time

from catching_up import catch_up
from command_oracle import judge_answers, judge_log, judge_stream
from commanding import Orders
from event_log import read_log
from http_oracle import judge_reads
from ledger import Ledger
from ping_oracle import judge_pings
from read_oracle import judge_models
from run import Run
from schedule_oracle import judge_schedules
from under_test import REGION
from verdict import Verdict


async def judge_all(run: Run, orders: Orders, ledger: Ledger | None, verdict: Verdict) -> None:
    """Call it when nothing is behind. Probing stops meanwhile, for what it finds would change what is compared."""
    platform = run.platform
    verdict.none("processes that need a hand", [name for name in platform.names if not await platform.ready(name)])
    prober = f"prober-{REGION}"
    await platform.hold_down(prober)
    await catch_up(platform, time.monotonic())
    run.say("nothing is behind; comparing everything")
    await judge_schedules(platform, verdict)
    for _ in range(5):
        seen, log = Verdict(verdict.scenario), await read_log(platform)
        judge_log(log, seen)
        judge_answers(orders, log, seen)
        await judge_stream(platform, log, seen)
        await judge_models(platform, log, seen)
        await judge_reads(platform, orders, log, run.rng("reads"), seen)
        if len((await read_log(platform)).all) == len(log.all):
            break  # else the platform judged something meanwhile, and we have compared two different times
        await catch_up(platform, time.monotonic())
    verdict.checks += seen.checks
    if ledger:
        await judge_pings(platform, ledger, verdict)
    run.say("compared")
    await platform.let_up(prober)
