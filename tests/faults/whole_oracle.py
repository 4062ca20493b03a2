"""All that is asked after a scenario in which commands and check-ins were sent."""

from command_oracle import judge_answers, judge_log, judge_stream
from commanding import Orders
from event_log import read_log
from http_oracle import judge_reads
from ledger import Ledger
from ping_oracle import judge_pings
from read_oracle import judge_models
from run import Run
from schedule_oracle import judge_schedules
from verdict import Verdict


async def judge_all(run: Run, orders: Orders, ledger: Ledger | None, verdict: Verdict) -> None:
    """Call it when nothing is behind."""
    platform = run.platform
    run.say("nothing is behind; comparing everything")
    verdict.none("processes that need a hand", [name for name in platform.names if not await platform.ready(name)])
    await judge_schedules(platform, verdict)
    log = await read_log(platform)
    judge_log(log, verdict)
    judge_answers(orders, log, verdict)
    await judge_stream(platform, log, verdict)
    await judge_models(platform, log, verdict)
    await judge_reads(platform, orders, log, run.rng("reads"), verdict)
    if ledger:
        await judge_pings(platform, ledger, verdict)
    run.say("compared")
